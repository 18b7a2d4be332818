# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pointing a channel at a bundle: the steps, driven by a journal in the store.

The journal is one key for each channel. Its ``phase`` decides what a later
call does with a promotion that did not end:

    preparing   nothing was published: undo every target
    committing  something may be published: commit every target, move the channel
    pointed     the channel moved: write the statement

Every step from one phase to the next compares the journal's revision, so only
one of two callers takes it, whatever either of them believes to hold. A roll
back is a promotion of an earlier bundle whose targets restore what they had.
"""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _promotion_tags as tags
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_end import finish, point
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_history import (
    history_key,
    remembered,
    target_states,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_journal import (
    Journal,
    found_journal,
    left_open,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    Json,
    Outcome,
    Request,
    World,
    channel_key,
    checked_channel,
    checked_series,
    immutable_reason,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_open import opened
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_parts import (
    drop_parts,
    read_parts,
    write_parts,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_targets import Targets
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store, until_written


def _nothing() -> None:
    """Nobody looks."""


class Promotion:
    """Promotions to one channel. The caller holds the channel's lock (order), the journal gives safety."""

    def __init__(self, store: Store, channel: str, world: World, by: str = "somebody") -> None:
        self._store = store
        self._channel = checked_channel(channel)
        self._world = world
        self._by = by

    def current(self) -> Json | None:
        """What the channel points to."""
        entry = self._store.get(channel_key(self._channel))
        return None if entry is None else t.cast(Json, entry.value)

    def left(self) -> Json | None:
        """The journal of a promotion that did not end, as it lies there; a prediction takes none up."""
        journal = found_journal(self._store, self._channel)
        return None if journal is None else journal.value

    def recover(self) -> Json | None:
        """Complete or undo a promotion that did not end; returns its journal."""
        journal = found_journal(self._store, self._channel)
        if journal is None:
            drop_parts(self._store, self._channel)  # of a process that was killed beside its journal's life
            return None
        value = journal.value
        self._world.progress(f"found the promotion of {value['digest']} left in phase {value['phase']}")
        # Taking it over changes its revision: whoever began it cannot go on with it.
        journal.step({"taken_over": {"by": self._by, "at": self._world.now()}})
        if value["phase"] != "preparing":
            self._complete(journal, self._targets(journal), again=True)
            return value
        errors = self._undo(journal, self._targets(journal))
        if errors:
            raise DistrogateError(
                "undo_incomplete",
                f"The promotion of {value['digest']} to {self._channel} did not end and could not"
                f" be undone: {' '.join(errors)} Nothing was published."
                " Run it again when that is repaired.",
            )
        return value

    def promote(self, request: Request, last_look: t.Callable[[], None] = _nothing) -> Outcome:
        """Point the channel at a bundle; ``last_look`` may refuse it when all targets are prepared."""
        checked_series(request.series)
        self.recover()
        current = self.current()
        if current is not None and current["digest"] == request.digest:
            declared = request.immutable and self._declare_immutable(request.digest)
            return Outcome(current["version"], request.digest, current["serial"], [], changed=declared)
        against = immutable_reason(self._channel, request.digest, current)
        if against is not None:
            raise DistrogateError("channel_immutable", f"{against.message} {against.satisfy}")
        journal = opened(self._store, self._channel, request, self._world.now())
        targets = Targets(self._world, journal, request.plans)
        try:
            prepared = targets.prepare()
            self._reserve(journal, targets, prepared)
            last_look()
            journal.step({"phase": "committing"})
        except BaseException as error:
            self._give_up(journal, targets, error)
            raise
        committed = self._complete(journal, targets)
        results = [{**before, **after} for before, after in zip(prepared, committed)]
        value = journal.value
        return Outcome(value["version"], value["previous"], value["serial"], results)

    def _declare_immutable(self, digest: str) -> bool:
        """Let the channel stay with the bundle that it has; returns whether it could move before."""
        key = channel_key(self._channel)

        def attempt() -> bool | None:
            pointer = self._store.get(key)
            if pointer is None or pointer.value["digest"] != digest:
                raise DistrogateError(
                    "promotion_lost",
                    f"{self._channel} moved away from {digest} before it could be made immutable."
                    " Look at it.",
                )
            if pointer.value.get("immutable"):
                return False
            written = self._store.transact(
                {key: pointer.revision}, [Put(key, {**pointer.value, "immutable": True})]
            )
            return None if written is None else True

        return until_written(attempt)

    def _targets(self, journal: Journal) -> Targets:
        plans = read_parts(self._store, self._channel, journal.value["transaction"], "plans")
        return Targets(self._world, journal, plans)

    def _reserve(self, journal: Journal, targets: Targets, prepared: list[Json]) -> None:
        """Keep what the targets said, and claim the names that they are going to give."""
        kept = [remembered(result) for result in prepared]
        write_parts(self._store, self._channel, journal.value["transaction"], "prepared", kept)
        tags.claim(journal, tags.tags_of(targets.plans, kept, journal.value))

    def _give_up(self, journal: Journal, targets: Targets, error: BaseException) -> None:
        """Undo; say so when not even that can be tried, because the store went away."""
        try:
            self._undo(journal, targets)
        except DistrogateError:
            if not isinstance(error, DistrogateError):
                return
            raise left_open(self._channel, journal.value["digest"], error) from error

    def _undo(self, journal: Journal, targets: Targets) -> list[str]:
        """Undo every target, whatever each says, and close the journal when all did; returns errors."""
        transaction = journal.value["transaction"]
        entry = self._store.get(journal.key)
        ours = entry is not None and entry.value["transaction"] == transaction
        if entry is not None and ours and entry.value["phase"] != "preparing":
            return []  # the step to commit was taken, though its answer was lost: the next call completes it
        row = None if ours else self._store.get(history_key(self._channel, journal.value["serial"]))
        if row is not None and row.value["transaction"] == transaction:
            return []  # another took it over and completed it: nothing of it is undone
        errors = targets.undo()
        if errors:
            self._world.progress("could not undo everywhere, the next promotion will: " + " ".join(errors))
        elif ours and entry is not None and entry.revision == journal.revision:
            kept = read_parts(self._store, self._channel, transaction, "prepared")
            tags.release(journal, tags.tags_of(targets.plans, kept, journal.value))
            journal.close()
        return errors

    def _complete(self, journal: Journal, targets: Targets, again: bool = False) -> list[Json]:
        """From ``committing`` to the end; may be called again at any point of it."""
        try:
            return self._completed(journal, targets, again)
        except DistrogateError as error:
            if error.reason in ("promotion_lost", "statement_unwritten"):
                raise
            raise DistrogateError(
                "promotion_incomplete",
                f"The promotion of {journal.value['digest']} to {self._channel} has begun to publish and"
                f" could not end: {error.message} Run it again: it goes on from here.",
                cause=error.reason,
            ) from error

    def _completed(self, journal: Journal, targets: Targets, again: bool) -> list[Json]:
        kept = read_parts(self._store, self._channel, journal.value["transaction"], "prepared")
        committed: list[Json] = []
        if journal.value["phase"] == "committing":
            committed = targets.commit()
            point(journal, self._world, target_states(targets.plans, kept, committed))
        names = tags.tags_of(targets.plans, kept, journal.value)
        finish(journal, self._world, targets.plans, names, again)
        return committed
