# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The date that an index file states of itself, to see whether a source went back in time."""

from __future__ import annotations

import datetime
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._repomd import read_repomd

_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".lower().split()
_DATE = re.compile(
    rb"^Date:[ \t]*(?:[A-Za-z]{3},[ \t]*)?([0-9]{1,2})[ \t]+([A-Za-z]{3})[ \t]+([0-9]{4})[ \t]+"
    rb"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?[ \t]+(?:UTC|GMT|UT|Z|([+-])([0-9]{2})([0-9]{2}))[ \t]*\r?$",
    re.MULTILINE | re.IGNORECASE,
)
_NUMBER = re.compile(r"([0-9]{1,12})(?:\.[0-9]{1,12})?")


def release_date(data: bytes) -> int | None:
    """Seconds since 1970 of the ``Date`` of a Release or InRelease file."""
    match = _DATE.search(data)
    if match is None or match[2].lower() not in _MONTHS:
        return None
    month = _MONTHS.index(match[2].lower()) + 1
    try:
        zone = datetime.timedelta(hours=int(match[8] or 0), minutes=int(match[9] or 0))
        moment = datetime.datetime(
            int(match[3]),
            month,
            int(match[1]),
            int(match[4]),
            int(match[5]),
            min(int(match[6] or 0), 59),  # a leap second
            tzinfo=datetime.timezone.utc,
        )
        return int(moment.timestamp() - zone.total_seconds() * (-1 if match[7] == b"-" else 1))
    except ValueError:
        return None


def repomd_date(data: bytes) -> int | None:
    """The greatest ``timestamp`` of a repomd.xml, else its ``revision`` if that is a number."""
    found = read_repomd(data)
    stamps = [number for one in found.data if (number := _number(one.timestamp)) is not None]
    return max(stamps) if stamps else _number(found.revision)


def _number(text: str) -> int | None:
    match = _NUMBER.fullmatch(text)
    return int(match[1]) if match else None


def date_of(path: bytes, data: bytes) -> int | None:
    """The date of an index file; None for those that state none."""
    name = path.rsplit(b"/", 1)[-1]
    if name in (b"InRelease", b"Release"):
        return release_date(data)
    return repomd_date(data) if name == b"repomd.xml" else None


def went_back(before: t.Mapping[bytes, bytes], after: t.Mapping[bytes, bytes]) -> list[bytes]:
    """The paths, sorted, of the files that are older than they were; both map paths to contents."""
    found = []
    for path in sorted(before.keys() & after.keys()):
        was, now = date_of(path, before[path]), date_of(path, after[path])
        if was is not None and now is not None and now < was:
            found.append(path)
    return found
