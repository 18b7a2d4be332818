# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source, two local mirrors, two daemons."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import Caller, Daemon, publish, publish_rpm
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import Own


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    root = tmp_path / "source"
    publish(root / "apt", "one", pool="a_1_amd64.deb")
    publish_rpm(root / "rpm", "first")
    return root


@pytest.fixture
def locals_(tmp_path: pathlib.Path) -> list[pathlib.Path]:
    folders = [tmp_path / "mirror1", tmp_path / "mirror2"]
    for folder in folders:
        folder.mkdir()
    return folders


@pytest.fixture
def sync(source: pathlib.Path, locals_: list[pathlib.Path]) -> Caller:
    return Caller(source, locals_)


@pytest.fixture
def daemons(tmp_path: pathlib.Path) -> t.Iterator[list[Daemon]]:
    started = [Daemon(tmp_path / "daemon1"), Daemon(tmp_path / "daemon2")]
    try:
        for daemon in started:
            daemon.start()
        yield started
    finally:
        for daemon in started:
            daemon.stop()


@pytest.fixture
def own(tmp_path: pathlib.Path) -> Own:
    made = Own(tmp_path / "source")
    made.publish("one", "a/a_1.deb", "b/b_1.deb")
    return made
