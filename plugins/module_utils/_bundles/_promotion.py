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
one of two callers takes it, whatever either of them believes to hold.
"""

from __future__ import annotations

import typing as t
import uuid

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    UNKNOWN_TRANSACTION,
    VERSION_COUNTER,
    Outcome,
    Target,
    World,
    channel_key,
    checked_channel,
    journal_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, Store

Json = dict[str, t.Any]


def _commit(target: Target) -> Json:
    """Commit; a target that forgot the transaction, because its reservation ended, prepares once more."""
    try:
        return target.commit()
    except DistrogateError as error:
        if error.reason != UNKNOWN_TRANSACTION:
            raise
    target.prepare()
    return target.commit()


class Promotion:
    """Promotions to one channel. The caller holds the channel's lock (order), the journal gives safety."""

    def __init__(self, store: Store, channel: str, world: World) -> None:
        self._store = store
        self._channel = checked_channel(channel)
        self._world = world
        self._key = journal_key(channel)

    def current(self) -> Json | None:
        """What the channel points to."""
        entry = self._store.get(channel_key(self._channel))
        return None if entry is None else t.cast(Json, entry.value)

    def open_journal(self) -> Json | None:
        """The promotion that did not end, if there is one."""
        entry = self._store.get(self._key)
        return None if entry is None else t.cast(Json, entry.value)

    def recover(self) -> Json | None:
        """Complete or undo a promotion that did not end; returns its journal."""
        entry = self._store.get(self._key)
        if entry is None:
            return None
        journal = t.cast(Json, entry.value)
        self._world.progress(f"found the promotion of {journal['digest']} left in phase {journal['phase']}")
        # Taking it over changes its revision: whoever began it cannot go on with it.
        revision = self._step(entry.revision, {**journal, "takeovers": journal.get("takeovers", 0) + 1})
        if journal["phase"] == "preparing":
            errors = self._undo(journal, revision)
            if errors:
                raise DistrogateError(
                    "undo_incomplete",
                    f"The promotion of {journal['digest']} to {self._channel} did not end and could not"
                    f" be undone: {'; '.join(errors)} Nothing was published."
                    " Run it again when that is repaired.",
                )
        else:
            self._complete(journal, revision, again=True)
        return journal

    def promote(self, digest: str, plans: list[Json], origin: Json, by: str) -> Outcome:
        """Point the channel at ``digest``; ``plans`` are its targets, ``origin`` is where the bundle lies."""
        self.recover()
        current = self.current()
        if current is not None and current["digest"] == digest:
            return Outcome(current["version"], digest, current["serial"], [], changed=False)
        journal, revision = self._begin(digest, plans, origin, by)
        prepared: list[Json] = []
        try:
            for target in self._targets(journal):
                prepared.append(target.prepare())
            revision = self._step(revision, {**journal, "phase": "committing"})
        except BaseException:
            self._undo(journal, revision)
            raise
        journal["phase"] = "committing"
        committed = self._complete(journal, revision)
        targets = [{**before, **after} for before, after in zip(prepared, committed)]
        return Outcome(journal["version"], journal["previous"], journal["serial"], targets)

    def _targets(self, journal: Json) -> list[Target]:
        return [self._target(plan, journal) for plan in journal["plans"]]

    def _target(self, plan: Json, journal: Json) -> Target:
        return self._world.target(plan, journal["origin"], journal["transaction"])

    def _begin(self, digest: str, plans: list[Json], origin: Json, by: str) -> tuple[Json, int]:
        """Open the journal and take the next version number, both or neither."""
        while True:
            counter = self._store.get(VERSION_COUNTER)
            pointer = self._store.get(channel_key(self._channel))
            number = (counter.value if counter else 0) + 1
            journal = {
                "id": self._channel,
                "begun": self._store.now(),
                "phase": "preparing",
                "channel": self._channel,
                "digest": digest,
                "previous": pointer.value["digest"] if pointer else None,
                "serial": (pointer.value["serial"] if pointer else 0) + 1,
                "version": f"{number}.0.0",
                "transaction": uuid.uuid4().hex,
                "plans": plans,
                "origin": origin,
                "at": self._world.now(),
                "by": by,
            }
            revision = self._store.transact(
                {VERSION_COUNTER: counter.revision if counter else 0, self._key: 0},
                [Put(VERSION_COUNTER, number), Put(self._key, journal)],
            )
            if revision is not None:
                return journal, revision
            if self._store.get(self._key) is not None:
                raise self._lost()

    def _step(self, revision: int, journal: Json) -> int:
        after = self._store.transact({self._key: revision}, [Put(self._key, journal)])
        if after is None:
            raise self._lost()
        return after

    def _lost(self) -> DistrogateError:
        return DistrogateError(
            "promotion_lost",
            f"Another promotion took over the channel {self._channel}, because this one seemed dead."
            " Run it again when the other has ended.",
        )

    def _undo(self, journal: Json, revision: int) -> list[str]:
        """Undo every target, whatever each says, and close the journal when all did; returns errors."""
        entry = self._store.get(self._key)
        ours = entry is not None and entry.value["transaction"] == journal["transaction"]
        if entry is not None and ours and entry.value["phase"] != "preparing":
            return []  # the step to commit was taken, though its answer was lost: the next call completes it
        errors = []
        for plan in journal["plans"]:
            try:
                self._target(plan, journal).undo()
            except DistrogateError as error:
                errors.append(error.message)
        if errors:
            self._world.progress("could not undo everywhere, the next promotion will: " + "; ".join(errors))
        else:
            self._store.transact({self._key: revision}, [Delete(self._key)])
        return errors

    def _complete(self, journal: Json, revision: int, again: bool = False) -> list[Json]:
        """From ``committing`` to the end; may be called again at any point of it."""
        committed: list[Json] = []
        if journal["phase"] == "committing":
            try:
                for target in self._targets(journal):
                    committed.append(_commit(target))
            except DistrogateError as error:
                raise DistrogateError(
                    "promotion_incomplete",
                    f"The promotion of {journal['digest']} to {self._channel} has begun to publish and could"
                    f" not end: {error.message} Run it again: it goes on from here.",
                    cause=error.reason,
                ) from error
            journal, revision = self._point(journal, revision)
        try:
            self._world.publish_statement(journal)
        except DistrogateError as error:
            # The store has the statement too, so a run directory that is gone may not block the channel.
            if not again:
                raise DistrogateError(
                    "statement_unwritten",
                    f"{self._channel} points to {journal['digest']} now, but the promotion's statement could"
                    f" not be written beside the bundle: {error.message} Run it again to write it.",
                    cause=error.reason,
                ) from error
            self._world.progress(
                f"the statement of {journal['version']} stays in the store alone: {error.message}"
            )
        self._store.transact({self._key: revision}, [Delete(self._key)])
        return committed

    def _point(self, journal: Json, revision: int) -> tuple[Json, int]:
        """Move the channel, and note it in the journal, at once."""
        pointer = self._store.get(channel_key(self._channel))
        if (pointer.value["digest"] if pointer else None) != journal["previous"]:
            raise self._lost()
        value = {name: journal[name] for name in ("digest", "version", "serial", "previous", "at", "by")}
        journal = {**journal, "phase": "pointed", "statement": self._world.statement(journal)}
        version_key = channel_key(journal["version"])
        after = self._store.transact(
            {
                channel_key(self._channel): pointer.revision if pointer else 0,
                self._key: revision,
                version_key: 0,
            },
            [
                Put(channel_key(self._channel), value),
                Put(version_key, {**value, "channel": self._channel, "statement": journal["statement"]}),
                Put(self._key, journal),
            ],
        )
        if after is None:
            raise self._lost()
        return journal, after
