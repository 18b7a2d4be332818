# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small repositories, real rsync daemons, and a way to call the module's logic."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import socket
import subprocess
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._result import perform
from ansible_collections.distrogate.ci.tests.tools.ports import free_port


def publish(root: pathlib.Path, text: str, pool: str | None = None) -> None:
    """Write one state of an apt repository, in a publisher's order: content, indexes, InRelease."""
    if pool is not None:
        (root / "pool").mkdir(parents=True, exist_ok=True)
        (root / "pool" / pool).write_text(pool)
    folder = root / "dists" / "stable"
    binary = folder / "main" / "binary-amd64"
    digest = hashlib.sha256(text.encode()).hexdigest()
    for path in (binary / "by-hash" / "SHA256" / digest, binary / "Packages"):
        _replace(path, text)
    release = f"Acquire-By-Hash: yes\nSHA256:\n {digest} {len(text)} main/binary-amd64/Packages\n"
    _replace(folder / "Release", release)
    _replace(folder / "InRelease", release)


def publish_rpm(root: pathlib.Path, text: str) -> None:
    """Write one state of an rpm repository."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    href = f"repodata/{digest}-primary.xml"
    _replace(root / href, text)
    _replace(
        root / "repodata" / "repomd.xml",
        '<repomd xmlns="http://linux.duke.edu/metadata/repo"><data type="primary">'
        f'<checksum type="sha256">{digest}</checksum><location href="{href}"/></data></repomd>',
    )


def _replace(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(".tmp-new")
    new.write_text(text)
    new.rename(path)


def tree(root: pathlib.Path) -> dict[bytes, bytes]:
    """Every file below ``root``, except private ones."""
    found = {}
    top = os.fsencode(root)
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name != b".distrogate"]
        for name in names:
            path = os.path.join(folder, name)
            # A receiver that lost its sender removes what it was writing, in its own time.
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as stream:
                found[os.path.relpath(path, top)] = stream.read()
    return found


def in_release(root: pathlib.Path) -> str:
    return (root / "dists" / "stable" / "InRelease").read_text()


class Caller:
    """Calls what the module calls."""

    def __init__(self, source: pathlib.Path, mirrors: t.Sequence[object]) -> None:
        self.options: dict[str, t.Any] = {
            "source": str(source),
            "name": "public",
            "mirrors": [str(mirror) for mirror in mirrors],
            "password_file": None,
            "password": None,
            "ssh_key": None,
            "quorum": "all",
            "keep": 3,
            "keep_seconds": 0,
            "pinned": [],
            "state": "synced",
            "transaction": None,
            "snapshot": None,
            "deep": False,
            "max_delete_ratio": 0.5,
            "allow_older": False,
            "allow_rolled_back": False,
            "bandwidth_limit": 0,
            "retries": 0,
            "report_folder": None,
            "timeout": 60,
        }

    def __call__(self, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        tracker = Difference()
        result = perform({**self.options, **options}, check, tracker, _unheard)
        return {**result, "changed": not tracker.empty, "diff": tracker.as_result()}


def _unheard(*_said: object, **_more: object) -> None:
    """Nobody listens."""


class Daemon:
    """One rsync daemon on a free loopback port, ended by its own process id."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.path = folder / "tree"
        self.path.mkdir(parents=True)
        self.config = folder / "rsyncd.conf"
        self.config.write_text(
            f"use chroot = no\nuid = {os.getuid()}\ngid = {os.getgid()}\n"
            f"[m]\npath = {self.path}\nread only = no\n"
        )
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"rsync://127.0.0.1:{self.port}/m/"

    def start(self) -> None:
        argv = ["rsync", "--daemon", "--no-detach", f"--config={self.config}", "--address=127.0.0.1"]
        self.process = subprocess.Popen([*argv, f"--port={self.port}"])
        for _attempt in range(1200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError("the daemon did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None
