# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a build: time, and space that stays free; and errors that show what happened."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import subprocess
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_log import Cut

_LOOK = 0.5  # seconds between two looks at the clock and the free space
_LINES = 25  # of the log, in an error
_PIECE = 1 << 20  # bytes that are passed on at once


def _pass_on(source: int, target: t.BinaryIO, seconds: float) -> int:
    """Write what a pipe holds, waiting for it at most so long; returns how many bytes, -1 if none came."""
    if not select.select([source], [], [], seconds)[0]:
        return -1
    block = os.read(source, _PIECE)
    target.write(block)
    target.flush()
    return len(block)


class Limits:
    """What a build may take; ``deadline`` is when its time is over (time.monotonic)."""

    def __init__(self, output: str, name: str, log: str, timeout: float, free_space: int) -> None:
        self.output = os.path.realpath(output)
        self.name = name
        self.log = os.path.abspath(log)
        self.timeout = timeout
        self.free_space = free_space
        self.deadline = time.monotonic() + timeout

    def remaining(self) -> float:
        """Seconds until the time limit."""
        return max(0.0, self.deadline - time.monotonic())

    def wait(
        self, process: subprocess.Popen[bytes], begin: int, look: t.Callable[[], None] = lambda: None
    ) -> None:
        """Until the command ends, the time is over, or too little space is left.

        Meanwhile ``look`` is called every now and then. What the command writes to the log, from its
        byte ``begin`` on, is cut when it becomes too much.
        """
        cut, checked = Cut(self.log, begin), time.monotonic()
        pipe = t.cast("t.IO[bytes]", process.stdout)
        try:
            with self.full_disk(), pipe as output, open(self.log, "ab") as log:
                while True:
                    ended = process.poll() is not None  # and with it all that could write, see run()
                    most = 0.0 if ended else min(_LOOK, self.remaining())
                    written = _pass_on(output.fileno(), log, most)
                    cut.look()
                    if ended and written <= 0:
                        return
                    if written == 0:  # it has closed its output
                        with contextlib.suppress(subprocess.TimeoutExpired):
                            process.wait(most)
                    if not ended and time.monotonic() - checked >= min(_LOOK, self.remaining()):
                        checked = time.monotonic()
                        self._check_running()
                        look()
        except BaseException:
            _command.end_group(process)
            raise

    def _check_running(self) -> None:
        """Neither the time nor the space is over, for a command."""
        if not self.remaining():
            raise DistrogateError(
                "timeout",
                f"The build of {self.name} did not end within {self.timeout:g} s and was killed."
                f" Raise timeout if it needs longer.{self.last_lines()}",
                log=self.log,
            )
        self.check_space()

    def free(self) -> int:
        """Bytes that are free where the build writes."""
        status = os.statvfs(self.output)
        return status.f_bavail * status.f_frsize

    def check(self) -> None:
        """Neither the time nor the space is over, for what is done without a command."""
        if not self.remaining():
            raise DistrogateError(
                "timeout",
                f"The build of {self.name} did not end within {self.timeout:g} s: its files are too large, or"
                " timeout is too short.",
                log=self.log,
            )
        self.check_space()

    @contextlib.contextmanager
    def full_disk(self) -> t.Iterator[None]:
        """What the system says of a disk that is full becomes the error ``disk_full``."""
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise self._full(f"{error.strerror}, at {error.filename or self.output}") from error

    def check_space(self) -> None:
        free = self.free()
        if free < self.free_space:
            raise self._full(f"{free >> 20} MiB are free, {self.free_space >> 20} MiB must stay free")

    def _full(self, why: str) -> DistrogateError:
        return DistrogateError(
            "disk_full",
            f"There is too little space at {self.output} for the build of {self.name}: {why}."
            f" Make room, or name another folder.{self.last_lines()}",
            log=self.log,
        )

    def failed(self, label: str, done: _command.Completed) -> DistrogateError:
        if b"No space left on device" in done.stdout:
            return self._full("no space was left on the device")
        words = f"{label} ended with status {done.status}; the build of {self.name} stops."
        return DistrogateError(
            "command_failed",
            words + self.last_lines(),
            command=done.argv,
            status=done.status,
            log=self.log,
        )

    def last_lines(self) -> str:
        """The log's last lines, for an error."""
        if not os.path.exists(self.log):
            return ""
        text = _command.tail_of(self.log).decode("utf-8", "replace").rstrip()
        lines = "\n".join(text.splitlines()[-_LINES:])
        return f" The last lines of {self.log}:\n{lines}" if lines else ""
