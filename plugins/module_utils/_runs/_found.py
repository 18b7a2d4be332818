# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what a run left in a folder; links, pipes and devices are named and never opened."""

from __future__ import annotations

import dataclasses
import os
import re
import stat

MOST = 2000  # files
_DEPTH = 6
_SIGNS = re.compile(r"[^A-Za-z0-9._@+-]")


@dataclasses.dataclass
class Found:
    """A regular file, by its name below the folder (``parts``)."""

    parts: tuple[str, ...]
    size: int

    @property
    def name(self) -> str:
        """A name that is safe in an archive, a page and a shell."""
        return "/".join(safe_name(part) for part in self.parts)


def safe_name(name: str) -> str:
    """A file's name of harmless letters, never empty, hidden or ``..``."""
    text = _SIGNS.sub("_", name)[-120:]
    return "_" + text[1:] if text[:1] in (".", "-", "") else text


def find(folder: str, left_out: list[dict[str, str]]) -> list[Found]:
    """The files in a folder of a run, by name; what is none goes to ``left_out`` with a reason."""
    found: list[Found] = []
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return found
    except OSError as error:
        left_out.append({"path": os.path.basename(folder), "reason": f"not a folder: {error.strerror}"})
        return found
    try:
        _walk(descriptor, (os.path.basename(folder),), found, left_out)
    finally:
        os.close(descriptor)
    return found


def _walk(folder: int, parts: tuple[str, ...], found: list[Found], left_out: list[dict[str, str]]) -> None:
    for name in sorted(os.listdir(folder)):
        here = (*parts, name)
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode):
            reason = "" if len(found) < MOST else f"one of more than {MOST} files"
            if not reason:
                found.append(Found(here, status.st_size))
        elif stat.S_ISDIR(status.st_mode):
            reason = "" if len(here) < _DEPTH else "too deep"
            if not reason:
                inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                try:
                    _walk(inner, here, found, left_out)
                finally:
                    os.close(inner)
        else:
            reason = "a link" if stat.S_ISLNK(status.st_mode) else "not a regular file"
        if reason and len(left_out) < MOST:
            left_out.append({"path": "/".join(safe_name(part) for part in here), "reason": reason})


def open_found(root: str, file: Found) -> int:
    """Open a file that was found, unless somebody put a link or a pipe in its place."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in file.parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(file.parts[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(22, "it is not a regular file any more", file.name)
    return descriptor
