# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a log of strace(1), made with ``-f -y``: which call, on which paths, did it succeed."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

_WHOLE = re.compile(r"^(?P<process>[0-9]+) +(?P<call>[a-z0-9_]+)\((?P<rest>.*)\) += (?P<result>-?[0-9]+|\?)")
_BEGUN = re.compile(r"^([0-9]+) +(.*) <unfinished \.\.\.>$")
_ENDED = re.compile(r"^([0-9]+) +<\.\.\. [a-z0-9_]+ resumed>(.*)$")
_DESCRIPTOR = re.compile(r"(?:^|, )[0-9]+<(/[^>]*?)(?: \(deleted\))?>")
_NAMED = re.compile(r"(?:(?:AT_FDCWD|[0-9]+)<([^>]*)>, )?\"((?:[^\"\\]|\\.)*)\"")


@dataclasses.dataclass(frozen=True)
class Call:
    """One call that succeeded. ``files`` are the paths of open files, ``names`` those that it names."""

    line: int
    name: str
    rest: str

    @property
    def files(self) -> list[str]:
        return [os.path.normpath(path) for path in _DESCRIPTOR.findall(self.rest)]

    @property
    def names(self) -> list[str]:
        return [os.path.normpath(os.path.join(*found)) for found in _NAMED.findall(self.rest)]


def successful(log: str) -> t.Iterator[Call]:
    """The calls of all processes, in the order in which they ended."""
    begun: dict[str, str] = {}
    for number, line in enumerate(log.splitlines(), 1):
        whole = line
        if match := _BEGUN.match(line):
            begun[match[1]] = match[2]
            continue
        if match := _ENDED.match(line):
            whole = f"{match[1]} {begun.pop(match[1], '')}{match[2]}"
        if (match := _WHOLE.match(whole)) and not match["result"].startswith(("-", "?")):
            yield Call(number, match["call"], match["rest"])
