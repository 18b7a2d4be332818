# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects a machine's logs, on that machine: bounded in bytes, files and time; no links, nothing binary."""

from __future__ import annotations

import base64
import collections
import json
import os
import re
import select
import shutil
import stat
import subprocess
import time
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import base_environment, end_group

_LOOKED_AT = 20000  # files and folders
_MOST = 200
_JOURNALS = ("/run/log/journal", "/var/log/journal")
_MAGIC = re.compile(r"[*?]")

Collected = list[dict[str, t.Any]]


class Collector:
    """What is taken of one machine; ``ago`` is how many seconds ago the test began, by whichever clock."""

    def __init__(self, ago: float, file_bytes: int, total_bytes: int, timeout: float) -> None:
        self.taken: Collected = []
        self.left_out: list[dict[str, str]] = []
        self._since = time.time() - ago
        self._each, self._left = file_bytes, total_bytes
        self._deadline = time.monotonic() + timeout

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._deadline

    def journal(self) -> None:
        """What the journal has since the test began: its end, when it is long."""
        if not shutil.which("journalctl") or not any(os.path.isdir(path) for path in _JOURNALS):
            return
        argv = ["journalctl", "--no-pager", "--quiet", "--output=short-iso", f"--since=@{int(self._since)}"]
        data, size = _end_of(argv, min(4 * self._each, self._left), self._deadline)
        if size:
            self._take("journal", "log", data, size)

    def logs(self, patterns: t.Sequence[str]) -> None:
        """Files that changed since the test began, the newest first."""
        found = [item for item in self._matching(patterns) if item[0] >= self._since]
        for _moment, path in sorted(found, reverse=True):
            self._file(path, "log", self._each)

    def results(self, patterns: t.Sequence[str], limit: int) -> None:
        """Result files, each whole or not at all."""
        for _moment, path in sorted(self._matching(patterns), key=lambda item: item[1]):
            self._file(path, "results", limit)

    def packed(self) -> str:
        """All of it in one line of letters."""
        value = {"files": self.taken, "left_out": self.left_out[:_MOST]}
        return base64.b64encode(zlib.compress(json.dumps(value).encode(), 6)).decode()

    def _matching(self, patterns: t.Sequence[str]) -> t.Iterator[tuple[float, str]]:
        left = [_LOOKED_AT]
        seen = set()
        for pattern in patterns:
            wanted = _regex(pattern)
            for path, status in _walk(_base(pattern), left):
                if self.over:
                    return
                if wanted.fullmatch(path) and path not in seen:
                    seen.add(path)
                    yield status.st_mtime, path

    def _file(self, path: str, kind: str, limit: int) -> None:
        if len(self.taken) >= _MOST or self._left <= 0 or self.over:
            self._skip(path, "the machine has more than is taken")
            return
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            self._skip(path, error.strerror or "cannot be opened")
            return
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            whole = kind == "results"
            if not stat.S_ISREG(status.st_mode) or (whole and status.st_size > min(limit, self._left)):
                self._skip(path, "too large" if whole else "not a regular file")
                return
            room = min(limit, self._left)
            stream.seek(max(0, status.st_size - room))
            data = stream.read(room)
        if not whole and b"\0" in data[:8192]:
            self._skip(path, "binary")
        elif data:
            self._take(path, kind, data, status.st_size)

    def _skip(self, path: str, reason: str) -> None:
        if len(self.left_out) < _MOST:
            self.left_out.append({"path": path.encode("utf-8", "replace").decode(), "reason": reason})

    def _take(self, name: str, kind: str, data: bytes, size: int) -> None:
        self._left -= len(data)
        text = base64.b64encode(data).decode()
        shown = name.encode("utf-8", "replace").decode()
        self.taken.append({"name": shown, "kind": kind, "size": size, "data": text})


def _base(pattern: str) -> str:
    """The folder above the first part with a sign that stands for others."""
    parts = pattern.split("/")
    plain = [part for number, part in enumerate(parts) if not _MAGIC.search("/".join(parts[: number + 1]))]
    path = "/".join(plain)
    return os.path.dirname(path) if path == pattern else path or "/"


def _regex(pattern: str) -> re.Pattern[str]:
    signs = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(signs.get(part) or re.escape(part) for part in re.split(r"(\*\*|\*|\?)", pattern)), re.DOTALL
    )


def _walk(folder: str, left: list[int]) -> t.Iterator[tuple[str, os.stat_result]]:
    """Regular files below a folder, as long as there are any ``left`` to look at."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        left[0] -= 1
        if left[0] < 0:
            return
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(entry.path, left)
        elif stat.S_ISREG(status.st_mode):
            yield entry.path, status


def _end_of(argv: list[str], limit: int, deadline: float) -> tuple[bytes, int]:
    """The last ``limit`` bytes that a program prints until the deadline, and how many there were."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=base_environment(),
        start_new_session=True,
    )
    blocks: collections.deque[bytes] = collections.deque()
    kept = size = 0
    try:
        output = process.stdout.fileno() if process.stdout else -1
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([output], [], [], left)[0]:
                break
            block = os.read(output, 65536)
            if not block:
                break
            blocks.append(block)
            kept, size = kept + len(block), size + len(block)
            while blocks and kept - len(blocks[0]) >= limit:
                kept -= len(blocks.popleft())
    finally:
        end_group(process)
        if process.stdout:
            process.stdout.close()
    return b"".join(blocks)[-limit:] if limit > 0 else b"", size
