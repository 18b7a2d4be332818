# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publishing: one writer at a time, every change one transaction."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    digest_json,
    inside,
    sha256_file,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import (
    PRIVATE,
    Transaction,
    Transactions,
    make_directories,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    FINISHED,
    KEEP,
    STATE,
    Format,
    Json,
    Scope,
    State,
    exists,
    load_state,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan, undo_record

_AHEAD = 5  # seconds that a Release may be dated ahead, so that each has a date of its own


class Repository:
    """One repository root on this host."""

    def __init__(
        self, root: str, fmt: Format, timeout: float, clock: t.Callable[[], float] = time.time
    ) -> None:
        self.root = os.path.abspath(root)
        self.fmt = fmt
        self.timeout = timeout
        self.clock = clock
        self.log = Transactions(self.root, clock)

    def state(self) -> State:
        """The state as decided: what a killed writer committed counts, finished or not."""
        path = self.log.pending(STATE)
        return load_state(path, self.fmt.kind) or State(self.fmt.kind)

    @contextlib.contextmanager
    def held(self, identifier: str) -> t.Iterator[None]:
        """Be the one writer; waits for others, and for transactions other than ``identifier``."""
        if not os.path.isdir(self.root):
            os.makedirs(self.root, exist_ok=True)
            os.chmod(self.root, 0o755)  # readers are other users, whatever the umask
        make_directories(self.root, PRIVATE)
        deadline = time.monotonic() + self.timeout
        while True:
            with file_lock(inside(self.root, f"{PRIVATE}/lock"), max(0.0, deadline - time.monotonic())):
                self.log.recover()
                other = self._other(identifier)
                if other is None:
                    yield
                    return
            if time.monotonic() >= deadline:
                record = other.record
                until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(float(record["expires"])))
                raise DistrogateError(
                    "reserved",
                    f"{self.root} is reserved by the transaction {other.identifier}, prepared by"
                    f" {record['holder']} at {record['since']}, until {until}; waited {self.timeout:g} s."
                    " Commit or undo it, or wait.",
                    holder={
                        "transaction": other.identifier,
                        "holder": record["holder"],
                        "since": record["since"],
                    },
                )
            time.sleep(min(0.2, max(0.0, deadline - time.monotonic())))

    def _other(self, identifier: str) -> Transaction | None:
        waiting = self.log.reservation()
        if waiting is None or waiting.identifier == identifier:
            return None
        if waiting.identifier in self.state().finished:  # undone, and killed before its files were removed
            waiting.discard()
            return None
        return waiting

    def find(self, identifier: str) -> Transaction | None:
        """A transaction that is prepared under this id."""
        waiting = self.log.reservation()
        return waiting if waiting is not None and waiting.identifier == identifier else None

    def stage(self, transaction: Transaction, state: State, plan: Plan, signer: Signs, outcome: str) -> State:
        """Stage everything that ``plan`` changes; returns the state as it will be.

        New pool files and digest-named metadata come first, then what has a
        fixed name, then the file that makes it visible; removals come last.
        """
        fmt, scope = self.fmt, plan.after
        for package in plan.added:
            if package.key in plan.origins:
                self._clone(transaction, package.file, plan.origins[package.key], package.sha256)
        for layer in scope.layers:
            name = f"layers/{layer['name']}"
            path = inside(self.root, name)
            if not os.path.islink(path) or os.readlink(path) != layer["root"]:
                transaction.put_link(name, layer["root"])
        scope.moment = self._moment(scope)
        rendered = fmt.render(plan.shown, scope.settings, scope.moment, signer)
        public = signer.public_key().encode("ascii")
        named = {"key.asc": public, **rendered.named}
        before = _files(state)
        scope.files = {
            name: hashlib.sha256(data).hexdigest() for name, data in {**rendered.addressed, **named}.items()
        }
        for name, data in {**rendered.addressed, **named}.items():
            known = before.get(name) or str(state.retired.get(name, ["", ""])[1])
            if known != scope.files[name] or not plan.intact or not exists(self.root, name):
                transaction.put(name, data, moment=scope.moment)
        transaction.put(*rendered.switch, switch=True, moment=scope.moment)
        scope.switch_sha256 = hashlib.sha256(rendered.switch[1]).hexdigest()

        after = dataclasses.replace(
            state,
            serial=state.serial + 1,
            scopes={**state.scopes, fmt.scope: scope},
            finished=dict(state.finished),
        )
        self._retire(transaction, state, after, outcome, undo_record(plan))
        return after

    def _clone(self, transaction: Transaction, name: str, source: str, sha256: str) -> None:
        staged = transaction.put_file(name, source)
        if sha256_file(staged) != sha256:
            raise DistrogateError(
                "package_changed",
                f"{source} changed while it was published; nothing was published. Try again.",
            )

    def _moment(self, scope: Scope) -> int:
        """The date of this release, later than the one before: caches compare whole seconds."""
        now = int(self.clock())
        return min(max(now, scope.moment + 1), now + _AHEAD)

    def _retire(
        self, transaction: Transaction, before: State, after: State, outcome: str, undo: Json
    ) -> None:
        """Stage the new state file, and the removal of what was replaced ``KEEP`` generations ago."""
        old, used = _files(before), _files(after)
        after.retired = {
            name: entry
            for name, entry in before.retired.items()
            if name not in used and after.serial - int(entry[0]) < KEEP
        }
        after.retired.update(
            {name: [after.serial, digest] for name, digest in old.items() if name not in used}
        )
        finish(after, transaction.identifier, outcome, self.fmt.scope, undo)
        transaction.put(STATE, after.dump())
        for name in sorted(set(before.retired) - set(after.retired) - set(used)):
            transaction.drop(name)

    def drop(self, waiting: Transaction, state: State) -> None:
        """Undo a prepared transaction: it is written down as undone first, then its files go."""
        state.finished[waiting.identifier] = {
            "state": "undone",
            "serial": state.serial,
            "scope": self.fmt.scope,
        }
        transaction = self.log.begin()
        transaction.put(STATE, state.dump())
        transaction.commit()
        waiting.discard()

    def remember(self, transaction: Transaction, state: State, outcome: str) -> None:
        """Stage nothing but the outcome of a transaction that changed no file."""
        finish(state, transaction.identifier, outcome, self.fmt.scope, None)
        transaction.put(STATE, state.dump())


def finish(state: State, identifier: str, outcome: str, scope: str, undo: Json | None) -> None:
    """Write down how a transaction ended; only the latest one can be undone."""
    for entry in state.finished.values():
        entry.pop("undo", None)
    state.latest = "" if identifier.startswith(".") else identifier
    if state.latest:
        state.finished.pop(identifier, None)
        state.finished[identifier] = {"state": outcome, "serial": state.serial, "scope": scope, "undo": undo}
    newest = sorted(state.finished, key=lambda name: int(state.finished[name]["serial"]))[-FINISHED:]
    state.finished = {name: state.finished[name] for name in newest}


def _files(state: State) -> dict[str, str]:
    """Every public file that a state refers to, with its digest ("" for the links of layers)."""
    found: dict[str, str] = {}
    for scope in state.scopes.values():
        found.update((package.file, package.sha256) for package in scope.packages.values())
        found.update((f"layers/{layer['name']}", "") for layer in scope.layers)
        found.update(scope.files)
    return found


def request_digest(params: t.Mapping[str, t.Any], scope: str, packages: list[str]) -> str:
    """What a prepared transaction was asked to do, so that the same question gets the same answer."""
    names = ("layers", "signing_key", "origin", "label", "architectures", "component", "suite")
    return digest_json(
        {"scope": scope, "packages": sorted(packages), **{name: params.get(name) for name in names}}
    )


def outcome_result(plan: Plan, serial: int) -> Json:
    """The lists that every publish returns."""
    return {
        "added": [package.public() for package in plan.added],
        "removed": [package.public() for package in plan.removed],
        "unchanged": [package.public() for package in plan.skipped],
        "serial": serial,
        "state_digest": plan.after.state_digest,
    }


def explain(difference: Difference, plan: Plan) -> Json:
    """Describe a plan; returns before and after for a record."""
    plan.describe(difference)
    return difference.as_result()
