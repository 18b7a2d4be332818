# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A registry."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _oci_http
from ansible_collections.distrogate.ci.tests.tools.memory_folder import memory_folder
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import RegistryProxy

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # for the module beside the tests

from oci_world import World


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[pathlib.Path]:
    """In memory: a registry and a journal wait for the disk at every request."""
    with memory_folder(tmp_path_factory.getbasetemp()) as folder:
        yield folder


@pytest.fixture
def world(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[World]:
    """A registry, and what a test needs around it."""
    monkeypatch.setattr(_oci_http, "_FIRST_PAUSE", 0.001)
    with Registry(tmp_path / "registry") as registry, RegistryProxy(registry.port) as proxy:
        yield World(tmp_path, registry, proxy)
