# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be asked of a mirror: its record and claims, and which files it has. Nothing is changed there."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import (
    CLAIM_LIMIT,
    CLAIMS,
    Claim,
    parse_claim,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._operations import batches
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import file_in
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import (
    RECORD,
    RECORD_LIMIT,
    Record,
    bad_record,
    parse_record,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._transfer import Rsync

_CLAIMS_LIMIT, _MOST_CLAIMS = 1 << 20, 1000
_PORTION, _MOST_FETCHED = 256 << 20, 5000


class Look(t.NamedTuple):
    """What a mirror says. ``blank``: no record, and none of the index files that were asked for."""

    record: Record | None
    blank: bool
    claims: list[Claim]


class Reader:
    """One mirror, as far as it is only read; ``work`` is a work folder of this mirror alone."""

    def __init__(self, rsync: Rsync, work: str) -> None:
        self.rsync = rsync
        self.work = work

    @property
    def address(self) -> str:
        return self.rsync.mirror.address

    def look(self, index: t.Sequence[bytes] = ()) -> Look:
        """Its record and claims. Without a record, one more call looks for the files ``index``."""
        with self.empty() as into:
            try:
                self.rsync("look", into, size=RECORD_LIMIT + _CLAIMS_LIMIT, files=_MOST_CLAIMS)
            except DistrogateError as error:
                if error.details.get("large"):
                    raise bad_record(
                        self.address, f"it is larger than {RECORD_LIMIT} bytes, or there are too many claims"
                    ) from error
                if self._is_no_folder(error):
                    return Look(None, True, [])
                raise
            record, claims = self._record(file_in(into, RECORD)), _claims(file_in(into, CLAIMS))
        blank = record is None and not (index and self.sizes(index))
        return Look(record, blank, claims)

    def _is_no_folder(self, error: DistrogateError) -> bool:
        # rsync makes the last folder of an address when it first sends something.
        why = str(error.details.get("why"))
        return self.rsync.mirror.kind != "local" and "change_dir " in why and "No such file" in why

    def _record(self, path: str) -> Record | None:
        try:
            with open(path, "rb") as stream:
                data = stream.read(RECORD_LIMIT + 1)
        except (FileNotFoundError, IsADirectoryError):
            return None
        return parse_record(data, self.address)

    def differing(self, folder: str, names: t.Collection[bytes]) -> list[bytes]:
        """Those of ``names`` whose content or second is another there, or that are not there; sorted."""
        items = [item for batch in batches(names) for item in self.rsync("compare", folder, batch).items]
        found = {
            item.path
            for item in items
            if item.letters[1] == "f" and (item.letters[0] != "." or item.letters[4] in "tT")
        }
        return sorted(found.intersection(names))

    def missing(self, sizes: t.Mapping[bytes, int]) -> list[bytes]:
        """The names that are no file of that size there; sorted. For what the source has no more."""
        found = self.sizes(sizes)
        return sorted(name for name, size in sizes.items() if found.get(name) != size)

    def sizes(self, names: t.Iterable[bytes]) -> dict[bytes, int]:
        """The sizes of those of ``names`` that are files there."""
        with self.empty() as into:
            items = self.rsync("exists", into, self._own(names)).items
        found = {}
        for item in items:
            size, _space, path = item.path.partition(b" ")
            if item.letters[1] == "f" and size.isdigit():
                found[path] = int(size[:18])
        return found

    def fetch(self, names: t.Iterable[bytes], into: str, limit: int) -> list[bytes]:
        """Copy files from the mirror below ``into``, ``limit`` bytes at most; returns what was there."""
        wanted = self._own(names)
        found = []
        with self.empty() as arrived:
            self.rsync("fetch", arrived, wanted, size=limit, files=len(wanted))
            for name in wanted:
                target = file_in(into, name)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    path = file_in(arrived, name)
                    if stat.S_ISREG(os.lstat(path).st_mode):
                        os.replace(path, target)
                        found.append(name)
        return found

    def spoilt(self, files: t.Mapping[bytes, tuple[int, str]]) -> list[bytes]:
        """Those that have not this size and sha256 there. They are fetched: nothing here is like them."""
        found = []
        for batch in _portions(files):
            with self.empty() as into:
                self.fetch(batch, into, sum(files[name][0] for name in batch) + 1)
                for name in batch:
                    path = file_in(into, name)
                    if not os.path.isfile(path) or sha256_file(path) != files[name][1]:
                        found.append(name)
        return sorted(found)

    def every_name(self) -> t.Iterator[bytes]:
        """All that is there and no folder, in no order."""
        with self.empty() as nothing:
            for item in self.rsync.stream("names", nothing):
                if item.letters[1] != "d":
                    yield item.path

    def _own(self, names: t.Iterable[bytes]) -> list[bytes]:
        """Without the names that lie behind a link in a local mirror: rsync reads through it."""
        if self.rsync.mirror.kind != "local":
            return [*names]
        known: dict[bytes, bool] = {b"": True}
        return [name for name in names if _is_own(os.fsencode(self.rsync.mirror.target), name, known)]

    def empty(self) -> tempfile.TemporaryDirectory[str]:
        """An empty folder for a while."""
        return tempfile.TemporaryDirectory(dir=self.work)


def _portions(files: t.Mapping[bytes, tuple[int, str]]) -> t.Iterator[list[bytes]]:
    """The names, in parts that do not fill a disk."""
    part: list[bytes] = []
    size = 0
    for name, (more, _sha256) in files.items():
        if part and (size + more > _PORTION or len(part) >= _MOST_FETCHED):
            yield part
            part, size = [], 0
        part.append(name)
        size += more
    if part:
        yield part


def _is_own(root: bytes, name: bytes, known: dict[bytes, bool]) -> bool:
    folder = name.rpartition(b"/")[0]
    if folder not in known:
        known[folder] = _is_own(root, folder, known) and not os.path.islink(root + folder)
    return known[folder]


def _claims(folder: str) -> list[Claim]:
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                with open(entry.path, "rb") as stream:
                    found.append(parse_claim(entry.name, stream.read(CLAIM_LIMIT + 1)))
    return sorted(found)
