# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection plugin: commands, files in and out, and what is said when it cannot work."""

from __future__ import annotations

import os
import pathlib
import pwd
import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleFileNotFound
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import shell_loader

from ansible_collections.distrogate.ci.plugins.connection.sandbox import Connection
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import remove_folder
from ansible_collections.distrogate.ci.tests.unit.core.people import Person, place


@pytest.fixture(scope="module")
def person() -> t.Iterator[Person]:
    with place() as folder:
        yield Person(pwd.getpwuid(os.getuid()).pw_name, folder)


@pytest.fixture
def connection(person: Person, monkeypatch: t.Any) -> t.Iterator[Connection]:
    made = Connection(PlayContext(), shell=shell_loader.get("sh"))
    directory = str(person.folder / "te")
    options = {"rootfs": person.rootfs, "directory": directory, "bind": [], "network": False}
    monkeypatch.setattr(made, "get_option", options.get)
    made._connect()
    yield made
    made.close()
    remove_folder(directory)


def test_commands(connection: Connection) -> None:
    assert connection.exec_command("echo out; echo err >&2; exit 3") == (3, b"out\n", b"err\n")
    assert connection.exec_command("cat", in_data=b"piped") == (0, b"piped", b"")
    connection.exec_command("echo kept >/kept")
    connection.reset()
    assert connection.exec_command("cat /kept")[1] == b"kept\n"


def test_files(connection: Connection, tmp_path: pathlib.Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "in").write_bytes(data)
    connection.put_file(str(tmp_path / "in"), "/root/a b;$(id)")
    connection.fetch_file("/root/a b;$(id)", str(tmp_path / "out"))
    assert (tmp_path / "out").read_bytes() == data
    with pytest.raises(AnsibleFileNotFound):
        connection.put_file(str(tmp_path / "missing"), "/x")
    with pytest.raises(AnsibleConnectionFailure, match="could not be copied"):
        connection.put_file(str(tmp_path / "in"), "/nowhere/x")
    with pytest.raises(AnsibleConnectionFailure, match="could not be read"):
        connection.fetch_file("/missing", str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_without_a_root_filesystem(connection: Connection, monkeypatch: t.Any) -> None:
    options = {"rootfs": "/nonexistent", "directory": "/nonexistent-too", "bind": [], "network": False}
    monkeypatch.setattr(connection, "get_option", options.get)
    with pytest.raises(AnsibleConnectionFailure, match="There is no root filesystem at /nonexistent"):
        connection.exec_command("true")
