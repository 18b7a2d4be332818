# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a channel had: one row for each time that it moved, never changed, and the way back to one."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_adapters import (
    Adapter,
    adapter_of,
    place_in,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import Json, channel_key
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store

_SHOWN = 200  # published names that a row keeps of each target
# Characters of these names, of all targets. The row, its statement and the journal are written at once, after
# the targets were committed: what a store does not take (etcd: 1.5 MiB) could never be ended then.
_ROOM = 200_000
_REACHED = (
    "host",
    "plugin",
    "place",
    "arguments",
    "from_environment",
    "artifact_types",
    "artifact_names",
    "incoming",
    "attach",
)
_REMEMBERED = ("state_digest", "previous", "published")


def history_key(channel: str, serial: int) -> str:
    """Sorted as they came."""
    return f"history/{channel}/{serial:012d}"


def history(store: Store, channel: str) -> list[Json]:
    """The rows of a channel, oldest first."""
    return [t.cast(Json, entry.value) for entry in store.list(f"history/{channel}/")]


def remembered(result: Json) -> Json:
    """What of a target's result is kept until the channel has moved."""
    return {name: result[name] for name in _REMEMBERED if result.get(name) is not None}


def target_states(
    plans: t.Sequence[Json], prepared: t.Sequence[Json], committed: t.Sequence[Json]
) -> list[Json]:
    """What each target has after a promotion, and what is needed to bring it back to that."""
    states = []
    room = _ROOM // max(1, len(plans))
    for plan, before, after in zip(plans, prepared, committed):
        # What was prepared counts: before a killed promotion goes on, others may have published.
        known: Json = {**remembered(after), **before}
        published = known.pop("published", [])
        state: Json = {name: plan[name] for name in _REACHED if name in plan}
        if isinstance(known.get("previous"), list):
            known["previous"] = _fitting(known["previous"], room // 4)
        shown = _fitting(published, room)
        states.append({**state, **known, "published": shown, "published_total": len(published)})
    return states


def _fitting(rows: t.Sequence[t.Any], room: int) -> list[t.Any]:
    """The first rows, of no more than so many characters."""
    found = []
    for row in rows[:_SHOWN]:
        room -= len(json.dumps(row))
        if room < 0:
            break
        found.append(row)
    return found


def stated(states: t.Iterable[Json]) -> list[Json]:
    """What a signed statement says of the targets: nothing of how they are reached."""
    names = ("host", "plugin", "place", "state_digest", "published", "published_total")
    return [{name: state[name] for name in names if name in state} for state in states]


def earlier(store: Store, channel: str, digest: str | None) -> tuple[Json, list[Json]]:
    """The newest row of an earlier bundle (None: the one before), and all rows of the channel."""
    pointer = store.get(channel_key(channel))
    rows = history(store, channel)
    wanted = digest or (pointer.value["previous"] if pointer else None)
    if pointer is None or wanted is None:
        raise DistrogateError(
            "no_previous", f"The channel {channel} had no bundle before: there is nothing to roll back to."
        )
    found = [row for row in rows if row["digest"] == wanted]
    if not found:
        had = list(dict.fromkeys(row["digest"] for row in reversed(rows)))
        raise DistrogateError(
            "not_in_history",
            f"{channel} never had {wanted}, so it cannot be rolled back to it. It had"
            f" {', '.join(had[:10]) or 'nothing that was written down'}. Promote it instead.",
            had=had,
        )
    return found[-1], rows


def place_of(state: Json) -> tuple[str, str, str]:
    """Which target this is, whatever else it was told."""
    return str(state["host"]), str(state["plugin"]), str(state.get("place", ""))


def way_back(rows: t.Sequence[Json], serial: int, restoring: t.Collection[str]) -> list[Json]:
    """The targets as they were when the channel got ``serial``: what each had then, and all that came since.

    A target that keeps states of its own (``restoring``) and joined the channel later has none to go back to.
    """
    found: dict[tuple[str, str, str], Json] = {}
    strangers: dict[tuple[str, str, str], Json] = {}
    for row in rows:
        for state in row["states"]:
            if row["serial"] <= serial:
                found[place_of(state)] = state
            elif place_of(state) not in found:
                strangers[place_of(state)] = state
    lost = [state for state in strangers.values() if state["plugin"] in restoring]
    lost += [
        state for state in found.values() if state["plugin"] in restoring and not state.get("state_digest")
    ]
    if lost:
        places = ", ".join(f"{state['place']} on {state['host']} ({state['plugin']})" for state in lost)
        raise DistrogateError(
            "no_earlier_state",
            f"{places} had no state of that bundle to go back to. Promote the bundle anew, or leave that"
            " target to a channel of its own.",
        )
    return [*found.values(), *({**state, "joined": True} for state in strangers.values())]


def targets_back(
    rows: t.Sequence[Json], serial: int, given: t.Sequence[Json], restoring: t.Collection[str]
) -> list[Json]:
    """As ``way_back``, with what a caller says of targets: how they are reached may have changed since."""
    named = [{**target, "plugin": target["plugin"].rpartition(".")[2]} for target in given]
    placed = [{**target, "place": place_in(*_known(target))} for target in named]
    latest = {"serial": serial + 1, "states": placed}
    news = {place_of(target): target for target in placed}
    return [
        {**state, **_told_anew(news.get(place_of(state)))}
        for state in way_back([*rows, latest], serial, restoring)
    ]


def _told_anew(target: Json | None) -> Json:
    """How a target is reached now."""
    names = ("arguments", "from_environment", "attach")
    return {} if target is None else {name: target[name] for name in names if name in target}


def _known(target: Json) -> tuple[Adapter, Json]:
    return adapter_of(target)[1], target["arguments"]
