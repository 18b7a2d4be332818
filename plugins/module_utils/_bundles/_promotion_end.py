# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a promotion: the channel moves, with its history, its pins and its statement."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _promotion_tags as tags
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import digest_hex
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_history import history_key
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_journal import Journal
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    NUMBERED,
    Json,
    World,
    channel_key,
    version_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._pins import Pins
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, Store

_POINTER = ("digest", "version", "series", "serial", "previous", "at", "by", "state", "immutable")
_ROW = ("digest", "version", "series", "serial", "at", "by", "state", "transaction")


def point(journal: Journal, world: World, states: list[Json]) -> None:
    """Move the channel, write its history and its pins, and note all in the journal, at once."""
    value = journal.value
    channel = channel_key(journal.channel)
    pointer = journal.store.get(channel)
    if (pointer.value["digest"] if pointer else None) != value["previous"]:
        raise journal.lost()
    statement = world.statement(value, states)
    moved = {name: value[name] for name in _POINTER}
    row = {**{name: value[name] for name in _ROW}, "from": value["previous"], "states": states}
    history = history_key(journal.channel, value["serial"])
    expected = {channel: pointer.revision if pointer else 0, history: 0}
    operations: list[Put | Delete] = [Put(channel, moved), Put(history, {**row, "statement": statement})]
    if value["numbered"] in NUMBERED:
        key = version_key(value["series"], value["version"])
        expected[key] = 0
        operations.append(Put(key, {**moved, "channel": journal.channel}))
    operations += _pins(journal, pointer.value.get("previous") if pointer else None)
    journal.step({"phase": "pointed", "statement": statement}, expected, operations)


def _pins(journal: Journal, forgotten: str | None) -> list[Put | Delete]:
    """Keep the run directories of what the channel has now, and had before."""
    value = journal.value
    pins = Pins(journal.store, "run")
    holder = channel_key(journal.channel)
    found: list[Put | Delete] = []
    kept = set()
    for digest in (value["digest"], value["previous"]):
        origin = value["origin"] if digest == value["digest"] else _origin(journal.store, digest)
        if origin and origin.get("run_dir"):
            kept.add(origin["run_dir"])
            facts = {"bundle": digest, "host": origin["host"]}
            found.append(pins.adding(origin["run_dir"], holder, facts))
    gone = _origin(journal.store, forgotten)
    if gone and gone["run_dir"] not in kept:
        found.append(pins.removing(gone["run_dir"], holder))
    return found


def _origin(store: Store, digest: str | None) -> Json | None:
    entry = store.get(f"bundle/{digest_hex(digest)}") if digest else None
    return None if entry is None else t.cast(Json, entry.value)


def finish(
    journal: Journal, world: World, plans: t.Sequence[Json], names: list[tags.Tag], again: bool
) -> None:
    """From ``pointed`` to the end; may be called again at any point of it.

    Readers have the bundle by now, whatever becomes of what is said of it.
    """
    tags.settle(journal, names)
    value = journal.value
    calls = [
        functools.partial(world.publish_statement, value),
        functools.partial(world.attach_statements, value, plans),
    ]
    errors = [error for error in (_tried(journal, call) for call in calls) if error is not None]
    said = " ".join(error.message for error in errors)
    # The store has the statement too, so a run directory that is gone may not block the channel.
    if errors and not again:
        raise DistrogateError(
            "statement_unwritten",
            f"{journal.channel} points to {value['digest']} now, but the promotion's statement could"
            f" not be written beside the bundle or its images: {said} Run it again to write it.",
            cause=errors[0].reason,
        ) from errors[0]
    if errors:
        world.progress(f"the statement of {journal.channel} {value['serial']} is not everywhere: {said}")
    journal.close()


def _tried(journal: Journal, call: t.Callable[[], None]) -> DistrogateError | None:
    """Why it failed. Whoever lost the journal goes no further."""
    try:
        journal.fence()
        call()
    except DistrogateError as error:
        if error.reason == "promotion_lost":
            raise
        return error
    return None
