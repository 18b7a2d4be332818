# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the console of a machine says: made readable, kept within bounds, and searched for its end.

Everything here is a stranger's: control characters, lines without an end, gigabytes.
"""

from __future__ import annotations

import collections
import os
import re
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

# What no machine says that came up well; regular expressions for one line.
FAIL_ON = (
    r"Kernel panic - not syncing",
    r"BUG: unable to handle",
    r"(Oops|general protection fault)[:,] .*\[#\d+\]",
    r"Unable to mount root fs",
    r"[Ee]ntering emergency mode",
    r"You are in (emergency|rescue) mode",
    r"Give root password for maintenance",
    r"^\(initramfs\) ?$",
    r"^(grub|grub rescue)> ?$",
    r"No bootable device",
)
_PROMPT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]* )?login: ?")
_LINE = 4096  # characters; a longer line is taken for several
_HEAD, _TAIL = 4 << 20, 256 << 10  # characters of the log's beginning and end
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, places
    r"|\x1b[\]P^_X][^\x07\x1b]*(\x07|\x1b\\|$)"  # titles and the like
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


def readable(data: bytes) -> str:
    """One line without what a terminal would obey."""
    return _CONTROL.sub("", data.decode("utf-8", "replace")).replace("\t", " ").rstrip()


def pattern(texts: t.Iterable[str]) -> re.Pattern[str]:
    """Regular expressions as one. Error ``bad_pattern``."""
    for text in texts:
        try:
            re.compile(text)
        except re.error as error:
            raise DistrogateError("bad_pattern", f"{text!r} is no regular expression: {error}.") from error
    return re.compile("|".join(f"(?:{text})" for text in texts) or r"(?!)")


class Log:
    """A file that keeps the beginning and the end of what is written, whatever lies between."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._room = _HEAD
        self._end: collections.deque[str] = collections.deque()
        self._kept = self._left_out = 0
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        with self._lock:
            size = len(line) + 1
            if self._room >= size:
                self._room -= size
                self._put([line])
                return
            self._room = 0
            self._end.append(line)
            self._kept += size
            while self._kept > _TAIL:
                gone = len(self._end.popleft()) + 1
                self._kept -= gone
                self._left_out += gone

    def close(self) -> None:
        with self._lock:
            note = [f"… {self._left_out} characters are left out here …"] if self._left_out else []
            self._put([*note, *self._end])
            os.close(self._file)

    def _put(self, lines: list[str]) -> None:
        data = "".join(line + "\n" for line in lines).encode("utf-8", "replace")
        while data:
            data = data[os.write(self._file, data) :]


class Console:
    """Takes what a machine prints, in one thread, and lets another one wait for what it says."""

    def __init__(self, log: Log, wait_for: str = "", fail_on: t.Sequence[str] = FAIL_ON) -> None:
        self.log = log
        self.changed = threading.Condition()
        self.received = 0  # bytes
        self.found = self.bad = ""  # lines
        self.prompted = self.ended = False
        self.heard = time.monotonic()
        self._wanted = pattern([wait_for]) if wait_for else None
        self._fail_on = pattern(fail_on)
        self._partial = b""
        self._partial_begin = 0
        self._last: collections.deque[str] = collections.deque(maxlen=20)

    def feed(self, data: bytes) -> None:
        """What the machine printed."""
        with self.changed:
            self.heard = time.monotonic()
            self.received += len(data)
            pieces = re.split(rb"[\r\n]", self._partial + data)
            self._partial = pieces.pop()
            if pieces:
                self._partial_begin = self.received - len(self._partial)
            for piece in pieces:
                for begin in range(0, len(piece), _LINE):
                    self._line(piece[begin : begin + _LINE])
            while len(self._partial) > _LINE:
                self._line(self._partial[:_LINE])
                self._partial = self._partial[_LINE:]
            self._look(readable(self._partial))
            if self.found or self.bad:
                self.changed.notify_all()

    def end(self) -> None:
        """The machine ended."""
        with self.changed:
            self._line(self._partial)
            self._partial = b""
            self.ended = True
            self.changed.notify_all()

    def _line(self, data: bytes) -> None:
        text = readable(data)
        if text:
            self.log.write(text)
            self._last.append(text)
            self._look(text)

    def _look(self, text: str) -> None:
        if not text:
            return
        if not self.bad and self._fail_on.search(text):
            self.bad = text
        self.prompted = self.prompted or _PROMPT.match(text) is not None
        if self._wanted is not None and not self.found and self._wanted.search(text):
            self.found = text

    def prompt(self, after: int) -> str:
        """The login prompt at which the machine waits now, if it printed it later than ``after``."""
        text = readable(self._partial)
        return text if self._partial_begin > after and _PROMPT.fullmatch(text) else ""

    def last(self, lines: int = 20, whole: bool = False) -> list[str]:
        """The last lines, with the one that has no end yet unless they are to be ``whole``."""
        with self.changed:
            found = [*self._last, "" if whole else readable(self._partial)]
        return [line for line in found if line][-lines:]
