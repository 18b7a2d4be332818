# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times as statements have them: RFC 3339 in UTC."""

from __future__ import annotations

import datetime
import re
import typing as t

_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?Z")


def seconds_of(text: t.Any) -> float | None:
    """Seconds since the epoch; None for what is no RFC 3339 time in UTC."""
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        whole = datetime.datetime.fromisoformat(f"{found.group(1)}+00:00").timestamp()
    except ValueError:  # the 31st of February
        return None
    return whole + float(f"0.{found.group(2) or 0}")


def duration(seconds: float) -> str:
    """A length of time for people, of at most two units."""
    left = max(0, round(seconds))
    said = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, left = divmod(left, length)
        if number:
            said.append(f"{number} {unit}")
    return " ".join(said[:2]) or "0 s"
