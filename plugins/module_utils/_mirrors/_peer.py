# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mirror's part in a transaction: make ready, switch, go back, forget."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import shutil
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import clone_file
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import (
    CONTENT,
    SWITCH,
    classify,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._listing import STAGING, Listing
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rsync import Rsync
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot import file_in

_AT_ONCE = 16


def staged_name(path: bytes) -> bytes:
    """Where a file waits on the mirror: beside its name, where rsync's partial folder is."""
    folder, slash, name = path.rpartition(b"/")
    return folder + slash + STAGING + b"/" + name


def split(base: Listing | None, target: Listing) -> tuple[list[bytes], list[bytes]]:
    """What a mirror lacks: names to add now, and names to switch later.

    ``base`` is what it holds; None when that is not certain. A name that it
    already has with other content is switched, never overwritten before.
    """
    held = base or {}
    added: list[bytes] = []
    switched: list[bytes] = []
    for path, entry in target.items():
        if held.get(path) != entry:
            (added if classify(path) == CONTENT and path not in held else switched).append(path)
    return sorted(added), sorted(switched)


def stage(work: str, paths: t.Iterable[bytes], copies: str, source: str) -> None:
    """Lay out the files to switch below ``work``: once as they wait, once as they will be.

    What is not among the copies (changed content of a tree that is no
    repository) comes from the source.
    """
    shutil.rmtree(work, ignore_errors=True)
    for path in paths:
        waiting, ready = (
            file_in(os.path.join(work, "stage"), staged_name(path)),
            file_in(ready_folder(work), path),
        )
        for folder in (os.path.dirname(waiting), os.path.dirname(ready)):
            os.makedirs(folder, exist_ok=True)
        copy = file_in(copies, path)
        if os.path.exists(copy):
            os.link(copy, ready)
        else:
            _own_copy(file_in(source, path), ready)
        os.link(ready, waiting)
    os.makedirs(work, exist_ok=True)


def _own_copy(source: str, target: str) -> None:
    clone_file(source, target)
    times = os.stat(source)
    os.utime(target, ns=(times.st_mtime_ns, times.st_mtime_ns))


def ready_folder(work: str) -> str:
    """The files to switch, under their own names."""
    return os.path.join(work, "ready")


class Peer:
    """One mirror and what it lacks of ``target``."""

    def __init__(self, rsync: Rsync, base: Listing | None, target: Listing) -> None:
        self.rsync = rsync
        self.base = base
        self.blank = False
        self.added, self.switched = split(base, target)
        self.size = sum(target[path].size for path in self.added + self.switched)

    @property
    def address(self) -> str:
        return self.rsync.mirror.address

    def prepare(self, source: str) -> None:
        """Add the new names, put the others in waiting, and compare what arrived."""
        waiting = os.path.join(self.rsync.work, "stage")
        if self.base is None:
            self.blank = not self.rsync("probe", ready_folder(self.rsync.work), self.switched)
        parts = [(source, self.added), (waiting, [staged_name(path) for path in self.switched])]
        for folder, names in parts:
            self.rsync("send", folder, names)
        for folder, names in parts:
            if self.rsync("verify", folder, names):
                raise DistrogateError(
                    "mirror_failed",
                    f"{self.address}: differs from the source after the transfer",
                    why="it differs",
                )

    def switch(self) -> None:
        """Rename what waits: plain-name files first, then the files that name the rest."""
        self._send_switch(ready_folder(self.rsync.work), self.switched)
        if self.base is None:
            self.discard()  # what it had already was not renamed

    def restore(self, copies: str, before: Listing, after: Listing) -> None:
        """Bring back the switch and plain-name files of ``before``; what only ``after`` has, goes."""
        mine = [path for path in before if classify(path) != CONTENT]
        self._send_switch(
            copies, sorted(path for path in mine if self.base is None or before[path] != after.get(path))
        )
        self.remove(sorted(path for path in after if classify(path) != CONTENT and path not in before))

    def discard(self) -> None:
        """Remove what waits."""
        folders = {os.path.dirname(staged_name(path)) for path in self.switched}
        self._delete("discard", folders)

    def remove(self, names: t.Iterable[bytes]) -> None:
        """Delete files by name; others stay, whatever they are."""
        self._delete("delete", set(names))

    def _send_switch(self, folder: str, names: list[bytes]) -> None:
        self.rsync("switch", folder, [path for path in names if classify(path) != SWITCH])
        self.rsync("switch", folder, [path for path in names if classify(path) == SWITCH])

    def _delete(self, operation: str, names: set[bytes]) -> None:
        # rsync deletes the listed names that its source lacks: so that source holds only folders.
        with tempfile.TemporaryDirectory(dir=self.rsync.work) as empty:
            for name in names:
                os.makedirs(os.path.dirname(file_in(empty, name)), exist_ok=True)
            self.rsync(operation, empty, sorted(names))


def each(peers: t.Iterable[Peer], step: t.Callable[[Peer], None]) -> dict[str, str]:
    """Do ``step`` on all mirrors at once; returns why it failed, by address."""
    failures: dict[str, str] = {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        steps = {pool.submit(step, peer): peer for peer in peers}
        for future, peer in steps.items():
            try:
                future.result()
            except DistrogateError as error:
                failures[peer.address] = str(error.details.get("why") or error.message)
    return failures


def quietly(peers: t.Iterable[Peer], step: t.Callable[[Peer], None]) -> None:
    """Do ``step`` where it can be done: nothing depends on it."""
    with contextlib.suppress(OSError):
        each(peers, step)
