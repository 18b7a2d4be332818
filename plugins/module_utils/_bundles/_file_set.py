# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that are published as one: checked names and digests, and an identity of their own."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside

SUMS = "SHA256SUMS"
SIGNATURE = "SHA256SUMS.asc"
_MOST = 10_000  # files of one set
_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{64})")

Json = dict[str, t.Any]


class File(t.NamedTuple):
    """One file: ``path`` is where it lies below the incoming folder, ``size`` is None when it is not said."""

    name: str
    sha256: str
    size: int | None
    path: str


@dataclasses.dataclass(frozen=True)
class FileSet:
    """Files by name; their identity is the key that they were made by, else their digest."""

    files: dict[str, File]
    key: str = ""

    @property
    def sums(self) -> bytes:
        """SHA256SUMS, as sha256sum(1) writes and checks it."""
        return "".join(f"{one.sha256}  {name}\n" for name, one in sorted(self.files.items())).encode("utf-8")

    @property
    def digest(self) -> str:
        """The sha256 of the text of SHA256SUMS."""
        return hashlib.sha256(self.sums).hexdigest()

    @property
    def identity(self) -> str:
        return self.key or self.digest


def file_set(artifacts: t.Sequence[t.Any], key: str | None = None) -> FileSet:
    """Artifacts of strangers as a set of files."""
    if not artifacts or len(artifacts) > _MOST:
        raise DistrogateError(
            "bad_artifact", f"There are {len(artifacts)} artifacts to publish: it takes 1 to {_MOST}."
        )
    found: dict[str, File] = {}
    for artifact in artifacts:
        file = _file(artifact)
        if file.name in found:
            raise DistrogateError(
                "artifact_conflict", f"Two artifacts are named {file.name!r}: files need names of their own."
            )
        found[file.name] = file
    return FileSet(found, _key(artifacts, key))


def _key(artifacts: t.Sequence[Json], key: str | None) -> str:
    """The key that was asked for, else the one that all artifacts carry; empty when there is none."""
    carried = {str(artifact.get("key") or "") for artifact in artifacts}
    asked = key if key is not None else carried.pop() if len(carried) == 1 else ""
    match = _HEX.fullmatch(asked)
    if asked and match is None:
        raise DistrogateError(
            "bad_name",
            f"key {asked[:200]!r} is none: it has to be sha256: and 64 hexadecimal digits.",
        )
    return match[1] if match else ""


def _file(raw: t.Any) -> File:
    name, size = (raw.get("name"), raw.get("size")) if isinstance(raw, dict) else (None, None)
    match = _HEX.fullmatch(str(raw.get("sha256"))) if isinstance(raw, dict) else None
    if not _is_name(name) or match is None or not (size is None or _is_size(size)):
        raise DistrogateError(
            "bad_artifact",
            f"An artifact ({str(raw)[:200]!r}) has no usable name, sha256 or size. A name is that of one"
            f" plain file: without slash, line break or control character, not hidden, not {SUMS}"
            f" or {SIGNATURE}.",
        )
    path = raw.get("path") or f"{match[1]}/{name}"
    if not isinstance(path, str) or not path.isprintable():
        raise DistrogateError("bad_artifact", f"The path of the artifact {name!r} is no path.")
    return File(t.cast(str, name), match[1], size, path)


def _is_size(size: t.Any) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size >= 0


def _is_name(name: t.Any) -> bool:
    if not isinstance(name, str) or not name or name[0] == "." or name in (SUMS, SIGNATURE):
        return False
    # sha256sum writes a name with a backslash in another way.
    return name.isprintable() and not set(name) & set("/\\") and len(name.encode("utf-8")) <= 255


def below(incoming: str, path: str) -> str:
    """A path relative to ``incoming``; one that begins with ``incoming`` may be given as a whole."""
    prefix = incoming.rstrip("/") + "/"
    name = path[len(prefix) :] if path.startswith(prefix) else path
    inside(incoming, name)
    return name
