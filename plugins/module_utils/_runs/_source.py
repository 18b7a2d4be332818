# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""run.json out of whatever a person has: a run directory, an unpacked report, a log bundle.

A log bundle may come from a stranger. Nothing of it is unpacked: its one run.json is
read, with bounded memory, and everything else is passed over.
"""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json

NAME = "run.json"
_LARGEST = 16 << 20  # of run.json
_READ_AT_ONCE = 4 << 20  # beside run.json: headers, which tarfile reads whole
_UNPACKED = 8 << 30  # how far an archive is looked through
_MEMBERS = 200_000

Json = dict[str, t.Any]


class _Bounded:
    """A file that refuses to be read without end; what tarfile needs of one."""

    def __init__(self, stream: gzip.GzipFile, path: str) -> None:
        self._stream = stream
        self._path = path

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= max(_READ_AT_ONCE, _LARGEST):
            raise _bad(self._path, "it has a part that is too large")
        return self._stream.read(size)

    def tell(self) -> int:
        return self._stream.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET or not 0 <= offset <= _UNPACKED:
            raise _bad(self._path, f"it holds more than {_UNPACKED >> 30} GiB")
        return self._stream.seek(offset)


def _bad(path: str, why: str) -> DistrogateError:
    return DistrogateError(
        "bad_report", f"{path} is not a log bundle that can be read: {why}. Fetch it again, or name another."
    )


def _plain(path: str) -> bytes | None:
    """The contents of a plain file; None when there is none. No link is followed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return stream.read(_LARGEST + 1)


def _from_folder(path: str) -> bytes:
    """A run directory, an unpacked report, or the folder that it was unpacked into."""
    found = _plain(os.path.join(path, NAME))
    if found is not None:
        return found
    with os.scandir(path) as entries:
        below = [
            _plain(os.path.join(path, entry.name, NAME))
            for _number, entry in zip(range(1000), entries)
            if entry.is_dir(follow_symlinks=False)
        ]
    runs = [data for data in below if data is not None]
    if len(runs) != 1:
        raise DistrogateError(
            "no_run",
            f"{path} is neither a run directory nor a report: it has no {NAME}. Name the run's own folder.",
        )
    return runs[0]


def _from_archive(path: str) -> bytes:
    """The one run.json of a log bundle, which lies in its one folder."""
    found: list[bytes] = []
    try:
        with gzip.open(path, "rb") as stream:
            bounded: t.Any = _Bounded(stream, path)
            with tarfile.open(fileobj=bounded, mode="r:") as archive:
                members: t.Any = archive
                for number, member in enumerate(archive):
                    members.members.clear()  # it would keep all of them
                    if number >= _MEMBERS:
                        raise _bad(path, f"it has more than {_MEMBERS} files")
                    folder, _slash, name = member.name.rpartition("/")
                    if name == NAME and "/" not in folder and folder not in ("", ".."):
                        found.append(_member(archive, member, path))
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        raise _bad(path, str(error)) from error
    if len(found) != 1:
        raise _bad(path, f"it has {len(found)} files {NAME} and not one")
    return found[0]


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> bytes:
    if not member.isreg() or member.issparse() or member.size > _LARGEST:
        raise _bad(path, f"its {NAME} is not a plain file, or too large")
    stream = archive.extractfile(member)
    return stream.read(member.size) if stream is not None else b""


def read_frozen(path: str) -> Json:
    """What run.json says, of whichever source; its form is not looked at yet."""
    if os.path.isdir(path):
        data = _from_folder(path)
    elif os.path.isfile(path):
        data = _from_archive(path)
    else:
        raise DistrogateError(
            "not_found", f"There is no {path}. Name a run directory, an unpacked report or report.tar.gz."
        )
    value = parse_json(data, f"{NAME} of {path}", _LARGEST)
    if not isinstance(value, dict):
        raise _bad(path, f"its {NAME} is not an object")
    return value
