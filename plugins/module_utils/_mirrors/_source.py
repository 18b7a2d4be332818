# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One state of the source, taken while others may publish into it, at the cost of what changed."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._blobs import Blobs
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import EMPTY
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._look import Found, Look, PartSeen
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._parts import observe_own
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Snapshots
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._walk import is_own

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rest import Rest


class Seen(t.NamedTuple):
    """What was observed.

    ``walked``: prefixes of parts that were walked and hold files. ``notes``: for
    each part what its publishers told since the last look; None when that is
    not known. ``switches``: the contents of InRelease, Release and repomd.xml
    files that may have changed.
    """

    snapshot: Snapshot
    walked: list[bytes]
    notes: dict[bytes, list[dict[str, t.Any]] | None]
    deep: Found | None
    switches: dict[bytes, bytes]


class Source:
    """A tree to be mirrored; ``timeout`` bounds the wait for a publisher's lock."""

    def __init__(self, path: str, snapshots: Snapshots, blobs: Blobs, timeout: float) -> None:
        self.path = path
        self.snapshots = snapshots
        self.blobs = blobs
        self.timeout = timeout

    def observe(self, last: Snapshot | None, deep: bool = False, write: bool = True) -> Seen:
        """The present state, saved as a snapshot, with its index files frozen as blobs.

        Without ``write`` nothing is written below the source: new lists stay in
        the memory of ``snapshots.lists``. Errors: ``symlink_in_source``,
        ``special_file_in_source``, ``source_changing`` (a publisher never
        rests), ``source_incomplete`` (names what is missing), ``empty_source``,
        ``source_damaged`` (only deep), ``lock_timeout``, ``no_space``. When a
        list of the present state turns out to be damaged later, a look without
        ``last`` makes it anew.
        """
        lists = self.snapshots.lists
        lists.in_memory = not write
        try:
            with lists.hold(self.timeout) if write else contextlib.nullcontext():
                return self._observe(last, deep, write)
        except FileNotFoundError as error:
            raise DistrogateError(
                "source_changing", f"{self.path} changed while it was read: {error}; run again."
            ) from error
        except OSError as error:
            raise from_os_error(error, self.path) from error

    def _observe(self, last: Snapshot | None, deep: bool, write: bool) -> Seen:
        known = last.parts if last is not None else {}
        seen: dict[bytes, PartSeen] = {}
        prefixes, rest = [b""], None
        if not is_own(os.fsencode(self.path)):
            rest = self._rest(write)
            seen[b""] = rest.observe(known.get(b""), deep)
            prefixes = rest.prefixes
        for prefix in prefixes:
            seen[prefix] = observe_own(self._look(prefix, write), known.get(prefix), deep)
        snapshot = Snapshot({prefix: one.part for prefix, one in seen.items()})
        if all(digest == EMPTY for digest in snapshot.lists()):
            raise DistrogateError("empty_source", f"{self.path} holds no file; nothing was mirrored.")
        if write and snapshot != last:
            self.blobs.sync()
            self.snapshots.save(snapshot)
        if write and rest is not None:
            rest.save(seen[b""].part)
        return _together(snapshot, seen, deep)

    def _look(self, prefix: bytes, write: bool) -> Look:
        return Look(self.path, prefix, self.snapshots, self.blobs, self.timeout, write)

    def _rest(self, write: bool) -> Rest:
        # Modules are compiled at each run: this one is for trees that are not ours alone.
        from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._digests import Digests
        from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rest import Rest

        digests = Digests(os.path.join(os.path.dirname(self.snapshots.folder), "digests"))
        return Rest(self._look(b"", write), digests)


def _together(snapshot: Snapshot, seen: dict[bytes, PartSeen], deep: bool) -> Seen:
    switches: dict[bytes, bytes] = {}
    for one in seen.values():
        switches.update(one.switches)
    found = Found([], [], [], [])
    for one in seen.values():
        for paths, more in zip(found, one.found):
            paths.extend(more)
    for paths in found:
        paths.sort()
    return Seen(
        snapshot,
        sorted(prefix for prefix, one in seen.items() if one.walked),
        {prefix: one.notes for prefix, one in seen.items()},
        found if deep else None,
        switches,
    )


__all__ = ["Found", "Seen", "Source"]
