# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mirror: what it says of itself, and what can be done to it. Each call is one rsync, or few."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import Claim
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._holding import Holding
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._operations import batches
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import file_in
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._reading import Look, Reader
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._transfer import Done, Moved, Rsync, Tell

_STAYED = b"cannot delete non-empty directory"


class Peer(Reader):
    """One mirror. ``folder`` is a work folder of this mirror alone, on the source's file system.

    Every error is ``mirror_failed`` (with ``why``, a sentence, and
    ``transient``), ``bad_record``, ``mirror_busy``, ``bad_mirror`` or ``claim_lost``.
    """

    def __init__(self, mirror: Mirror, access: Access, folder: str, tell: Tell | None = None) -> None:
        super().__init__(Rsync(mirror, access, folder, tell), folder)
        self._holding = Holding(Rsync(mirror, access, folder))

    @property
    def transferred(self) -> int:
        """Bytes on the wire, both ways."""
        return self.rsync.transferred + self._holding.rsync.transferred

    def claim(
        self,
        claim: Claim,
        timeout: float,
        mine: t.Collection[str] = (),
        index: t.Sequence[bytes] = (),
        beside: t.Collection[str] = (),
    ) -> Look:
        """Be the only one who works on this mirror; returns what the mirror says from then on.

        While it is held, a thread renews it, and the operations that change
        what readers see refuse to work when it was lost (error ``claim_lost``).
        The claims ``mine`` are of killed runs of ours, and go at once; those ``beside`` are ours for the
        other mirrors. Errors ``mirror_busy``, which names the holder, and ``bad_mirror``: two are one.
        """
        found = self._holding.take(claim, timeout, mine, self.look, beside)
        if found.record is None and index:
            return found._replace(blank=not self.sizes(index))
        return found

    def release(self, claim: Claim) -> None:
        """Take the claim back, also one of an earlier run."""
        held = self._holding.claim
        if held is not None and held.id == claim.id:
            self._holding.release()
        else:
            self._holding.remove(claim.id)

    def send(self, folder: str, names: t.Iterable[bytes], checksum: bool = False) -> Moved:
        """Send ``names`` below ``folder``. Without ``checksum``, same size and second counts as same."""
        return self._sent("repair" if checksum else "send", folder, names)

    def fill(self, folder: str, names: t.Iterable[bytes]) -> Moved:
        """Send many files that nobody knows there yet; what lies there under such a name is left alone."""
        return self._sent("fill", folder, names)

    def _sent(self, operation: str, folder: str, names: t.Iterable[bytes]) -> Moved:
        moved = Moved(0, 0)
        for batch in batches(names):
            done = self._change(operation, folder, batch).moved
            moved = moved.plus(*done)
        return moved

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
        with self.empty() as source:
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


def _make_folder(root: str, name: bytes, made: set[bytes]) -> None:
    folder = name.rpartition(b"/")[0]
    if folder not in made:
        os.makedirs(file_in(root, folder), exist_ok=True)
        made.add(folder)
