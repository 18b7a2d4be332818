# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bundle, keys, a store and an archive."""

from __future__ import annotations

import pathlib
import secrets
import sys
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster
from ansible_collections.distrogate.ci.tests.tools.memory_folder import memory_folder

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # for the modules beside the tests

from archive_samples import World
from bundle_samples import FROZEN, stages

Json = dict[str, t.Any]


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[pathlib.Path]:
    """In memory: a test that kills a promotion at each of its steps makes a store for each."""
    with memory_folder(tmp_path_factory.getbasetemp()) as folder:
        yield folder


@pytest.fixture
def bundle() -> Json:
    """The bundle of that run."""
    return _bundle.make_bundle(FROZEN, stages(), "/runs/42")


def _key(folder: pathlib.Path, private: t.Any, name: str) -> _statements.SigningKey:
    path = folder / f"{name}.pem"
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return _statements.load_signing_key(str(path), None, {})


@pytest.fixture
def key(tmp_path: pathlib.Path) -> _statements.SigningKey:
    """The key of the CI."""
    return _key(tmp_path, ed25519.Ed25519PrivateKey.generate(), "ci")


@pytest.fixture
def other_key(tmp_path: pathlib.Path) -> _statements.SigningKey:
    """Somebody else's key, of the other kind."""
    return _key(tmp_path, ec.generate_private_key(ec.SECP256R1()), "other")


@pytest.fixture
def store(tmp_path: pathlib.Path) -> t.Iterator[Store]:
    """An empty store."""
    with open_store(f"sqlite://{tmp_path}/store.db") as opened:
        yield opened


@pytest.fixture(scope="session")
def etcd_node() -> t.Iterator[EtcdCluster]:
    """One node is enough where nobody hurts it."""
    with EtcdCluster(1) as cluster:
        yield cluster


@pytest.fixture(params=["etcd", "sqlite"])
def any_store_url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The address of an empty store, of each kind."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/any.db"
    return str(request.getfixturevalue("etcd_node").url(f"test-{secrets.token_hex(8)}"))


@pytest.fixture
def any_store(any_store_url: str) -> t.Iterator[Store]:
    """An empty store, of each kind."""
    with open_store(any_store_url) as opened:
        yield opened


@pytest.fixture
def world(tmp_path: pathlib.Path, store: Store, key: _statements.SigningKey) -> World:
    """An empty archive, with a store."""
    return World(tmp_path, store, key)
