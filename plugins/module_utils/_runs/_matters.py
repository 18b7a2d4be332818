# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few lines of a log that say why something failed: the first error, not the last line.

A log ends with what tools say because another tool failed. What a person needs stands before: the
compiler's line, the exception, what a package's script printed. It is looked for in the last command of
the log, since what commands before it complained of was no reason to stop.
"""

from __future__ import annotations

import contextlib
import os
import stat

from ansible_collections.distrogate.ci.plugins.module_utils._runs._masks import Masks
from ansible_collections.distrogate.ci.plugins.module_utils._runs._matters_words import (
    CAUSES,
    CONSEQUENCES,
    HARMLESS,
    NOISE,
    STEP,
    WEAK,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._plain import plain_line

LIMIT = 20
_TAIL = 512 << 10  # so many bytes of the end are looked at
_NEAR = 300  # lines before the first consequence, in which its cause is looked for first
_BEFORE = 2  # lines before a cause, for who reads it
_TRACEBACK = "Traceback (most recent call last):"


def lines_that_matter(path: str, limit: int = LIMIT) -> list[str]:
    """The lines of a log file that matter; none when it cannot be read, or is no plain file."""
    with contextlib.suppress(OSError, ValueError):
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with open(os.open(path, flags), "rb") as stream:
            facts = os.fstat(stream.fileno())
            if not stat.S_ISREG(facts.st_mode):
                return []
            stream.seek(max(0, facts.st_size - _TAIL))
            data = stream.read(_TAIL)
        # They stand on the screen, and so in the log of whoever runs us: more people read that one.
        lines = Masks().text(data.decode("utf-8", "replace")).split("\n")
        # Where we began in the midst of a line, its rest is none; unless it is all there is.
        return matters(lines[1:] if facts.st_size > _TAIL and len(lines) > 2 else lines, limit)
    return []


def matters(lines: list[str], limit: int = LIMIT) -> list[str]:
    """The lines that matter, at most ``limit``, in their order; ``[…]`` stands where lines are left out."""
    if limit < 1:
        return []
    shown = _last_step([plain_line(line) for line in lines])
    chosen = _chosen(shown, limit)
    found: list[str] = []
    last = -1
    for index in chosen:
        if last >= 0 and any(not NOISE.match(line) for line in shown[last + 1 : index]):
            found.append("[…]")
        found.append(shown[index])
        last = index
    if len(found) > limit:  # the marks of what is left out are the first to go
        found = [line for line in found if line != "[…]"][:limit]
    if len(found) == 1 and STEP.match(found[0]) and limit > 1:
        found.append("[it printed nothing]")
    return found


def _last_step(lines: list[str]) -> list[str]:
    """What the last command printed, and its name."""
    for index in range(len(lines) - 1, -1, -1):
        if STEP.match(lines[index]):
            return lines[index:]
    return lines


def _chosen(lines: list[str], limit: int) -> list[int]:
    """The numbers of the lines to show."""
    told = [index for index, line in enumerate(lines) if not NOISE.match(line)]
    after = [index for index in told if CONSEQUENCES.match(lines[index])]
    first = after[0] if after else len(lines)
    causes = _causes(lines, [index for index in told if index <= first], after)
    if not causes:
        # Nobody said why: what stands before the first to complain, or at the end.
        end = told.index(first) + 1 if after else len(told)
        kept = told[:1] if told and STEP.match(lines[told[0]]) else []
        room = limit - 2 * len(kept) - 2 * len(after[1:2])  # each with its mark
        picked = {*kept, *told[max(0, end - max(1, room)) : end]}
        return sorted(picked | set(after[-1:]))[:limit]
    picked = set()
    for number, cause in enumerate(causes):
        room = limit - len(picked) - (1 if after else 0)
        if room <= 0:
            break
        picked.update(_block(lines, told, cause, room, _BEFORE if number == 0 else 0))
    return sorted(picked | ({after[-1]} if after and limit > 1 else set()))


def _causes(lines: list[str], told: list[int], after: list[int]) -> list[int]:
    """Where it is said what went wrong: near the first consequence, else anywhere, else in weak words."""
    begin = after[0] - _NEAR if after else 0
    for words, start in ((CAUSES, begin), (CAUSES, 0), (WEAK, begin), (WEAK, 0)):
        found = [
            index
            for index in told
            if start <= index
            and words.match(lines[index])
            and not STEP.match(lines[index])
            and not HARMLESS.match(lines[index])
            and not CONSEQUENCES.match(lines[index])
        ]
        if found:
            return found
    return []


def _block(lines: list[str], told: list[int], cause: int, room: int, before: int) -> list[int]:
    """A cause with what belongs to it: the lines of its traceback or its drawing, and a little before."""
    place = told.index(cause)
    end = place + 1
    while end < len(told) and lines[told[end]].startswith((" ", "\t")):
        end += 1
    if lines[cause].strip() == _TRACEBACK:
        block = told[place : end + 1]  # with the exception
        return block if len(block) <= room else [cause, *block[len(block) - room + 1 :]][:room]
    block = told[place : min(end, place + 5)]
    block = block[:room]
    begin = max(0, place - min(before, room - len(block)))
    return told[begin:place] + block
