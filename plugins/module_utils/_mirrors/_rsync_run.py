# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An rsync under way: its progress, its limits, and its end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import resource
import select
import signal
import subprocess
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import end_group
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_SET_PIPE_SIZE = 1031  # fcntl.F_SETPIPE_SZ, which Python 3.9 does not name
_PIPE = 1 << 18
_BLOCK = 1 << 18
_TAIL = 1 << 13
_LONGEST = 1 << 16  # no line of ours is longer: four letters for each byte of a path
_MEMORY = 1 << 30
_GRACE = 2.0  # seconds
_EAGER, _REST = 0.2, 100  # seconds at the beginning in which all is read at once; then milliseconds between
_PROGRESS = re.compile(rb"^ *([0-9]{1,18}) +[0-9]+% .*?(?:\(xfr#([0-9]{1,18}),|$)")


class Limits(t.NamedTuple):
    """``until`` is a time of the monotonic clock; ``size`` and ``files`` bound what comes."""

    until: float
    size: int | None = None
    files: int | None = None
    ended: t.Callable[[], bool] = bool  # whether to stop for another reason


class ProcessEndedError(Exception):
    """rsync was stopped by us; the text completes a sentence about the mirror."""


class Process:
    """One rsync. Iterating gives its complete lines; afterwards there are ``status`` and ``complaints``."""

    def __init__(
        self,
        argv: t.Sequence[str | bytes],
        folder: str,
        environment: dict[str, str],
        pass_fds: t.Sequence[int],
        limits: Limits,
    ) -> None:
        self.limits = limits
        self.status = 0
        self.excess = False  # set by who finds that more came than was allowed
        self.output = b""  # the last of it: the statistics
        self.complaints = b""  # the last of them, whole lines
        self._rest = b""
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=folder,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        except FileNotFoundError as error:
            raise DistrogateError(
                "missing_tool", "The program rsync is not installed on this machine.", tool="rsync"
            ) from error
        if limits.size is not None:
            self._bound(limits.size)

    def _bound(self, size: int) -> None:
        # A mirror may lie about sizes, and name more files than there are: the kernel counts.
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, size))
            resource.prlimit(self._process.pid, resource.RLIMIT_AS, (_MEMORY, _MEMORY))

    def __iter__(self) -> t.Iterator[bytes]:
        """Whoever stops iterating must close this generator; that ends rsync and what it started."""
        pipes = t.cast("tuple[t.IO[bytes], t.IO[bytes]]", (self._process.stdout, self._process.stderr))
        with pipes[0] as stdout, pipes[1] as stderr:
            try:
                yield from self._lines(stdout.fileno(), stderr.fileno())
                self.status = self._process.wait(max(0.1, self.limits.until - time.monotonic()))
            except subprocess.TimeoutExpired as error:
                raise ProcessEndedError("it did not end in time (timeout)") from error
            finally:
                if self._process.returncode is None:
                    self._end()

    def _end(self) -> None:
        """Let it remove the file that it was writing; otherwise that would lie in a local mirror for ever."""
        until = time.monotonic() + _GRACE
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
            while time.monotonic() < until:
                self._process.poll()
                os.killpg(self._process.pid, 0)  # what it started is in its group, too
                time.sleep(0.01)
        end_group(self._process)

    def _lines(self, stdout: int, stderr: int) -> t.Iterator[bytes]:
        with contextlib.suppress(OSError):
            fcntl.fcntl(stdout, _SET_PIPE_SIZE, _PIPE)
        ready, hung_up = select.poll(), select.poll()
        for descriptor in (stdout, stderr):
            ready.register(descriptor, select.POLLIN)
            hung_up.register(descriptor, 0)
        open_pipes = {stdout, stderr}
        eager_until = time.monotonic() + _EAGER
        while open_pipes:
            self._check()
            events = ready.poll(500)
            if not events and self._process.poll() is not None:
                return  # a program that it left behind still holds the pipes
            for descriptor, _event in events:
                data = os.read(descriptor, _BLOCK)
                if not data:
                    open_pipes.discard(descriptor)
                    ready.unregister(descriptor)
                    hung_up.unregister(descriptor)
                elif descriptor == stderr:
                    self.complaints = _last_lines(self.complaints + data)
                else:
                    yield from self._split(data)
            if open_pipes and time.monotonic() > eager_until:
                hung_up.poll(_REST)  # few wake-ups, and none too late

    def _check(self) -> None:
        if time.monotonic() > self.limits.until:
            raise ProcessEndedError("it did not end in time (timeout)")
        if self.limits.ended():
            raise ProcessEndedError("it was stopped")

    def _split(self, data: bytes) -> t.Iterator[bytes]:
        self.output = (self.output + data[-_TAIL:])[-_TAIL:]
        lines = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop()[-_LONGEST:]
        yield from lines


def _last_lines(data: bytes) -> bytes:
    return data if len(data) <= _TAIL else data[-_TAIL:].partition(b"\n")[2]


def parse_progress(line: bytes) -> tuple[int, int] | None:
    """(files, bytes) so far."""
    match = _PROGRESS.match(line)
    return (int(match.group(2) or 0), int(match.group(1))) if match else None
