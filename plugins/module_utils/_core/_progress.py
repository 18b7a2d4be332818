# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a long module tells a person what it does: one record in a file, replaced as the work goes on.

A module cannot speak while it runs. It writes here, and its action plugin (``_long_action``) reads::

    with module_call(spec) as call:
        with Progress(call.params["progress_file"], call.module.no_log_values) as progress:
            progress.say("staging on 3 mirrors")
            progress.say("sending to 3 mirrors", done=sent, total=size, unit="bytes")

It may be said as often as one likes, by any thread: the file is written at most twice a second.
While it is open, SIGTERM ends the module with all that it started (``_descendants``).
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import ended_with_descendants
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic

MARK = "distrogate_progress"
LIMIT = 4096  # bytes of a record: what a reader takes at most
_TEXT = 300
_APART = 0.5  # seconds


class Progress:
    """Says where the work stands, in the file ``path`` (option ``progress_file``); None says it to nobody.

    Values in ``hidden`` are never written. That nobody can be told is never a reason to fail: an error while
    writing ends the telling.
    """

    def __init__(self, path: str | None, hidden: t.Iterable[str] = ()) -> None:
        self._path = path
        self._hidden = sorted((value for value in hidden if value), key=len, reverse=True)
        self._lock = threading.Lock()
        self._last: float | None = None
        self._waits: dict[str, t.Any] | None = None
        self._ending = ended_with_descendants()

    def __enter__(self) -> Progress:
        self._ending.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ending.__exit__(None, None, None)
        self.flush()

    def say(self, text: str, done: int | None = None, total: int | None = None, unit: str = "") -> None:
        """What is being done, and how much of it: a count, or with ``unit="bytes"`` a size."""
        if self._path is None:
            return
        record = {MARK: 1, "text": self._shown(text), "done": done, "total": total, "unit": unit}
        with self._lock:
            self._waits = record
            now = time.monotonic()
            if self._last is None or now - self._last >= _APART:
                self._last = now
                self._write()

    def flush(self) -> None:
        """Write what was said last, should it still wait."""
        with self._lock:
            self._write()

    def _shown(self, text: str) -> str:
        for value in self._hidden:
            text = text.replace(value, "********")
        return printable(text)

    def _write(self) -> None:
        record, self._waits = self._waits, None
        if record is None or self._path is None:
            return
        try:
            write_atomic(self._path, json.dumps(record) + "\n", mode=0o600, durable=False)
        except OSError:
            self._path = None


def printable(text: str) -> str:
    """One short line that no terminal obeys."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[: _TEXT + 1])
    return shown if len(shown) <= _TEXT else shown[: _TEXT - 1] + "…"


def read_record(line: str) -> dict[str, t.Any] | None:
    """A record from a host that is not trusted; None when it is none."""
    if MARK not in line or len(line) > LIMIT:
        return None
    with contextlib.suppress(ValueError, RecursionError):
        record = json.loads(line)
        if isinstance(record, dict) and MARK in record and isinstance(record.get("text"), str):
            return record
    return None


def sentence(record: dict[str, t.Any]) -> str:
    """A record as a person reads it: ``sending: 1.2 GiB of 3.4 GiB (35 %)``."""
    done, total = _number(record.get("done")), _number(record.get("total"))
    text = printable(record["text"])
    if done is None:
        return text
    shown = size if record.get("unit") == "bytes" else _count
    if not total:
        return f"{text}: {shown(done)}"
    return f"{text}: {shown(done)} of {shown(total)} ({100 * min(done, total) // total} %)"


def _number(value: t.Any) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63
    return value if known else None


def _count(number: int) -> str:
    return f"{number:,}"


def size(number: int) -> str:
    """A number of bytes, in three digits."""
    value, units = float(number), ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while value >= 1000 and len(units) > 1:
        value /= 1024
        units.pop(0)
    digits = 0 if units[0] == "bytes" or value >= 100 else 1
    return f"{value:.{digits}f} {units[0]}"
