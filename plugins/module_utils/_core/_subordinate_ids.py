# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ranges of subordinate ids in /etc/subuid and /etc/subgid (subuid(5))."""

from __future__ import annotations

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

COUNT = 65536
FIRST = 100000
LAST = 0xFFFFFFFD  # the two above stand for no id


def ranges(path: str) -> list[tuple[str, int, int]]:
    """(user, first, count) of each line; a missing file has none."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as stream:
        fields = [line.strip().split(":") for line in stream]
    return [(f[0], int(f[1]), int(f[2])) for f in fields if len(f) == 3 and f[1].isdigit() and f[2].isdigit()]


def has_range(path: str, user: str) -> bool:
    """Whether ``user`` has a range that is large enough for a root filesystem."""
    return any(name == user and count >= COUNT for name, _first, count in ranges(path))


def free_range(*paths: str) -> str:
    """The lowest range, as usermod(8) takes it, that no line of any of the files uses."""
    first = FIRST
    for _name, start, count in sorted((r for path in paths for r in ranges(path)), key=lambda r: r[1]):
        if start < first + COUNT and start + count > first:
            first = start + count
    if first + COUNT - 1 > LAST:
        raise DistrogateError("no_free_range", f"No {COUNT} ids in a row are free in {' and '.join(paths)}.")
    return f"{first}-{first + COUNT - 1}"
