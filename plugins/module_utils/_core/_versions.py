# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version is newer, as dpkg (Debian policy 5.6.12) and rpm (rpmvercmp) decide it.

A version becomes a tuple of texts that compare, character by character, as the
versions do. Every text of less than a million characters has one; all work is linear.
"""

from __future__ import annotations

import re

Key = tuple[str, str, str]  # epoch, version, revision or release

_END = "\x02"  # the end of a part: after "~", before all else
_ZERO = "\x02\x00"  # the number 0, which is what an empty text compares as
_DEB_PAIRS = re.compile(r"([^0-9]*)([0-9]*)")
# In policy's order "~" is first, then the end, then letters, then all else.
_DEB_ORDER = {code: chr(code + 0x100) for code in range(128) if not (48 <= code <= 57 or chr(code).isalpha())}
_DEB_ORDER[ord("~")] = "\x01"
_RPM_SEGMENTS = re.compile(r"[0-9]+|[A-Za-z]+|[~^]")
_RPM_MARKS = {"~": "\x01", "^": "\x03"}  # "^" is after the end, but before a further segment


def _digits(text: str) -> str:
    """A number of any length: fewer digits are less; leading zeros do not count."""
    text = text.lstrip("0")
    return chr(len(text)) + text


def _split(version: str) -> tuple[str, str, str]:
    """Epoch, version and what follows the last hyphen; what is not there is empty."""
    head, colon, rest = version.partition(":")
    epoch, rest = (head, rest) if colon else ("", version)
    body, hyphen, tail = rest.rpartition("-")
    return (epoch, body, tail) if hyphen else (epoch, rest, "")


def _deb_part(text: str) -> str:
    pairs = _DEB_PAIRS.findall(text)[:-1]  # the last match is the empty one at the end
    key = "".join([other.translate(_DEB_ORDER) + _END + _digits(number) for other, number in pairs])
    return (key or _ZERO) + _END


def _rpm_part(text: str) -> str:
    key = ""
    for segment in _RPM_SEGMENTS.findall(text):
        if segment in _RPM_MARKS:
            key += _RPM_MARKS[segment]
        elif segment[0] <= "9":
            key += "\x05" + _digits(segment)
        else:
            key += "\x04" + segment + "\x00"
    return key + _END


def deb_key(version: str) -> Key:
    """The sort key of "[epoch:]upstream[-revision]"."""
    epoch, upstream, revision = _split(version)
    return _digits(epoch), _deb_part(upstream), _deb_part(revision)


def rpm_key(version: str) -> Key:
    """The sort key of "[epoch:]version-release"."""
    epoch, body, release = _split(version)
    return _digits(epoch), _rpm_part(body), _rpm_part(release)


def _compare(one: Key, other: Key) -> int:
    return (one > other) - (one < other)


def compare_deb(a: str, b: str) -> int:
    """-1, 0 or 1: whether the Debian version ``a`` is before, equal to or after ``b``."""
    return 0 if a == b else _compare(deb_key(a), deb_key(b))


def compare_rpm(a: str, b: str) -> int:
    """-1, 0 or 1: whether the rpm version ``a`` is before, equal to or after ``b``."""
    return 0 if a == b else _compare(rpm_key(a), rpm_key(b))
