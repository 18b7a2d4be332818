# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mirrors that are away or refuse us: each has its sentence, and is tried again or not."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _transfer
from ansible_collections.distrogate.ci.tests.tools.ports import free_port
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import tree
from ansible_collections.distrogate.ci.tests.unit.mirrors.mirror_hosts import (
    QUICK,
    SSHD,
    Host,
    daemon,
    failed,
    local,
    sshd,
)
from ansible_collections.distrogate.ci.tests.unit.mirrors.test_peers import fill

NAMES = [b"pool/%d" % number for number in range(5)]


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    fill(tmp_path / "source", NAMES)
    return tmp_path / "source"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between tries, which nobody waits for."""
    made: list[float] = []
    monkeypatch.setattr(_transfer, "_sleep", made.append)
    return made


def test_nobody_answers(source: pathlib.Path, tmp_path: pathlib.Path, pauses: list[float]) -> None:
    port = free_port()
    peer = Host(f"rsync://127.0.0.1:{port}/m/", tmp_path, QUICK).peer(tmp_path / "work", retries=3)
    with failed("no connection .*Connection refused", True):
        peer.look()
    assert [round(pause) for pause in pauses] in ([1, 2, 4], [1, 2, 5], [1, 2, 3]) and len(pauses) == 3


def test_the_retries_end_with_the_timeout(tmp_path: pathlib.Path, pauses: list[float]) -> None:
    peer = Host(f"rsync://127.0.0.1:{free_port()}/m/", tmp_path, QUICK).peer(
        tmp_path / "work", retries=50, timeout=9
    )
    with failed("no connection", True):
        peer.look()
    assert len(pauses) <= 4


def test_a_server_that_says_nothing(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"rsync://127.0.0.1:{listener.getsockname()[1]}/m/"
        with failed("no answer from the daemon|no data came", True):
            Host(address, tmp_path, QUICK).peer(tmp_path / "work", idle_timeout=1).look()


REFUSALS = [
    ("", "[other]\npath = /\n", "/none/", "no such module", False),
    (
        "",
        "auth users = somebody\nsecrets file = {folder}/secrets\n",
        "",
        "does not take this user and password",
        False,
    ),
    ("", "read only = yes\n", "", "its module is read-only", False),
    ("", "hosts deny = *\n", "", "refused", False),
    ("max connections = -1\n", "", "", "no free connection", True),
]


@pytest.mark.parametrize(("more", "inner", "module", "text", "transient"), REFUSALS)
def test_refusals(
    source: pathlib.Path,
    tmp_path: pathlib.Path,
    more: str,
    inner: str,
    module: str,
    text: str,
    transient: bool,
) -> None:
    folder = tmp_path / "mirror"
    with daemon(folder, more, inner.format(folder=folder)) as host:
        secret = folder / "secrets"
        secret.write_text("somebody:right\n")
        secret.chmod(0o600)
        address = host.address.replace("/m/", module) if module else host.address
        with failed(text, transient):
            host._replace(address=address).peer(tmp_path / "work").send(str(source), NAMES)
        assert tree(host.tree) == {}


def test_passwords(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "mirror"
    inner = f"auth users = somebody\nsecrets file = {folder}/secrets\n"
    with daemon(folder, "", inner) as host:
        for name, text in (("secrets", "somebody:right word\n"), ("mine", "right word\n")):
            (folder / name).write_text(text)
            (folder / name).chmod(0o600)
        asked = host._replace(address=host.address.replace("rsync://", "rsync://somebody@"))
        for number, options in enumerate(
            ({"password": "right word"}, {"password_file": str(folder / "mine")})
        ):
            peer = asked.peer(tmp_path / "work", **options)
            peer.send(str(source), NAMES[: number + 1])
            assert len(tree(host.tree)) == number + 1
            assert "right word" not in repr(peer.rsync.access)
        for options in ({"password": "wrong"}, {}):
            with failed("does not take this user and password", False):
                asked.peer(tmp_path / "work", **options).look()


def test_no_free_connection_is_tried_again(
    source: pathlib.Path, tmp_path: pathlib.Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mirror"
    inner = f"max connections = 1\nlock file = {folder}/lock\n"
    with daemon(folder, "", inner) as host:
        port = int(host.address.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port)) as other:
            other.sendall(b"@RSYNCD: 31.0\nm\n")
            while b"OK" not in (said := other.recv(1000)):
                assert said
            with failed("no free connection", True):
                host.peer(tmp_path / "work", retries=2).look()
            assert len(pauses) == 2
            # The daemon frees it a little later than we close it.
            monkeypatch.setattr(_transfer, "_sleep", lambda _pause: [other.close(), time.sleep(0.05)])
            host.peer(tmp_path / "work", retries=200).send(str(source), NAMES)
        assert len(tree(host.tree)) == len(NAMES)


def test_no_such_local_folder(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with local(tmp_path / "mirror") as host:
        peer = host._replace(address=str(tmp_path / "absent")).peer(tmp_path / "work")
        for step in (peer.look, lambda: peer.send(str(source), NAMES), lambda: list(peer.every_name())):
            with failed("there is no such folder", False):
                step()
        assert not (tmp_path / "absent").exists()


def test_no_such_folder_on_a_daemon_is_blank(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with daemon(tmp_path / "mirror") as host:
        peer = host._replace(address=host.address + "new").peer(tmp_path / "work")
        assert peer.look([b"x"]) == (None, True, []) and not (host.tree / "new").exists()
        peer.send(str(source), NAMES)
        assert tree(host.tree / "new") == tree(source)


def test_ssh_refuses(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    assert SSHD
    with sshd(tmp_path / "mirror") as host:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True
        )
        with failed("refuses this ssh key or user", False):
            host.peer(tmp_path / "work", ssh_key=str(tmp_path / "other")).look()
        (tmp_path / "mirror/known_hosts").write_text("")
        with failed("host key is not the known one", False):
            host.peer(tmp_path / "work").look()


def test_no_secret_on_a_command_line(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Every program that is started, with its arguments, as the kernel saw it."""
    folder = tmp_path / "mirror"
    inner = f"auth users = somebody\nsecrets file = {folder}/secrets\n"
    with daemon(folder, "", inner) as host:
        (folder / "secrets").write_text("somebody:a-very-secret-word\n")
        (folder / "secrets").chmod(0o600)
        (tmp_path / "word").write_text("a-very-secret-word")
        address = host.address.replace("rsync://", "rsync://somebody@")
        script = (
            "import pathlib, sys\n"
            "from ansible_collections.distrogate.ci.tests.unit.mirrors.mirror_hosts import Host, QUICK\n"
            "address, source, work, word = sys.argv[1:]\n"
            "peer = Host(address, pathlib.Path(work), QUICK).peer(pathlib.Path(work),"
            " password=pathlib.Path(word).read_text())\n"
            "peer.send(source, [b'pool/1'])\n"
        )
        argv = [
            "strace",
            "-f",
            "-s",
            "4096",
            "-e",
            "trace=execve",
            "-o",
            str(tmp_path / "trace"),
            sys.executable,
        ]
        argv += ["-c", script, address, str(source), str(tmp_path / "work"), str(tmp_path / "word")]
        subprocess.run(argv, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        traced = (tmp_path / "trace").read_text()
        assert len(tree(host.tree)) == 1 and 'execve("/usr/bin/rsync"' in traced
        assert "a-very-secret-word" not in traced
