# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One of our modules in a fork of this very process, where that comes to the same as starting it.

Packing a module, sending it and starting Python for it costs more than most of them work. On the controller
itself (``_near_action.is_near``), its ``main`` runs in a child of the action's process instead: with the
arguments that Ansible gives a module, and the same way to write its result.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import select
import signal
import sys
import tempfile
import threading
import time
import traceback
import typing as t

from ansible.module_utils import basic

from ansible_collections.distrogate.ci.plugins.plugin_utils._module_arguments import PROFILE
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import is_near

_COLLECTION = "distrogate.ci."
_MODULES = "ansible_collections.distrogate.ci.plugins.modules."
# Those that need nothing but Python: what else they import would be the controller's.
_PURE = {
    "disk_image",
    "freeze",
    "image_boot",
    "package_build",
    "package_lint",
    "package_test",
    "project_test",
    "run_files",
    "run_report",
    "workspace",
}
_LOOK = 0.05  # seconds between two looks
_DEFAULT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGCHLD)


def may_be_near(handler: t.Any, module: str) -> bool:
    """Whether ``NearModule`` can run the module for this action."""
    ours = module.startswith(_COLLECTION) and module[len(_COLLECTION) :] in _PURE
    # A fork has one thread only; what another one held would stay held.
    return ours and is_near(handler) and threading.active_count() == 1


class NearModule:
    """A module that runs; ``session``: in a session of its own, which ``end`` ends."""

    def __init__(self, module: str, arguments: str, session: bool) -> None:
        self._open = contextlib.ExitStack()
        self._files = [self._open.enter_context(_file()) for _name in ("output", "errors")]
        self.code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            _become(module[len(_COLLECTION) :], arguments, [file.fileno() for file in self._files], session)
        self._session = session
        self.descriptor = _descriptor(self.pid)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is done, so long at most; whether it is."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self.code is None:
            found, status = os.waitpid(self.pid, 0 if deadline is None else os.WNOHANG)
            if found:
                self.code = os.waitstatus_to_exitcode(status)
            left = 0.0 if deadline is None else deadline - time.monotonic()
            if left <= 0 or self.code is not None:
                break
            if self.descriptor is None:
                time.sleep(min(left, _LOOK))
            else:
                select.select([self.descriptor], [], [], left)
        return self.code is not None

    def end(self, seconds: float) -> None:
        """End it, and whoever is in its session: asked first, then by force."""
        if self.code is not None:
            return
        send = os.killpg if self._session else os.kill
        for which, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError):  # a group lasts as long as anybody is in it
                if self.code is None or self._session:
                    send(self.pid, which)
            self.wait(patience)

    def output(self) -> dict[str, t.Any]:
        """What it wrote, as Ansible has it of any program."""
        texts = []
        for file in self._files:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        return {"stdout": texts[0], "stderr": texts[1], "rc": self.code}

    def close(self) -> None:
        """Forget what it wrote."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        self._open.close()


def _descriptor(pid: int) -> int | None:
    """What can be read once the process is done; None where the system is older than that (Linux 5.3)."""
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _become(name: str, arguments: str, files: list[int], session: bool) -> t.NoReturn:
    """In the child: no signal, file or lock of Ansible's is looked at any more."""
    code = 1
    try:
        for number in _DEFAULT:
            signal.signal(number, signal.SIG_DFL)
        if session:
            os.setsid()
        null = os.open(os.devnull, os.O_RDONLY)
        for descriptor, place in ((null, 0), (files[0], 1), (files[1], 2)):
            os.dup2(descriptor, place)
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout, sys.stderr = (_text(place) for place in (1, 2))
        basic._ANSIBLE_ARGS = arguments.encode()
        basic._ANSIBLE_PROFILE = PROFILE
        importlib.import_module(_MODULES + name).main()
        code = 0
    except SystemExit as done:
        code = done.code if isinstance(done.code, int) else 1
    except Exception:  # noqa: BLE001 -- whatever a module breaks of is told
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _file() -> t.IO[bytes]:
    return tempfile.TemporaryFile()


def _text(place: int) -> io.TextIOWrapper:
    return os.fdopen(place, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
