# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store and the short words of these tests."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store


@pytest.fixture
def store_url(tmp_path: t.Any) -> str:
    return f"sqlite://{tmp_path}/store.db"


@pytest.fixture
def store(store_url: str) -> t.Iterator[Store]:
    with open_store(store_url) as opened:
        yield opened
