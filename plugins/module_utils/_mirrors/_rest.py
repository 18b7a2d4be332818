# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in no repository of ours: walked at every look, until it is at rest."""

from __future__ import annotations

import bisect
import errno
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._closure import names_others, open_ends
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._digests import Digests
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._look import (
    Look,
    PartSeen,
    incomplete,
    unchanged,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Part
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._walk import (
    Signature,
    Signatures,
    contents_of,
    digest_of,
    walk,
)

_LOOKS = 8
_MOVED = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class _MovingError(Exception):
    """The source changed under our eyes."""


class Rest:
    """The walked part of a source; ``prefixes`` are the repositories of ours that lie in it."""

    def __init__(self, look: Look, digests: Digests) -> None:
        self.look = look
        self.digests = digests
        self.prefixes: list[bytes] = []
        self._entries: dict[bytes, Entry] = {}
        self._signatures: Signatures = {}

    def observe(self, last: Part | None, deep: bool) -> PartSeen:
        """A whole state: nothing that its index files name is missing."""
        problems: list[str] = []
        for number in range(_LOOKS):
            time.sleep(0.1 * number)
            try:
                seen = self._look(last, deep)
            except (_MovingError, OSError) as error:
                if isinstance(error, OSError) and error.errno not in _MOVED:
                    raise
                problems = []
                continue
            before, problems = problems, open_ends(seen.switches, self.look.find(seen.part))
            if not problems:
                return seen
            if problems == before:
                break  # at rest, and not whole
        if problems:
            raise incomplete(self.look.source, problems)
        raise DistrogateError(
            "source_changing",
            f"{self.look.source} changed at each of {_LOOKS} looks; run again when it is at rest.",
        )

    def save(self, part: Part) -> None:
        """Remember the digests, for the next walk."""
        if self._signatures:
            digests = {path: entry.sha256 for path, entry in self._entries.items()}
            self.digests.save((part.content, part.index), self._signatures, digests)

    def _look(self, last: Part | None, deep: bool) -> PartSeen:
        first = self._scan()
        if not deep and last is not None and self._base_is(last) and first == self.digests.signatures:
            self._signatures = {}
            return unchanged(last._replace(log="", offset=0), bool(first), None)
        self._entries = {}
        for path, signature in first.items():
            if self._is_index(path):
                self._entries[path] = self._index(path, signature, deep)
        # A publisher adds content before the index that names it. So the content is looked at
        # after the index files, and these must be the same before and after.
        moved = deep or any(self.digests.get(path, first[path]) is None for path in self._entries)
        second = self._scan() if moved else first
        if any(first.get(path) != second.get(path) for path in {*first, *second} if self._is_index(path)):
            raise _MovingError
        for path, signature in second.items():
            if path not in self._entries:
                self._entries[path] = self._entry(path, signature, deep)
        self._signatures = second
        part = self._part(last)
        return PartSeen(
            part, bool(second), None, self._switches(last), self.look.compare(last if deep else None, part)
        )

    def _scan(self) -> Signatures:
        self.prefixes = []
        return dict(walk(self.look.root, self.prefixes))

    def _base_is(self, last: Part | None) -> bool:
        return last is not None and self.digests.base == (last.content, last.index)

    def _is_index(self, path: bytes) -> bool:
        return not self.look.is_content(path)

    def _index(self, path: bytes, signature: Signature, deep: bool) -> Entry:
        known = None if deep else self.digests.get(path, signature)
        if known is not None:
            entry = Entry(known, signature.size, signature.mtime_ns)
            if not self.look.write or self.look.blobs.has(entry):
                return entry
        if self.look.write:
            return self.look.blobs.copy(self._file(path), signature.mtime_ns)
        return self._entry(path, signature, deep)

    def _entry(self, path: bytes, signature: Signature, deep: bool) -> Entry:
        known = None if deep else self.digests.get(path, signature)
        return Entry(known or digest_of(self._file(path)), signature.size, signature.mtime_ns)

    def _file(self, path: bytes) -> bytes:
        return self.look.root + b"/" + path

    def _changes(self) -> dict[bytes, Entry | None]:
        """What is not as the digests were kept."""
        changes: dict[bytes, Entry | None] = {
            path: self._entries[path]
            for path, signature in self._signatures.items()
            if self.digests.get(path, signature) is None
        }
        changes.update((path, None) for path in self.digests.signatures if path not in self._signatures)
        return changes

    def _part(self, last: Part | None) -> Part:
        lists = self.look.lists
        if last is not None and self._base_is(last):
            changes = self._changes()
            index = {path: entry for path, entry in changes.items() if self._is_index(path)}
            content = {path: entry for path, entry in changes.items() if path not in index}
            try:
                return Part(lists.update(last.content, content), lists.update(last.index, index))
            except DistrogateError as error:
                if error.reason != "list_damaged":
                    raise
        ordered = sorted(self._entries.items())
        return Part(
            lists.build(one for one in ordered if not self._is_index(one[0])),
            lists.build(one for one in ordered if self._is_index(one[0])),
        )

    def _switches(self, last: Part | None) -> dict[bytes, bytes]:
        """The files that name others, where they or anything below their folders changed."""
        naming = [path for path in self._entries if names_others(path)]
        if self._base_is(last):
            changed = sorted(self._changes())
            naming = [path for path in naming if _any_below(changed, _folder_of(path))]
        return {path: self._contents(path) for path in naming}

    def _contents(self, path: bytes) -> bytes:
        if self.look.write:
            return contents_of(os.fsencode(self.look.blobs.path(self._entries[path])))
        return contents_of(self._file(path))


def _folder_of(path: bytes) -> bytes:
    """The folder whose files such a file names."""
    folder = path[: path.rfind(b"/") + 1]
    return folder[: -len(b"repodata/")] if path.endswith(b"/repomd.xml") else folder


def _any_below(paths: t.Sequence[bytes], folder: bytes) -> bool:
    at = bisect.bisect_left(paths, folder)
    return at < len(paths) and paths[at].startswith(folder)
