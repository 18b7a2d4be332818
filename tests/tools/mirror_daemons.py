# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rsync daemons on loopback for tests and benchmarks: good ones, and one of each bad kind.

All have ``use chroot = no``, as a daemon has that does not run as root, unless
``settings`` say otherwise. Each is a process group of its own, so that one kill
ends it with all its children.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import sys
import time
import typing as t

from ansible_collections.distrogate.ci.tests.tools.ports import free_port

HOOK = pathlib.Path(__file__).with_name("mirror_hook.py")
_PROBES = 200
_PROBE = 0.02  # seconds between two


@dataclasses.dataclass
class Orders:
    """What the hook does before each transfer (see mirror_hook.py). ``die_at`` counts from the order on.

    ``spoil`` are patterns of files below the module that are changed by one
    byte, with their size and time, if they are newer than the order; at most ``times``.
    """

    die_at: int = 0
    spoil: tuple[str, ...] = ()
    times: int = 1 << 30
    since: int = dataclasses.field(default_factory=time.time_ns)


class Daemon:
    """One daemon with one module ``m``; ``folder`` is its own. Its tree is ``path``."""

    def __init__(
        self,
        folder: pathlib.Path,
        settings: t.Mapping[str, str] | None = None,
        tree: pathlib.Path | None = None,
        hook: bool = False,
    ) -> None:
        """``settings`` go into rsyncd.conf(5); ``tree`` is for one that lies elsewhere."""
        self.folder, self.path = folder, tree or folder / "tree"
        folder.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(parents=True, exist_ok=True)
        self.config, self.log = folder / "rsyncd.conf", folder / "log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self.largest = 0  # bytes that a file may have, from the next start on; 0 for all
        self._orders = folder / "orders.json"
        self._settings = {"read only": "no", **(settings or {})}
        if hook:
            words = [sys.executable, "-IS", str(HOOK), str(self._orders)]
            self._settings["pre-xfer exec"] = shlex.join(words)
            self.order()
        self.set()

    def set(self, **settings: str) -> None:
        """Change settings of the module (``read_only="yes"``): a daemon reads them with each connection."""
        self._settings.update({name.replace("_", " "): value for name, value in settings.items()})
        lines = [
            "use chroot = no",
            f"uid = {os.getuid()}",
            f"gid = {os.getgid()}",
            f"log file = {self.log}",
            "[m]",
            f"path = {self.path}",
            *(f"{name} = {value}" for name, value in self._settings.items()),
        ]
        new = self.config.with_suffix(".new")
        new.write_text("\n".join(lines) + "\n")
        new.rename(self.config)

    def order(self, **orders: t.Any) -> None:
        """Tell the hook what to do from now on; nothing is to let all be."""
        self._orders.with_suffix(".count").unlink(missing_ok=True)
        self._orders.with_suffix(".spoiled").unlink(missing_ok=True)
        new = self._orders.with_suffix(".new")
        new.write_text(json.dumps(dataclasses.asdict(Orders(**orders))))
        new.rename(self._orders)

    @property
    def transfers(self) -> int:
        """How many transfers began since the last order."""
        with contextlib.suppress(FileNotFoundError):
            return self._orders.with_suffix(".count").stat().st_size
        return 0

    @property
    def spoiled(self) -> list[str]:
        """Which files the hook changed since the last order."""
        with contextlib.suppress(FileNotFoundError):
            return self._orders.with_suffix(".spoiled").read_text().splitlines()
        return []

    def address(self, port: int = 0) -> str:
        """As mirror_sync wants it; with ``port`` by way of a proxy."""
        return f"rsync://127.0.0.1:{port or self.port}/m/"

    def start(self) -> None:
        """Start, on the same port as before; once it takes connections this returns."""
        assert self.process is None
        known = self.port
        for _attempt in range(5):
            self.port = known or free_port()
            if self._started():
                return
        raise AssertionError(f"the daemon in {self.folder} did not start: {self._said()}")

    def _started(self) -> bool:
        limit = ["prlimit", f"--fsize={self.largest}"] if self.largest else []
        argv = ["rsync", "--daemon", "--no-detach", f"--config={self.config}", "--address=127.0.0.1"]
        # Python ignores SIGXFSZ, and rsync inherits that: a write beyond the limit fails and kills nobody.
        self.process = subprocess.Popen(
            [*limit, *argv, f"--port={self.port}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            restore_signals=False,
        )
        self._guard = _guard(self.process.pid)
        for _probe in range(_PROBES):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                return probe.recv(8) == b"@RSYNCD:"
            if self.process.poll() is not None:
                break
            time.sleep(_PROBE)
        self.kill()
        return False

    def _said(self) -> str:
        return self.log.read_text(errors="replace")[-1000:] if self.log.exists() else "it said nothing"

    def kill(self) -> None:
        """SIGKILL, for it and all its children at once."""
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    stop = kill

    def children(self) -> list[int]:
        """The processes that it has now: one for each connection, or more."""
        if self.process is None:
            return []
        with contextlib.suppress(OSError):
            text = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            return list(map(int, text.split()))
        return []

    def rest(self, timeout: float = 20) -> None:
        """Wait until it has no connection any more."""
        end = time.monotonic() + timeout
        while self.children():
            assert time.monotonic() < end, f"a connection of the daemon in {self.folder} does not end"
            time.sleep(0.002)

    def __enter__(self: D) -> D:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


D = t.TypeVar("D", bound=Daemon)


def _guard(group: int) -> subprocess.Popen[bytes]:
    """What ends a daemon whose test was killed: it waits for the end of its input, which we hold open."""
    script = 'read -r _line; kill -s KILL -- "-$1"'
    return subprocess.Popen(
        ["sh", "-c", script, "sh", str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
