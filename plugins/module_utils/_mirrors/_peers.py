# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mirror: what it says of itself, and what can be done to it. Each call is one rsync, or few."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import (
    CLAIM_LIMIT,
    CLAIMS,
    Claim,
    parse_claim,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._holding import Holding
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import (
    RECORD,
    RECORD_LIMIT,
    Record,
    bad_record,
    parse_record,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot import file_in
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._transfer import Done, Moved, Rsync, Tell

_CLAIMS_LIMIT, _MOST_CLAIMS = 1 << 20, 1000
_STAYED = b"cannot delete non-empty directory"


class Look(t.NamedTuple):
    """What a mirror says. ``blank``: no record, and none of the index files that were asked for."""

    record: Record | None
    blank: bool
    claims: list[Claim]


class Peer:
    """One mirror. ``folder`` is a work folder of this mirror alone, on the source's file system.

    Every error is ``mirror_failed`` (with ``why``, a sentence, and
    ``transient``), ``bad_record``, ``mirror_busy`` or ``claim_lost``.
    """

    def __init__(self, mirror: Mirror, access: Access, folder: str, tell: Tell | None = None) -> None:
        self.rsync = Rsync(mirror, access, folder, tell)
        self.work = folder
        self._holding = Holding(Rsync(mirror, access, folder))

    @property
    def address(self) -> str:
        return self.rsync.mirror.address

    @property
    def transferred(self) -> int:
        """Bytes on the wire, both ways."""
        return self.rsync.transferred + self._holding.rsync.transferred

    def look(self, index: t.Sequence[bytes] = ()) -> Look:
        """Its record and claims. Without a record, one more call looks for the files ``index``."""
        with self._empty() as into:
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
        blank = record is None and not (index and self._sizes(index))
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

    def claim(
        self, claim: Claim, timeout: float, mine: t.Collection[str] = (), index: t.Sequence[bytes] = ()
    ) -> Look:
        """Be the only one who works on this mirror; returns what the mirror says from then on.

        While it is held, a thread renews it, and the operations that change
        what readers see refuse to work when it was lost (error ``claim_lost``).
        The claims ``mine`` are of killed runs of ours, and go at once.
        Error ``mirror_busy`` names the holder.
        """
        found = self._holding.take(claim, timeout, mine, self.look)
        if found.record is None and index:
            return found._replace(blank=not self._sizes(index))
        return found

    def claimed(self, claim: Claim) -> bool:
        """Whether it is still ours; asks the mirror when it was not renewed for long."""
        held = self._holding.claim
        return held is not None and held.id == claim.id and self._holding.sure()

    def release(self, claim: Claim) -> None:
        """Take the claim back, also one of an earlier run."""
        held = self._holding.claim
        if held is not None and held.id == claim.id:
            self._holding.release()
        else:
            self._holding.remove(claim.id)

    def send(self, folder: str, names: t.Iterable[bytes], checksum: bool = False) -> Moved:
        """Send ``names`` below ``folder``. Without ``checksum``, same size and second counts as same."""
        return self._change("repair" if checksum else "send", folder, names).moved

    def differing(self, folder: str, names: t.Collection[bytes]) -> list[bytes]:
        """Those of ``names`` whose content or second is another there, or that are not there; sorted."""
        items = self.rsync("compare", folder, names).items
        found = {
            item.path
            for item in items
            if item.letters[1] == "f" and (item.letters[0] != "." or item.letters[4] in "tT")
        }
        return sorted(found.intersection(names))

    def missing(self, sizes: t.Mapping[bytes, int]) -> list[bytes]:
        """The names that are no file of that size there; sorted. For what the source has no more."""
        found = self._sizes(sizes)
        return sorted(name for name, size in sizes.items() if found.get(name) != size)

    def _sizes(self, names: t.Iterable[bytes]) -> dict[bytes, int]:
        with self._empty() as into:
            items = self.rsync("exists", into, self._own(names)).items
        found = {}
        for item in items:
            size, _space, path = item.path.partition(b" ")
            if item.letters[1] == "f" and size.isdigit():
                found[path] = int(size[:18])
        return found

    def switch(self, folder: str, plain: t.Iterable[bytes], switches: t.Iterable[bytes]) -> None:
        """Rename what waits: ``plain`` first. ``folder`` has the files under their own names."""
        self._change("switch", folder, plain)
        self._change("switch", folder, switches)

    def finish(
        self, folder: str, put: t.Iterable[bytes], delete: t.Iterable[bytes], folders: t.Iterable[bytes] = ()
    ) -> None:
        """Put files, delete others by name, and remove staging folders with all that is in them.

        A folder that lies where a file is to be deleted stays, unless it is empty.
        """
        put, whole = set(put), tuple(sorted(set(folders)))
        inner = tuple(name + b"/" for name in whole)
        # rsync deletes the listed names that its source lacks, and wants their folders there.
        with self._empty() as source:
            gone = [name for name in delete if name not in put and not name.startswith(inner)] + [*whole]
            made: set[bytes] = set()
            for name in gone:
                _make_folder(source, name, made)
            for name in put:
                _make_folder(source, name, made)
                os.link(file_in(folder, name), file_in(source, name))
            done = self._change("finish" if put else "delete", source, [*put, *gone])
            if whole and _STAYED in done.notes:
                for name in put:
                    os.unlink(file_in(source, name))
                self._change("discard", source, whole)

    def fetch(self, names: t.Iterable[bytes], into: str, limit: int) -> list[bytes]:
        """Copy files from the mirror below ``into``, ``limit`` bytes at most; returns what was there."""
        wanted = self._own(names)
        found = []
        with self._empty() as arrived:
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

    def every_name(self) -> t.Iterator[bytes]:
        """All that is there and no folder, in no order."""
        with self._empty() as nothing:
            for item in self.rsync.stream("names", nothing):
                if item.letters[1] != "d":
                    yield item.path

    def _change(self, operation: str, folder: str, names: t.Iterable[bytes]) -> Done:
        try:
            if self._holding.sure():
                return self.rsync(operation, folder, names, ended=self._holding.is_lost)
        except DistrogateError as error:
            if not self._holding.lost:
                raise
            raise self._lost() from error
        raise self._lost()

    def _lost(self) -> DistrogateError:
        why = "its claim was taken for a dead one's and removed: somebody else may work on it now"
        return DistrogateError(
            "claim_lost", f"{self.address}: {why}. Run again.", address=self.address, why=why, transient=False
        )

    def _own(self, names: t.Iterable[bytes]) -> list[bytes]:
        """Without the names that lie behind a link in a local mirror: rsync reads through it."""
        if self.rsync.mirror.kind != "local":
            return [*names]
        known: dict[bytes, bool] = {b"": True}
        return [name for name in names if _is_own(os.fsencode(self.rsync.mirror.target), name, known)]

    def _empty(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(dir=self.work)


def _is_own(root: bytes, name: bytes, known: dict[bytes, bool]) -> bool:
    folder = name.rpartition(b"/")[0]
    if folder not in known:
        known[folder] = _is_own(root, folder, known) and not os.path.islink(root + folder)
    return known[folder]


def _make_folder(root: str, name: bytes, made: set[bytes]) -> None:
    folder = name.rpartition(b"/")[0]
    if folder not in made:
        os.makedirs(file_in(root, folder), exist_ok=True)
        made.add(folder)


def _claims(folder: str) -> list[Claim]:
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                with open(entry.path, "rb") as stream:
                    found.append(parse_claim(entry.name, stream.read(CLAIM_LIMIT + 1)))
    return sorted(found)
