# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One state of the source, taken while others may publish into it, at the cost of what changed."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._blobs import Blobs
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Snapshot, Snapshots


class Found(t.NamedTuple):
    """What rehashing everything found; full paths, sorted.

    ``damaged``: other contents with the size and time of the list; ``changed``: other size or time.
    """

    damaged: list[bytes]
    changed: list[bytes]
    missing: list[bytes]
    unlisted: list[bytes]


class Seen(t.NamedTuple):
    """What was observed.

    ``walked``: prefixes of parts that were walked. ``notes``: for each part what
    its publishers told since the last look; None when that is not known.
    ``switches``: the contents of InRelease, Release and repomd.xml files that
    are not as they were.
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
        ``source_damaged`` (only deep), ``lock_timeout``, ``no_space``.
        """
        raise NotImplementedError
