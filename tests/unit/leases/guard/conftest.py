# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A TE host in a folder, and an sshd for it."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
from ansible_collections.distrogate.ci.tests.faults.guard_sshd import Sshd, sshd


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def server(host: Host) -> t.Iterator[Sshd]:
    with sshd(host) as running:
        yield running


@pytest.fixture(scope="module")
def leased(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Sshd]:
    """A server that several tests share, where the key a has te1 with the fence 7."""
    host = Host(tmp_path_factory.mktemp("host"))
    with sshd(host) as running:
        host.raise_fence(7, ttl=3600)
        yield running
