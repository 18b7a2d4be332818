# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the name of a package's file says: it has no epoch, and anybody can choose it."""

from __future__ import annotations

import re
import typing as t

_DEB = re.compile(
    rb"([A-Za-z0-9][A-Za-z0-9+.-]{0,199})_((?:[A-Za-z0-9.+~-]|%3a){1,199})_([a-z0-9-]{1,64})\.[ud]?deb"
)
_DSC = re.compile(rb"([A-Za-z0-9][A-Za-z0-9+.-]{0,199})_((?:[A-Za-z0-9.+~-]|%3a){1,199})\.dsc")
_WORD = rb"[A-Za-z0-9._+~^]{1,199}"
_RPM = re.compile(
    rb"([A-Za-z0-9_][A-Za-z0-9._+-]{0,199})-(%s-%s)\.([A-Za-z0-9_]{1,64})\.rpm" % (_WORD, _WORD)
)


class Identity(t.NamedTuple):
    """A package, as its file is called."""

    name: str
    version: str
    architecture: str
    kind: str


def identity_of(path: bytes) -> Identity | None:
    """What ``name_version_arch.deb``, ``name_version.dsc`` or ``name-version-release.arch.rpm`` says."""
    file = path.rpartition(b"/")[2]
    if match := _DEB.fullmatch(file):
        return Identity(_text(match[1]), _text(match[2]), _text(match[3]), "deb")
    if match := _DSC.fullmatch(file):
        return Identity(_text(match[1]), _text(match[2]), "source", "deb")
    if match := _RPM.fullmatch(file):
        return Identity(_text(match[1]), _text(match[2]), _text(match[3]), "rpm")
    return None


def _text(matched: bytes) -> str:
    return matched.decode("ascii").replace("%3a", ":")
