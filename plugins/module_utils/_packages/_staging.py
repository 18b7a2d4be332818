# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Staging a plan: pool, chunks and indexes first, then what has a fixed name, then the switch."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    inside,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._packages._assemble import assemble, source_digest
from ansible_collections.distrogate.ci.plugins.module_utils._packages._changes import undo_record
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    CHUNKS,
    STATE,
    Format,
    Index,
    Json,
    Scope,
    State,
    Written,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._outcome import finish, notes
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan
from ansible_collections.distrogate.ci.plugins.module_utils._packages._pool import bring
from ansible_collections.distrogate.ci.plugins.module_utils._packages._resign import resign_snapshots
from ansible_collections.distrogate.ci.plugins.module_utils._packages._retire import public_files, retire
from ansible_collections.distrogate.ci.plugins.module_utils._packages._state import dump_state
from ansible_collections.distrogate.ci.plugins.module_utils._packages._verify import verify

_AHEAD = 5  # seconds that a Release may be dated ahead, so that each has a date of its own
_READ_ONLY = 0o444


@dataclasses.dataclass
class Staging:
    """One plan on its way into one transaction; ``params`` are the module's, ``now`` is in seconds."""

    transaction: Transaction
    state: State
    plan: Plan
    fmt: Format
    signer: Signs
    params: Json
    now: float

    def __post_init__(self) -> None:
        self.root = self.transaction.root
        retired = {name: str(one[1]) for name, one in self.state.retired.items()}
        self.known = {**public_files(self.state), **retired}

    def stage(self, outcome: str) -> State:
        """Stage everything; returns the state as it will be."""
        plan, scopes = self.plan, dict(self.state.scopes)
        self._stage_pool()
        for layer in plan.after.layers:
            name = f"layers/{layer['name']}"
            path = inside(self.root, name)
            if not os.path.islink(path) or os.readlink(path) != layer["root"]:
                self.transaction.put_link(name, layer["root"])
        self._stage_key(self.signer.public_key().encode("ascii"))
        self._stage_scope(self.fmt, plan.after, plan.before)
        scopes[self.fmt.scope] = plan.after
        for name in plan.snapshots_gone:
            scopes.pop(self.fmt.for_snapshot(name).scope)
        if plan.snapshot is not None:
            snapshot = self.fmt.for_snapshot(plan.snapshot_name)
            self._stage_scope(snapshot, plan.snapshot, None)
            scopes[snapshot.scope] = plan.snapshot
        resign_snapshots(self.transaction, self.fmt, scopes, plan.after, self.signer)
        after = dataclasses.replace(
            self.state, serial=self.state.serial + 1, scopes=scopes, finished=dict(self.state.finished)
        )
        for digest in set().union(*(scope.chunks() for scope in scopes.values())) & set(plan.chunks.new):
            self.transaction.put(f"{CHUNKS}/{digest}", plan.chunks.new.get(digest))
        dropped = retire(self, after)
        identifier = self.transaction.identifier
        undo = None if identifier.startswith(".") else undo_record(self.plan)
        finish(after, identifier, outcome, self.fmt.scope, undo)
        self.transaction.put(STATE, dump_state(after))
        for name in dropped:
            self.transaction.drop(name)
        for note in notes(plan, self.fmt, after.serial):
            self.transaction.tell(note)
        if self.params["verify"] == "client":
            verify(self.transaction, self.fmt, plan.after, plan.added, self.params["timeout"])
        return after

    def _stage_pool(self) -> None:
        for package in self.plan.added:
            for name, sha256, _size in package.files():
                origin = self.plan.origins.get(name)
                if origin is not None:
                    bring(origin, self.transaction.place(name, sha256), sha256, self.params["hard_link"])

    def _stage_key(self, key: bytes) -> None:
        """The key, unless it is there: no scope knows its digest, and mirrors need not look at it again."""
        with contextlib.suppress(FileNotFoundError), open(inside(self.root, "key.asc"), "rb") as stream:
            if stream.read(len(key) + 1) == key:
                return
        self._put_known("key.asc", key, self.now)

    def _stage_scope(self, fmt: Format, scope: Scope, before: Scope | None) -> None:
        scope.moment = self._moment(before)
        scope.files = {}
        old = {name: Written.parse(raw) for name, raw in before.written.items()} if before else {}
        tables = scope.shown or scope.tables
        written = {
            index.name: self._stage_index(fmt, scope, index, old.get(index.name))
            for index in fmt.indexes(tables, scope.settings)
        }
        scope.written = {name: list(one) for name, one in written.items()}
        rendered = fmt.render(written, scope, scope.moment, self.signer)
        scope.valid_until = rendered.valid_until
        for name, data in {**rendered.addressed, **rendered.named}.items():
            scope.files[name] = self._put_known(name, data, scope.moment)
        name, data = rendered.switch
        scope.switch_sha256 = hashlib.sha256(data).hexdigest()
        self.transaction.put(name, data, switch=True, moment=scope.moment, sha256=scope.switch_sha256)
        for file, sha256, _size in scope.settings.get("extras", {}).values():
            scope.files[f"{os.path.dirname(fmt.switch)}/{file}"] = sha256
            self._bring_extra(f"{os.path.dirname(fmt.switch)}/{file}", file, scope.moment, sha256)

    def _bring_extra(self, name: str, file: str, moment: float, sha256: str) -> None:
        """What a site added is in the repository itself; a snapshot gets it from there."""
        if self.transaction.where(name) or os.path.lexists(inside(self.root, name)):
            return
        there = f"{os.path.dirname(self.fmt.switch)}/{file}"
        with open(self.transaction.where(there) or inside(self.root, there), "rb") as stream:
            self.transaction.put(name, stream.read(), moment=moment, sha256=sha256)

    def _stage_index(self, fmt: Format, scope: Scope, index: Index, old: Written | None) -> Written:
        """Write an index, unless it is there already."""
        tables = scope.shown or scope.tables
        suffixes = [f".{name}" for name in scope.settings["compression"]]
        same = old is not None and old.source == source_digest(index, tables, suffixes)
        if old is not None and same and self.plan.intact and self._is_there(fmt, index, old):
            scope.files.update(_names(fmt, index, old))
            return old
        staged = {suffix: self.transaction.stage() for suffix in suffixes}
        found = assemble(self.plan.chunks, tables, index, staged)
        for suffix, path in staged.items():
            os.chmod(path, 0o644)
            sha256 = found.packed[suffix][1]
            addressed, *named = fmt.addresses(index, suffix, sha256)
            self.transaction.put_staged(addressed, path, moment=scope.moment, sha256=sha256)
            for name in named:
                self.transaction.put_same(name, path, sha256)
        scope.files.update(_names(fmt, index, found))
        return found

    def _is_there(self, fmt: Format, index: Index, written: Written) -> bool:
        """Whether all files of an index are there, with their sizes."""
        return all(
            _size(inside(self.root, name)) == size
            for suffix, (size, digest) in written.packed.items()
            for name in fmt.addresses(index, suffix, digest)
        )

    def _put_known(self, name: str, data: bytes, moment: float) -> str:
        """Stage a file unless it is there with these contents; returns its sha256."""
        digest = hashlib.sha256(data).hexdigest()
        there = os.path.lexists(inside(self.root, name))
        if self.known.get(name) != digest or not self.plan.intact or not there:
            self.transaction.put(name, data, moment=moment, sha256=digest)
        self.known[name] = digest
        return digest

    def _moment(self, before: Scope | None) -> int:
        """The date of this release, later than the one before: caches compare whole seconds."""
        now = int(self.now)
        return min(max(now, before.moment + 1 if before else 0), now + _AHEAD)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return -1


def _names(fmt: Format, index: Index, written: Written) -> dict[str, str]:
    return {
        name: digest
        for suffix, (_size, digest) in written.packed.items()
        for name in fmt.addresses(index, suffix, digest)
    }
