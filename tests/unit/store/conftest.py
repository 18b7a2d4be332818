# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backends that the contract is tested on: a second one is one more entry of BACKENDS."""

from __future__ import annotations

import secrets
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster


@pytest.fixture(scope="session")
def etcd_cluster() -> t.Iterator[EtcdCluster]:
    """Three nodes, for all tests of this process; who hurts a node heals it."""
    with EtcdCluster() as cluster:
        yield cluster


@pytest.fixture
def etcd(etcd_cluster: EtcdCluster) -> t.Iterator[EtcdCluster]:
    """The cluster, for a test that may hurt it."""
    yield etcd_cluster
    etcd_cluster.heal()


def _sqlite(request: t.Any) -> str:
    return f"sqlite://{request.getfixturevalue('tmp_path')}/store/store.db"


def _etcd(request: t.Any) -> str:
    return str(request.getfixturevalue("etcd_cluster").url(f"test-{secrets.token_hex(8)}"))


BACKENDS: dict[str, t.Callable[[t.Any], str]] = {"etcd": _etcd, "sqlite": _sqlite}


@pytest.fixture(params=sorted(BACKENDS))
def store_url(request: t.Any) -> str:
    """The address of an empty store."""
    return BACKENDS[request.param](request)


@pytest.fixture
def store(store_url: str) -> t.Iterator[Store]:
    with open_store(store_url) as opened:
        yield opened
