# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A snapshot: the state of a whole source, as the lists of its parts; also in JSON, from strangers."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import is_listed

FORMAT = 1
_MANY = 10_000  # parts
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LOG = re.compile(r"[A-Za-z0-9._-]{0,128}")
_UNSAFE = re.compile(rb"[^!-$&-~]")
_ESCAPE = re.compile(rb"%([0-9A-F]{2})")


class Part(t.NamedTuple):
    """The lists of one part, by digest; ``log`` and ``offset`` say up to where its touch log was followed.

    Without a log the part was walked.
    """

    content: str
    index: str  # type: ignore[assignment]  # nobody asks for the place of a value
    log: str = ""
    offset: int = 0


class Snapshot(t.NamedTuple):
    """The parts by their prefix: empty for the source itself or what is in no other part, else ``apt/``."""

    parts: dict[bytes, Part]

    @property
    def id(self) -> str:
        """A digest of the prefixes and the lists, nothing else."""
        digest = hashlib.sha256()
        for prefix, part in sorted(self.parts.items()):
            digest.update(b"%s %s %s\0" % (part.content.encode(), part.index.encode(), prefix))
        return digest.hexdigest()

    def lists(self) -> list[str]:
        """The digests of all its lists."""
        return [digest for part in self.parts.values() for digest in (part.content, part.index)]


def to_json(snapshot: Snapshot) -> dict[str, t.Any]:
    """As a JSON object. A prefix is spelled as in an address, for JSON has no bytes."""
    parts = {_escape(prefix): part._asdict() for prefix, part in snapshot.parts.items()}
    return {"version": FORMAT, "parts": parts}


def from_json(value: t.Any) -> Snapshot:
    """From a JSON object by a stranger. Error ``bad_snapshot``: it is not just what ``to_json`` writes."""
    if not isinstance(value, dict) or set(value) != {"version", "parts"} or value["version"] != FORMAT:
        raise _bad(f"it is not of version {FORMAT}")
    parts = value["parts"]
    if not isinstance(parts, dict) or len(parts) > _MANY:
        raise _bad("its parts are no object, or too many")
    return Snapshot({_prefix(name): _part(part) for name, part in parts.items()})


def _part(value: t.Any) -> Part:
    if not isinstance(value, dict) or set(value) != set(Part._fields):
        raise _bad("a part has other keys")
    part = Part(**value)
    for text, pattern in ((part.content, _DIGEST), (part.index, _DIGEST), (part.log, _LOG)):
        if not isinstance(text, str) or not pattern.fullmatch(text):
            raise _bad("a part names no list")
    offset = part.offset
    if not isinstance(offset, int) or isinstance(offset, bool) or not 0 <= offset < 1 << 63:
        raise _bad("a part has no position")
    return part


def _escape(prefix: bytes) -> str:
    return _UNSAFE.sub(_as_hex, prefix).decode("ascii")


def _as_hex(match: re.Match[bytes]) -> bytes:
    return b"%%%02X" % match[0][0]


def _as_byte(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)])


def _prefix(name: str) -> bytes:
    prefix = _ESCAPE.sub(_as_byte, name.encode("utf-8", "replace"))
    fits = not prefix or (prefix.endswith(b"/") and is_listed(prefix[:-1]) and prefix.count(b"/") <= 2)
    if _escape(prefix) != name or not fits:
        raise _bad(f"{name!r} is no part's place")
    return prefix


def _bad(why: str) -> DistrogateError:
    return DistrogateError("bad_snapshot", f"The description of a snapshot was refused: {why}.")
