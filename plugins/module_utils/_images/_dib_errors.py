# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which script of which element failed, and what it said last: diskimage-builder itself says neither."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace

_SIZE = 1 << 20  # bytes of the log that are looked at
_LINES = 20
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \| ?")
_RUNNING = re.compile(r"dib-run-parts Running \S*/([a-z-]+)\.d/([0-9A-Za-z_-]+)$")
_COMPLETED = re.compile(r"dib-run-parts ([0-9A-Za-z_-]+) completed$")
# How the tidying up begins, which says a lot and nothing of what went wrong.
_TIDYING = re.compile(
    r"^(Unmount /|umount: |rm: cannot remove|\*\*\* \S+ is not a directory|.*State already cleaned)"
)


def explained(error: DistrogateError, place: BuildPlace, elements: dict[str, str]) -> DistrogateError:
    """The error for a person: ``element_failed`` when it was a script of an element."""
    if error.reason != "command_failed":
        return error
    lines = lines_of(place.log, _SIZE)
    begin, phase, script = running(lines)
    said = "\n".join(_said(lines[begin:]))
    if not script:
        return DistrogateError(
            "command_failed",
            f"disk-image-create could not build {place.name}. The last lines of {place.log}:\n{said}",
            log=place.log,
        )
    element = owner(phase, script, elements)
    whose = f"of the element {element}" if element else "of no known element"
    return DistrogateError(
        "element_failed",
        f"The script {phase}.d/{script} {whose} failed, so {place.name} was not built. The last lines of"
        f" {place.log} before that:\n{said}",
        element=element,
        script=f"{phase}.d/{script}",
        log=place.log,
    )


def lines_of(log: str, size: int) -> list[str]:
    """The last lines of a log, without their stamps."""
    text = _command.tail_of(log, 0, size).decode("utf-8", "replace")
    return [_STAMP.sub("", line.rstrip()) for line in text.splitlines()]


def running(lines: t.Sequence[str]) -> tuple[int, str, str]:
    """Where the script that was running last began, its phase and name; no name if none was running."""
    found = (0, "", "")
    for number, line in enumerate(lines):
        match = _RUNNING.search(line)
        if match:
            found = (number, match[1], match[2])
        elif found[2]:
            ended = _COMPLETED.search(line)
            if ended and ended[1] == found[2]:
                found = (number, "", "")
    return found


def _said(lines: t.Sequence[str]) -> list[str]:
    """The last lines before the tidying up, without the shell's traces."""
    kept: list[str] = []
    for line in lines:
        if _TIDYING.match(line):
            break
        kept.append(line)
    without = [line for line in kept if not line.startswith("+")]
    return (without or kept or list(lines))[-_LINES:]


def owner(phase: str, script: str, elements: dict[str, str]) -> str:
    """The element that has this script; empty when none has."""
    for name, path in elements.items():
        if os.path.lexists(os.path.join(path, f"{phase}.d", script)):
            return name
    return ""
