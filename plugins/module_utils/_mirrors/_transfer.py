# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on one mirror: tried again when that may help, counted, told of while they last."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import re
import tempfile
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._answers import (
    Item,
    failed,
    failure,
    only_absent,
    parse_item,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._operations import (
    OPERATIONS,
    Argument,
    batches,
    command,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rsync_run import (
    Limits,
    Process,
    ProcessEndedError,
    parse_progress,
)

Tell = t.Callable[[int, int], None]
"""Called with the files and bytes that all operations of ``_TOLD`` together have moved so far."""

_TELL_EVERY = 0.5  # seconds
_TOLD = ("send", "fill", "repair")
_LONGEST_PAUSE = 60.0
_WIRE = re.compile(rb"^Total bytes (?:sent|received): ([0-9]{1,18})$", re.MULTILINE)
_FILES = re.compile(rb"^Number of regular files transferred: ([0-9]{1,18})$", re.MULTILINE)
_BYTES = re.compile(rb"^Total transferred file size: ([0-9]{1,18}) bytes$", re.MULTILINE)


class Moved(t.NamedTuple):
    """What an operation sent or fetched: files, and their bytes."""

    files: int
    bytes: int

    def plus(self, files: int, size: int) -> Moved:
        return Moved(self.files + files, self.bytes + size)


class Done(t.NamedTuple):
    """What an operation did. ``items`` only where it asks for them; ``notes`` are rsync's other words."""

    moved: Moved
    items: list[Item]
    notes: bytes


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


def _nobody(_files: int, _bytes: int) -> None:
    """Nobody watches."""


class _Call(t.NamedTuple):
    operation: str
    folder: str
    argv: list[Argument]


class Rsync:
    """Does operations on one mirror. Error ``mirror_failed`` says why, and if it may pass (``transient``).

    ``work`` is a folder for lists of names; ``transferred`` counts bytes on the wire, failed tries included.
    """

    def __init__(self, mirror: Mirror, access: Access, work: str, tell: Tell | None = None) -> None:
        self.mirror = mirror
        self.access = access
        self.work = os.path.abspath(work)
        self.tell = tell or _nobody
        self.transferred = 0
        self._moved = Moved(0, 0)  # by the operations before this one

    def __call__(
        self,
        operation: str,
        folder: str,
        names: t.Iterable[bytes] | None = None,
        *,
        size: int | None = None,
        files: int | None = None,
        ended: t.Callable[[], bool] = bool,
    ) -> Done:
        """Do ``operation`` between ``folder`` here and the mirror, with ``names`` alone if they are given.

        ``size`` and ``files`` bound what comes. ``ended`` is asked whether to stop.
        """
        folder = os.path.abspath(folder)
        with self._listed(operation, names) as listed:
            if listed is not None and not listed:
                return Done(Moved(0, 0), [], b"")
            call = _Call(operation, folder, command(self.mirror, self.access, operation, folder, listed))
            limits = Limits(time.monotonic() + self.access.timeout, size, files, ended)
            for attempt in itertools.count():
                try:
                    return self._once(call, limits)
                except DistrogateError as error:
                    pause = min(_LONGEST_PAUSE, 2.0**attempt) * random.uniform(0.75, 1.25)
                    last = attempt >= self.access.retries or time.monotonic() + pause > limits.until
                    if last or not error.details.get("transient") or ended():
                        raise
                    _sleep(pause)
        raise AssertionError("a loop without end ended")

    def stream(self, operation: str, folder: str) -> t.Iterator[Item]:
        """The items of an operation as they come, in bounded memory; not tried again."""
        self.check_root()
        call = _Call(operation, folder, command(self.mirror, self.access, operation, folder, None))
        process = self._process(call, Limits(time.monotonic() + self.access.timeout))
        with contextlib.closing(t.cast("t.Generator[bytes, None, None]", iter(process))) as lines:
            try:
                for line in lines:
                    item = parse_item(line)
                    if item is not None:
                        yield item
            except ProcessEndedError as error:
                raise failed(self.mirror.address, str(error)) from error
        self._judge(process, pull=True)

    def check_root(self) -> None:
        """A local mirror's folder must be there: rsync would make it, perhaps below an absent mount."""
        if self.mirror.kind == "local" and not os.path.isdir(self.mirror.address):
            raise failed(self.mirror.address, "there is no such folder; make it, or mount it")

    @contextlib.contextmanager
    def _listed(
        self, operation: str, names: t.Iterable[bytes] | None
    ) -> t.Iterator[str | list[bytes] | None]:
        self.check_root()
        if names is None:
            yield None
            return
        names = list(names)
        if not OPERATIONS[operation].pull and len(names) == len(next(batches(names), [])):
            # rsync reads a list of names with two system calls for each byte of it.
            yield names
            return
        with tempfile.NamedTemporaryFile(dir=self.work) as stream:
            # "./" because rsync takes a name that begins with # or ; for a comment.
            stream.writelines(b"./" + name + b"\0" for name in names)
            stream.flush()
            yield stream.name if stream.tell() else ""

    def _process(self, call: _Call, limits: Limits) -> Process:
        environment = self.access.environment(self.mirror)
        return Process(call.argv, call.folder, environment, self.access.pass_fds, limits)

    def _once(self, call: _Call, limits: Limits) -> Done:
        process = self._process(call, limits)
        items: list[Item] = []
        told, before = call.operation in _TOLD, self._moved
        with contextlib.closing(t.cast("t.Generator[bytes, None, None]", iter(process))) as lines:
            try:
                if OPERATIONS[call.operation].items:
                    items = [item for item in map(parse_item, lines) if item is not None]
                else:
                    self._watch(process, lines, told)
            except ProcessEndedError as error:
                raise failed(self.mirror.address, str(error), large=process.excess) from error
        self._judge(process, OPERATIONS[call.operation].pull)
        moved = Moved(_number(_FILES, process.output), _number(_BYTES, process.output))
        if told:
            self._moved = before.plus(*moved)
            self.tell(*self._moved)
        return Done(moved, items, process.output + process.complaints)

    def _watch(self, process: Process, lines: t.Iterable[bytes], told: bool) -> None:
        due, size, before = 0.0, process.limits.size, self._moved
        for line in lines:
            if size is None and (not told or time.monotonic() < due):
                continue
            progress = parse_progress(line)
            if progress is None:
                continue
            if size is not None and (progress[1] > size or progress[0] > (process.limits.files or size)):
                process.excess = True
                raise ProcessEndedError(f"it sends more than {size} bytes, or too many files")
            if told:
                due = time.monotonic() + _TELL_EVERY
                self._moved = before.plus(*progress)
                self.tell(*self._moved)

    def _judge(self, process: Process, pull: bool) -> None:
        self.transferred += sum(int(number) for number in _WIRE.findall(process.output))
        if process.status and not (pull and only_absent(process.status, process.complaints)):
            raise failure(self.mirror.address, process.status, process.complaints)


def _number(pattern: re.Pattern[bytes], output: bytes) -> int:
    match = pattern.search(output)
    return int(match.group(1)) if match else 0
