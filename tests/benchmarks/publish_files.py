# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a publish leaves on the disk: the bytes of files that were not there before, and how many it lists."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

# What a reader needs: the package, the compressed indexes, and what names and signs them.
_FORCED = re.compile(
    r".*\.(deb|rpm)|Packages\.gz|Release|InRelease|Release\.gpg"
    r"|repomd\.xml|repomd\.xml\.asc|[0-9a-f]+-(primary|filelists|other)\.xml\.gz"
)
_LISTED = {"deb": rb"^Package: ", "rpm": rb"<package type="}
_PRIMARY = re.compile(r'href="(repodata/[^"/]*-primary\.xml\.gz)"')
Files = dict[tuple[int, int, int], list[str]]  # inode, time and size, so a file that is written again is new


def files(root: Path) -> Files:
    """Every file below a folder, with all its names."""
    found: Files = {}
    for folder, _folders, names in os.walk(root):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            found.setdefault((status.st_ino, status.st_mtime_ns, status.st_size), []).append(name)
    return found


def written(before: Files, after: Files) -> tuple[int, int]:
    """The bytes of new files: those that the repository's format forces, and those beside."""
    forced = beside = 0
    for identity in after.keys() - before.keys():
        if any(_FORCED.fullmatch(name) for name in after[identity]):
            forced += identity[2]
        else:
            beside += identity[2]
    return forced, beside


def listed(kind: str, root: Path, index: str) -> int:
    """How many packages the repository's index has."""
    if kind == "rpm":
        index = _PRIMARY.findall((root / index).read_text())[0]
    with gzip.open(root / index) as stream:
        return len(re.findall(_LISTED[kind], stream.read(), re.MULTILINE))
