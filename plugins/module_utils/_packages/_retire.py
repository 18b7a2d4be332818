# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was replaced stays for slow readers: some generations, some time, and as long as it is pinned."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    CHUNKS,
    Format,
    Json,
    Package,
    State,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan, in_use


class Publishing(t.Protocol):
    """What is known about a publish while it is staged."""

    transaction: Transaction
    state: State
    plan: Plan
    fmt: Format
    params: Json
    now: float


def retire(one: Publishing, after: State) -> list[str]:
    """Write down in ``after`` what is replaced; returns what was replaced long enough ago to go.

    An entry of ``State.retired`` is the serial with which a file was replaced, its
    sha256, and when.
    """
    used = {**public_files(after), **_pool_files(one.plan.added)}
    gone = {name: digest for name, digest in public_files(one.state).items() if name not in used}
    gone.update(_unused(one, after))
    after.retired = {name: entry for name, entry in one.state.retired.items() if name not in used}
    after.retired.update({name: [after.serial, digest, int(one.now)] for name, digest in gone.items()})
    can_undo = not one.transaction.identifier.startswith(".")
    needed = _pool_files(one.plan.removed) if can_undo else {}
    # A snapshot's address goes at once; what it names stays for those who have read it.
    dropped = [one.fmt.for_snapshot(name).switch for name in one.plan.snapshots_gone]
    for name, entry in sorted(after.retired.items()):
        if name not in needed and _is_over(one, after.serial, entry):
            dropped.append(name)
            del after.retired[name]
    return dropped


def _pool_files(packages: t.Iterable[Package]) -> dict[str, str]:
    return {name: sha256 for package in packages for name, sha256, _size in package.files()}


def _unused(one: Publishing, after: State) -> dict[str, str]:
    """Pool files of removed packages, and of snapshots that go, that no scope names any more."""
    found: dict[str, str] = {}
    for package in itertools.chain(one.plan.removed, _of_snapshots(one, after)):
        using = in_use(one.plan.chunks, after.scopes.values(), package)
        found.update((name, sha256) for name, sha256, _size in package.files() if name not in using)
    return found


def _of_snapshots(one: Publishing, after: State) -> t.Iterator[Package]:
    if not one.plan.snapshots_gone:
        return
    seen: set[str] = set().union(*(scope.chunks() for scope in after.scopes.values()))
    for name in one.plan.snapshots_gone:
        for table, refs in one.state.scopes[one.fmt.for_snapshot(name).scope].tables.items():
            for ref in refs:
                if ref.digest not in seen:  # snapshots that follow each other share most of them
                    yield from one.plan.chunks.load(ref, table)
                seen.add(ref.digest)


def _is_over(one: Publishing, serial: int, entry: list[t.Any]) -> bool:
    since, digest, moment = entry
    old = serial - since >= one.params["keep"] and one.now - moment >= one.params["keep_seconds"]
    return old and digest not in one.params["pinned"]


def public_files(state: State) -> dict[str, str]:
    """Every file but those of the pool that a state refers to, with its digest ("" for links)."""
    found: dict[str, str] = {}
    for scope in state.scopes.values():
        found.update((f"layers/{layer['name']}", "") for layer in scope.layers)
        found.update((f"{CHUNKS}/{digest}", digest) for digest in scope.chunks())
        found.update(scope.files)
    return found
