# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts that are repositories of ours: followed by the log of what their publishers touched."""

from __future__ import annotations

import os
import re
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import (
    Note,
    Position,
    Touched,
    TouchLog,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._closure import names_others, open_ends
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._look import (
    Look,
    PartSeen,
    incomplete,
    unchanged,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import printable
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry, is_listed
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot_parts import Part
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._walk import (
    Signature,
    contents_of,
    digest_of,
    signature_of,
    walk,
)

_TOLD = re.compile(rb"[0-9a-f]{64} [0-9]+ -?[0-9]+")
Overlay = t.Mapping[bytes, t.Optional[bytes]]  # what a decided transaction is going to place, and drop


def observe_own(look: Look, last: Part | None, deep: bool) -> PartSeen:
    """The present state. When the log stands where it stood, nothing changed, and nothing is read."""
    log = TouchLog(os.fsdecode(look.root))
    if not deep and last is not None and last.log and log.position() == Position(last.log, last.offset):
        return unchanged(last, False, [])
    from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._held import held  # costs more

    with held(os.fsdecode(look.root), look.timeout, look.write) as overlay:
        own = _Own(look, overlay)
        since = log.since(Position(last.log, last.offset)) if last is not None and last.log else None
        seen = None
        if since is not None and last is not None:
            try:
                seen = own.follow(last, *since)
            except DistrogateError as error:
                if error.reason != "list_damaged":
                    raise
        if deep or seen is None:
            position = since[1] if since is not None else log.position()
            seen = own.walk(seen.part if seen else last, position, deep)._replace(
                notes=seen.notes if seen else None
            )
        problems = open_ends(seen.switches, look.find(seen.part))
    if problems:
        raise incomplete(os.fsdecode(look.root), problems)
    return seen


class _Own:
    """A part while its lock is held."""

    def __init__(self, look: Look, overlay: Overlay) -> None:
        self.look = look
        self.overlay = overlay
        self.switches: dict[bytes, bytes] = {}
        self._folders: set[bytes] = set()

    def follow(self, last: Part, records: t.Iterable[Touched | Note], position: Position) -> PartSeen:
        """The part after what the log says."""
        latest = {path: Touched(path) for path in self.overlay}
        notes = []
        for one in records:
            if isinstance(one, Note):
                notes.append(one.data)
            elif one.path not in self.overlay:
                latest[one.path] = one
        content: dict[bytes, Entry | None] = {}
        index: dict[bytes, Entry | None] = {}
        for path in sorted(latest):
            for name, entry in self._now(latest[path]) if is_listed(path) else ():
                (content if self.look.is_content(name) else index)[name] = entry
        lists = self.look.lists
        part = Part(lists.update(last.content, content), lists.update(last.index, index), *position)
        return unchanged(part, False, notes)._replace(switches=self.switches)

    def _now(self, touched: Touched) -> t.Iterator[tuple[bytes, Entry | None]]:
        """What is there now; all that is in it, should it be a folder."""
        path = touched.path
        status = self._status(path)
        if status is None:
            yield path, None
        elif stat.S_ISDIR(status.st_mode):
            yield path, None
            for name, signature in walk(self.look.root, below=path + b"/"):
                yield name, self._entry(name, signature, "")
        else:
            signature = signature_of(self.look.prefix + path, status)
            known = signature[:2] == (touched.size, touched.mtime_ns)
            yield path, self._entry(path, signature, touched.sha256 if known else "")

    def _status(self, path: bytes) -> os.stat_result | None:
        try:
            if path not in self.overlay:
                self._check_folder(path.rpartition(b"/")[0])
            place = self._place(path)
            return None if place is None else os.lstat(place)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _check_folder(self, folder: bytes) -> None:
        """No folder on the way may be a link: what is behind it is not in the source."""
        if folder and folder not in self._folders:
            self._check_folder(folder.rpartition(b"/")[0])
            status = os.lstat(self.look.root + b"/" + folder)
            if stat.S_ISLNK(status.st_mode):
                signature_of(self.look.prefix + folder, status)  # raises
            self._folders.add(folder)

    def _place(self, path: bytes) -> bytes | None:
        return self.overlay[path] if path in self.overlay else self.look.root + b"/" + path

    def _entry(self, path: bytes, signature: Signature, sha256: str) -> Entry:
        """The entry of a file that is there; index files are kept aside."""
        place = self._place(path) or b""
        entry = Entry(sha256 or digest_of(place), signature.size, signature.mtime_ns)
        if not self.look.is_content(path):
            if self.look.write:
                self.look.blobs.freeze(place, entry)
            if names_others(self.look.prefix + path):
                self.switches[self.look.prefix + path] = contents_of(place)
        return entry

    def walk(self, last: Part | None, position: Position | None, deep: bool) -> PartSeen:
        """The part as it lies there. What ``last`` and the log say of content with the same size and time is
        believed unless this is ``deep``: names of content are not used again."""
        content, index = self.look.lists.builder(), self.look.lists.builder()
        known = _Known(self.look, None if deep else last)
        told = {} if deep else TouchLog(os.fsdecode(self.look.root)).digests()
        self.switches = {}
        for path, signature in self._files():
            if not self.look.is_content(path):
                index.add(path, self._entry(path, signature, ""))
            elif _TOLD.fullmatch(line := told.get(path, b"")) and line[65:] == b"%d %d" % signature[:2]:
                content.add_record(path, b"%s %s" % (line, path), signature.size)
            else:
                content.add(path, self._entry(path, signature, known.digest(path, signature)))
        part = Part(content.end(), index.end(), *(position or ("", 0)))
        found = self.look.compare(last if deep else None, part)
        if found.damaged:
            shown = ", ".join(printable(path) for path in found.damaged[:5])
            raise DistrogateError(
                "source_damaged",
                f"{os.fsdecode(self.look.root)} holds files that are not what was published, with unchanged"
                f" size and time: {shown}. Put the right ones there, or publish them anew.",
                damaged=[printable(path) for path in found.damaged[:100]],
            )
        return PartSeen(part, True, None, self.switches, found)

    def _files(self) -> t.Iterator[tuple[bytes, Signature]]:
        """All files, as a transaction that is decided will leave them."""
        placed = sorted(path for path in self.overlay if is_listed(path))
        at = 0
        for path, signature in walk(self.look.root):
            while at < len(placed) and placed[at] < path:
                yield from self._placed(placed[at])
                at += 1
            if path not in self.overlay:
                yield path, signature
        for path in placed[at:]:
            yield from self._placed(path)

    def _placed(self, path: bytes) -> t.Iterator[tuple[bytes, Signature]]:
        status = self._status(path)
        if status is not None:
            yield path, signature_of(self.look.prefix + path, status)


class _Known:
    """The digests that an earlier list has, asked for in the order of their paths."""

    def __init__(self, look: Look, last: Part | None) -> None:
        self._entries = iter(()) if last is None else look.lists.entries(last.content)
        self._path = b""
        self._entry: Entry | None = None

    def digest(self, path: bytes, signature: Signature) -> str:
        """The digest of a file with this signature; "" when that is not known."""
        while self._path < path:
            self._next()
        known = self._entry
        if known is None or self._path != path or known[1:] != signature[:2]:
            return ""
        return known.sha256

    def _next(self) -> None:
        try:
            self._path, self._entry = next(self._entries)
        except (StopIteration, DistrogateError):  # a broken list ends early
            self._entries, self._path, self._entry = iter(()), b"\xff" * 4097, None
