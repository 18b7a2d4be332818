# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Release file of a suite (wiki.debian.org/DebianRepository/Format#A.22Release.22_files)."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Json, Written

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # never in the locale's language
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _date(moment: int) -> str:
    at = time.gmtime(moment)
    return time.strftime(f"{_DAYS[at.tm_wday]}, %d {_MONTHS[at.tm_mon - 1]} %Y %H:%M:%S UTC", at)


def release_file(
    suite: str, settings: Json, moment: int, until: int, written: t.Mapping[str, Written]
) -> bytes:
    """The text; ``suite`` is empty in the flat repository ``./``, ``until`` 0 where the suite never expires.

    The text of an index is named by its digest too, for apt compares it after
    unpacking, but lies nowhere, as in Debian's own archive.
    """
    fields = [
        ("Origin", settings["origin"]),
        ("Label", settings["label"]),
        ("Suite", suite),
        ("Codename", suite),
        ("Date", _date(moment)),
        ("Valid-Until", _date(until) if until else ""),
        ("Acquire-By-Hash", "yes"),
        ("Architectures", " ".join(settings["architectures"])),
        ("Components", " ".join(settings["components"])),
    ]
    lines = [f"{name}: {value}" for name, value in fields if value]
    listing = []
    for name in sorted(written):
        one = written[name]
        listing.append(f" {one.sha256} {one.size} {name}")
        listing.extend(f" {digest} {size} {name}{suffix}" for suffix, (size, digest) in one.packed.items())
    return ("\n".join([*lines, "SHA256:", *listing]) + "\n").encode("utf-8")
