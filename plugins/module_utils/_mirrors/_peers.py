# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mirror: what it says of itself, and what can be done to it. Each call is one rsync, or few."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._claims import Claim
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import Record

Tell = t.Callable[[int, int], None]
"""Called with the files and bytes that an operation has moved so far, at most twice a second."""


class Look(t.NamedTuple):
    """What a mirror says. ``blank``: no record, and none of the index files that were asked for."""

    record: Record | None
    blank: bool
    claims: list[Claim]


class Moved(t.NamedTuple):
    """What an operation sent or fetched: files, and their bytes."""

    files: int
    bytes: int


class Peer:
    """One mirror. ``folder`` is a work folder of this mirror alone; ``transferred`` counts bytes on the wire.

    Every error is ``mirror_failed`` (with ``why``, a sentence, and
    ``transient``), ``bad_record``, ``mirror_busy`` or ``claim_lost``.
    """

    def __init__(self, mirror: Mirror, access: Access, folder: str, tell: Tell | None = None) -> None:
        self.transferred = 0

    def look(self, index: t.Sequence[bytes] = ()) -> Look:
        """Its record and claims. Without a record, one more call looks for the files ``index``."""
        raise NotImplementedError

    def claim(
        self, claim: Claim, timeout: float, mine: t.Collection[str] = (), index: t.Sequence[bytes] = ()
    ) -> Look:
        """Be the only one who works on this mirror; returns what the mirror says from then on.

        While it is held, a thread renews it, and the operations that change
        what readers see refuse to work when it was lost (error ``claim_lost``).
        The claims ``mine`` are of killed runs of ours, and go at once.
        Error ``mirror_busy`` names the holder.
        """
        raise NotImplementedError

    def claimed(self, claim: Claim) -> bool:
        """Whether it is still ours: asks the mirror, by renewing the claim if it is there, when that was long ago."""
        raise NotImplementedError

    def release(self, claim: Claim) -> None:
        """Take the claim back."""
        raise NotImplementedError

    def send(self, folder: str, names: t.Sequence[bytes], checksum: bool = False) -> Moved:
        """Send ``names`` below ``folder``. Without ``checksum``, same size and second counts as same."""
        raise NotImplementedError

    def differing(self, folder: str, names: t.Sequence[bytes]) -> list[bytes]:
        """Those of ``names`` whose content or second is another there, or that are not there; sorted."""
        raise NotImplementedError

    def missing(self, sizes: t.Mapping[bytes, int]) -> list[bytes]:
        """The names that are no file of that size there; sorted. For what the source has no more."""
        raise NotImplementedError

    def switch(self, folder: str, plain: t.Sequence[bytes], switches: t.Sequence[bytes]) -> None:
        """Rename what waits: ``plain`` first. ``folder`` has the files under their own names."""
        raise NotImplementedError

    def finish(
        self, folder: str, put: t.Sequence[bytes], delete: t.Iterable[bytes], folders: t.Iterable[bytes] = ()
    ) -> None:
        """Put files, delete others by name, and remove staging folders with all that is in them.

        A folder that lies where a file is to be deleted stays, unless it is empty.
        """
        raise NotImplementedError

    def fetch(self, names: t.Collection[bytes], into: str, limit: int) -> list[bytes]:
        """Copy files from the mirror below ``into``, ``limit`` bytes at most; returns those that were there."""
        raise NotImplementedError

    def every_name(self) -> t.Iterator[bytes]:
        """All that is there and no folder, in no order."""
        raise NotImplementedError
