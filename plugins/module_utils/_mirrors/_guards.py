# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a synchronisation refuses unless it is told to: to delete much, and to go back in time."""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import SWITCH, classify
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._dates import went_back
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import State
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._look import Found
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import file_in, printable
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Snapshot
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import (
    Delta,
    Snapshots,
    prefix_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._walk import is_own
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._work import Work

_LIMIT = 64 << 20  # bytes of all switch files of a mirror together


def refuse_deletion(snapshots: Snapshots, before: Snapshot | None, delta: Delta, most: float) -> None:
    """Error ``too_many_deletions``."""
    if before is None:
        return
    gone = sum(after is None for _path, _before, after in delta.content)
    files = snapshots.totals(before).files
    if gone and gone > most * files:
        raise DistrogateError(
            "too_many_deletions",
            f"{gone} of {files} files that the mirrors have are not in the source any more, which is more"
            f" than max_delete_ratio={most:g} allows. Look whether the source is whole; to go on all the"
            " same, raise max_delete_ratio for this call.",
            gone=gone,
            files=files,
        )


def refuse_older(work: Work, target: Snapshot, seen: t.Mapping[bytes, bytes]) -> None:
    """Error ``older_than_mirror``: a repository's own date is before that of the one on the mirror.

    ``seen`` has contents of the source's files, by path, that may not be frozen yet.
    """
    after = {
        path: entry
        for path, _before, entry in work.snapshots.changes(work.base.snapshot, target, "index")
        if entry is not None and classify(path) == SWITCH
    }
    if not after or work.base.blank:
        return
    shown = _shown(work, after)
    blobs = work.layout.blobs
    ahead = {path: seen.get(path) or _read(blobs.path(after[path])) for path in shown}
    older = went_back(shown, ahead)
    if older:
        names = ", ".join(printable(path) for path in older[:5])
        raise DistrogateError(
            "older_than_mirror",
            f"The source is older than {work.address}: {names}. Publish anew; to go back use"
            " state=rolled_back, or set allow_older for this call.",
            address=work.address,
            older=[printable(path) for path in older[:100]],
        )


def _shown(work: Work, paths: t.Iterable[bytes]) -> dict[bytes, bytes]:
    """What the mirror shows under these paths: from our copies, else from the mirror."""
    blobs = work.layout.blobs
    wanted = set(paths)
    known = work.snapshots.find(work.base.snapshot, wanted) if work.base.snapshot else {}
    if work.base.certain and all(blobs.has(entry) for entry in known.values()):
        return {path: _read(blobs.path(entry)) for path, entry in known.items()}
    folder = os.path.join(work.layout.folder, "shown")
    os.makedirs(folder, exist_ok=True)
    try:
        return {
            name: _read(file_in(folder, name)) for name in work.peer.fetch(sorted(wanted), folder, _LIMIT)
        }
    finally:
        shutil.rmtree(folder)


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read(_LIMIT)


def refuse_rolled_back(state: State, target: Snapshot) -> None:
    """Error ``rolled_back``: the source still has the state from which the mirrors were taken back."""
    if target.id in state.refused:
        raise DistrogateError(
            "rolled_back",
            f"The source still has the state sha256:{target.id[:16]}…, from which the mirrors were"
            " rolled back. Publish a better one, or set allow_rolled_back for this call.",
            snapshot=f"sha256:{target.id}",
        )


def refuse_lost(source: str, found: Found | None, snapshot: Snapshot) -> None:
    """Error ``source_damaged``: files of our repositories are gone that nobody removed by publishing."""
    ours = [prefix for prefix in snapshot.parts if is_own(os.fsencode(source) + b"/" + prefix)]
    lost = [path for path in (found.missing if found else []) if prefix_of(path, snapshot.parts) in ours]
    if lost:
        names = ", ".join(printable(path) for path in lost[:5])
        raise DistrogateError(
            "source_damaged",
            f"{len(lost)} files of the source are lost, such as {names}. Publish them anew, or bring them"
            " back from a mirror.",
            missing=[printable(path) for path in lost[:100]],
        )
