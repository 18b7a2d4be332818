# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backends that the contract is tested on: a second one is one more entry of BACKENDS."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store


def _sqlite(tmp_path: t.Any) -> t.Iterator[str]:
    yield f"sqlite://{tmp_path}/store/store.db"


BACKENDS: dict[str, t.Callable[[t.Any], t.Iterator[str]]] = {"sqlite": _sqlite}


@pytest.fixture(params=sorted(BACKENDS))
def store_url(request: t.Any, tmp_path: t.Any) -> t.Iterator[str]:
    """The address of an empty store."""
    yield from BACKENDS[request.param](tmp_path)


@pytest.fixture
def store(store_url: str) -> t.Iterator[Store]:
    with open_store(store_url) as opened:
        yield opened
