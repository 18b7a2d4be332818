# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of a module in a child that may crash, hang or eat: its answer, its time and its memory."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import pathlib
import resource
import select
import signal
import sys
import time
import traceback
import typing as t

from ansible_collections.distrogate.ci.tests.faults.run import argv

MODULES = "ansible_collections.distrogate.ci.plugins.modules."
ADDRESSES = 1 << 30  # bytes of address space: an allocation of what a file only claims fails at once


@dataclasses.dataclass(frozen=True)
class Answer:
    """``status`` is as of waitpid, None when the time was over; ``peak`` bytes has the largest process."""

    status: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    peak: int


class Caller:
    """Calls one module, forked off this process or as a process of its own."""

    def __init__(self, module: str, scratch: pathlib.Path, tmp: pathlib.Path, limit: float) -> None:
        self.module = module
        self.limit = limit
        self._files = [scratch / "stdout", scratch / "stderr"]
        self.arcs = scratch / "arcs"
        self.coverage: t.Any = None
        self.directory = scratch
        self._scratch = tmp

    def load(self) -> None:
        """Import what the forked children need, once."""
        importlib.import_module("ansible.module_utils.basic")
        importlib.import_module(MODULES + self.module)
        with contextlib.suppress(ImportError):
            importlib.import_module("createrepo_c")

    def __call__(self, options: dict[str, t.Any], own_process: bool = False) -> Answer:
        start = time.monotonic()
        child = os.fork()
        if not child:
            self._child(argv(self.module, options, self._scratch), own_process)
        watched = os.pidfd_open(child)
        try:
            ended = bool(select.select([watched], [], [], self.limit)[0])
        finally:
            os.close(watched)
        if not ended:
            os.killpg(child, signal.SIGKILL)
        _child, status, used = os.wait4(child, 0)
        seconds = time.monotonic() - start
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # whatever it left behind in its group
        out, err = (path.read_bytes() for path in self._files)
        return Answer(status if ended else None, out, err, seconds, used.ru_maxrss * 1024)

    def _child(self, command: list[str], own_process: bool) -> t.NoReturn:
        status = 70
        try:
            os.setsid()
            if self.coverage is not None:
                self._measure()
            os.chdir(self.directory)
            for target, path in enumerate(self._files, 1):
                os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), target)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if own_process:
                os.execv(command[0], command)
            status = self._main(command[-1])
        except BaseException:  # noqa: BLE001 -- it would run the parent's code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _main(self, arguments: str) -> int:
        from ansible.module_utils import basic

        basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = arguments.encode(), "legacy"
        status = 71  # a module ends with SystemExit
        try:
            sys.modules[MODULES + self.module].main()
        except SystemExit as end:
            status = int(end.code or 0)
        except Exception:  # noqa: BLE001 -- a traceback is what we look for
            traceback.print_exc()
            status = 1
        return status

    def _measure(self) -> None:
        """Say which branches were taken when this process ends, and each that it forks."""
        leave = os._exit

        def end(status: int) -> t.NoReturn:
            with contextlib.suppress(Exception):  # what has no memory left is not measured
                self.coverage.stop()
                data = self.coverage.get_data()
                arcs = {name: data.arcs(name) for name in data.measured_files()}
                path = self.arcs / str(os.getpid())
                path.write_text(json.dumps(arcs))
                path.rename(path.with_suffix(".json"))  # it may be killed while it writes
            leave(status)

        os._exit = end
