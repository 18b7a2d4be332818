# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which mirrors there are, and how many of them must follow."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

# Neither a host nor a user begins with a dash: it could be taken for an option of rsync or ssh.
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_HOST = rf"(?:{_WORD}|\[[0-9A-Fa-f:.]+\])"
_DAEMON = re.compile(rf"^rsync://(?:{_WORD}@)?{_HOST}(?::[0-9]{{1,5}})?/{_WORD}(?:/[^\0]*)?$", re.DOTALL)
_SSH = re.compile(rf"^(?:{_WORD}@)?{_HOST}:/(?!/)[^\0]*$", re.DOTALL)
_PASSWORD = re.compile(r"^((?:[a-z]+://)?[^/@:]*:)(?!//)[^@]*@", re.DOTALL)
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


@dataclasses.dataclass(frozen=True)
class Mirror:
    """One mirror: its address as given, and how it is reached (``daemon``, ``ssh`` or ``local``)."""

    address: str
    kind: str

    @property
    def target(self) -> str:
        """rsync's destination: the folder's contents, hence the slash."""
        return self.address.rstrip("/") + "/"


def parse_mirror(address: str) -> Mirror:
    """Error ``bad_mirror`` for what is none of the three kinds."""
    if not any(0xD800 <= ord(letter) <= 0xDFFF for letter in address):
        if address.startswith("/") and "\0" not in address and address.rstrip("/"):
            return Mirror(address, "local")
        for kind, pattern in (("daemon", _DAEMON), ("ssh", _SSH)):
            if pattern.match(address):
                return Mirror(address, kind)
    shown = _PASSWORD.sub(r"\1***@", address)
    hint = "" if shown == address else " A password goes into the option password_file or password."
    raise DistrogateError(
        "bad_mirror",
        f"The mirror {shown!r} is not understood. Write rsync://user@host:port/module/path,"
        f" user@host:/absolute/path, or an absolute local path.{hint}",
        address=shown,
    )


def parse_mirrors(addresses: t.Sequence[str], source: str) -> list[Mirror]:
    """All mirrors; each once, and none that lies in the source or around it."""
    mirrors = [parse_mirror(address) for address in addresses]
    if not mirrors:
        raise DistrogateError("bad_mirror", "No mirrors were given; name at least one.")
    targets = [mirror.target for mirror in mirrors]
    for mirror in mirrors:
        if targets.count(mirror.target) > 1:
            raise DistrogateError("bad_mirror", f"The mirror {mirror.address!r} was given twice.")
        if mirror.kind == "local":
            inner, outer = os.path.realpath(mirror.address), os.path.realpath(source)
            if os.path.commonpath([inner, outer]) in (inner, outer):
                raise DistrogateError(
                    "bad_mirror",
                    f"The mirror {mirror.address!r} lies in the source {source!r}, or around it.",
                )
    return mirrors


def check_name(value: str, option: str) -> str:
    """A name that becomes a file's name: letters, digits, dot, dash, underscore."""
    if not _NAME.fullmatch(value):
        raise DistrogateError("bad_name", f"{option} {value!r} must match {_NAME.pattern}.")
    return value


def needed_mirrors(quorum: str, count: int) -> int:
    """How many of ``count`` mirrors ``all``, ``2`` or ``1/2`` means (a part is rounded up)."""
    text = quorum.strip()
    if text == "all":
        return count
    match = re.match(r"^([0-9]{1,4})(?:/([0-9]{1,4}))?$", text)
    if match:
        number = int(match.group(1))
        if match.group(2) is None:
            needed = number
        else:
            parts = int(match.group(2))
            needed = math.ceil(count * number / parts) if 0 < number <= parts else 0
        if 1 <= needed <= count:
            return needed
    raise DistrogateError(
        "bad_quorum",
        f"The quorum {quorum!r} does not fit {count} mirror(s). Write all, a number from 1 to {count},"
        " or a fraction such as 1/2.",
    )
