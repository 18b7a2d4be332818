# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Thirty packages that give apt something to decide: versions, epochs, alternatives, conflicts."""

from __future__ import annotations

import pathlib

from ansible_collections.distrogate.ci.tests.unit.packages.helpers import deb

_CHAIN = 12  # packages of which each depends on the next one, in one version only

# Name, version, architecture, further fields. Versions of one name are in no order.
_CHOSEN = [
    ("app", "1:0.5-1", "amd64", "Depends: libx (>= 2), libx-data (>= 2.0-1), mta (>= 2)"),
    ("app", "9.0-1", "amd64", "Depends: libx (<< 1)"),
    ("libx", "2.0~rc1-1", "amd64", ""),
    ("libx", "2.0-1", "amd64", "Multi-Arch: same\nReplaces: old-libx (<< 2)\nBreaks: old-libx (<< 2)"),
    ("libx", "1.10-1", "amd64", ""),
    ("libx-data", "2.0-1", "all", "Multi-Arch: foreign"),
    ("libx-data", "2.0+b1", "all", ""),
    ("old-libx", "1.0-1", "amd64", ""),
    ("one-mta", "1.0-1", "amd64", "Provides: mta (= 1.0)\nConflicts: mta"),
    ("two-mta", "1.0-1", "amd64", "Provides: mta (= 2.0)\nConflicts: mta"),
    ("mixed", "1.0-1", "all", ""),
    ("mixed", "1.0-2", "amd64", "Pre-Depends: libx"),
    ("chooser", "0~1", "all", "Depends: missing | no-such (>= 1) | one-mta, libx (>> 2.0~)"),
    ("broken", "1.0-1", "all", "Depends: libx (>= 3)"),
    ("epochs", "10:1.0-1", "all", "Source: many (1.0)"),
    ("epochs", "9:99.0-1", "all", ""),
    ("tools++", "1.0.0+dfsg.1-1~bpo12+1", "all", "Depends: mixed (= 1.0-2), epochs (>= 10:1.0)"),
    ("recommends", "1-1", "all", "Recommends: tools++\nSuggests: broken\nEnhances: app"),
]

# What is installed, each by itself.
WANTED = (
    "app",
    "old-libx",
    "two-mta",
    "mixed",
    "chooser",
    "broken",
    "tools++",
    "recommends",
    "chain-00",
    "libx=1.10-1",
)


def packages() -> list[tuple[str, str, str, str]]:
    chain = [
        (f"chain-{number:02}", f"{number}.0", "all" if number % 3 else "amd64", f"Depends: {_next(number)}")
        for number in range(_CHAIN)
    ]
    return [*_CHOSEN, *chain]


def _next(number: int) -> str:
    return f"chain-{number + 1:02} (= {number + 1}.0)" if number + 1 < _CHAIN else "libx (>= 2.0)"


def write_debs(folder: pathlib.Path) -> list[pathlib.Path]:
    """The files, named as in Debian."""
    folder.mkdir()
    paths = []
    for name, version, architecture, more in packages():
        path = folder / f"{name}_{version.rpartition(':')[2]}_{architecture}.deb"
        fields = f"{more}\n" if more else ""
        control = (
            f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: T\n"
            f"Installed-Size: 9\n{fields}Section: net\nPriority: optional\nHomepage: https://example.org/{name}\n"
            f"Description: {name} of a test\n It has a long text.\n .\n In two paragraphs.\n"
        )
        path.write_bytes(deb(control, body=f"{name} {version}".encode()))
        paths.append(path)
    return paths
