# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Letting a library read strangers' files in a process of its own: it may crash, grow, or never end."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import struct
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_BUFFER = 1 << 18  # bytes that are sent at once
_LENGTH = struct.Struct(">Q")

Work = t.Callable[[str], t.Any]
Died = t.Callable[[str, str], DistrogateError]


def isolated(
    work: Work, items: t.Sequence[str], died: Died, *, memory: int, seconds: int
) -> t.Iterator[t.Any]:
    """The results of ``work``, as JSON gives them back, of each of ``items``, in a child process.

    The child may take ``memory`` bytes more than this process has, and ``seconds``
    of processor time for each item. An error that ``work`` raises is raised here;
    so is ``died(item, why)`` for the item at which the child came to an end.
    """
    done = 0
    for result in _results(work, items, memory, seconds):
        if isinstance(result, str):
            break
        yield result["result"]
        done += 1
    # What the child had not sent is read again, one by one, until the culprit is found.
    for item in items[done:]:
        for result in _results(work, [item], memory, seconds):
            if isinstance(result, str):
                raise died(item, result)
            yield result["result"]


def _results(
    work: Work, items: t.Sequence[str], memory: int, seconds: int
) -> t.Iterator[dict[str, t.Any] | str]:
    """Answers of one child; if it dies, the last one is the reason."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(work, items, (reading, writing), memory, seconds)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb", buffering=_BUFFER) as stream:
            for _item in items:
                answer = _answer(stream)
                if answer is None:
                    break
                if "error" in answer:
                    reason, message, details = answer["error"]
                    raise DistrogateError(reason, message, **details)
                yield answer
        status = os.waitpid(child, 0)[1]
        child = 0
        if status:
            yield _why(status)
    finally:
        if child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, 9)
            os.waitpid(child, 0)


def _answer(stream: t.BinaryIO) -> dict[str, t.Any] | None:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    data = stream.read(size)
    return dict(json.loads(data)) if len(data) == size else None


def _in_child(
    work: Work, items: t.Sequence[str], pipe: tuple[int, int], memory: int, seconds: int
) -> t.NoReturn:
    """Answer for each item; whatever happens, this process ends here."""
    try:
        os.close(pipe[0])
        quiet = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):  # a library's words are not the module's result
            os.dup2(quiet, number)
        _limit(resource.RLIMIT_AS, _pages() + memory)
        _limit(resource.RLIMIT_CORE, 0)
        with os.fdopen(pipe[1], "wb", buffering=_BUFFER) as stream:
            for item in items:
                _limit(resource.RLIMIT_CPU, int(sum(os.times()[:2])) + seconds + 1)
                data = json.dumps(_try(work, item)).encode()
                stream.write(_LENGTH.pack(len(data)) + data)
    except BaseException:  # noqa: BLE001 -- the parent says what it means
        os._exit(1)
    os._exit(0)


def _try(work: Work, item: str) -> dict[str, t.Any]:
    try:
        return {"result": work(item)}
    except DistrogateError as error:
        return {"error": [error.reason, error.message, error.details]}


def _limit(which: int, value: int) -> None:
    _soft, hard = resource.getrlimit(which)
    resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _pages() -> int:
    """Bytes of address space that this process has."""
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[0]) * resource.getpagesize()


def _why(status: int) -> str:
    """What a wait status says of the end of a child."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "it takes too long to read" if number in (9, 24) else f"reading it crashes (signal {number})"
    return "reading it takes too much memory, or fails"
