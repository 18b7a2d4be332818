# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding a state that the mirrors showed: by its digest, its name, or the time."""

from __future__ import annotations

import datetime
import re

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal_state import Shown, State

_DIGEST = re.compile(r"^(?:sha256:)?([0-9a-f]{8,64})\Z")


def find_shown(state: State, wanted: str | None) -> Shown:
    """The state that ``wanted`` means; without it the one before the present one.

    Errors ``unknown_snapshot`` and ``ambiguous_snapshot``.
    """
    if wanted is None:
        return _before(state)
    named = [one for one in state.shown if wanted in one.names]
    digest = _DIGEST.match(wanted)
    if not named and digest:
        named = [one for one in state.shown if one.snapshot.startswith(digest.group(1))]
    if not named:
        named = _at(state.shown, wanted)
    if not named:
        raise DistrogateError("unknown_snapshot", f"{wanted!r} is no state that is kept. {_known(state)}")
    if len({one.snapshot for one in named}) > 1:
        raise DistrogateError("ambiguous_snapshot", f"{wanted!r} means more than one state. {_known(state)}")
    return named[-1]


def _before(state: State) -> Shown:
    """The state before the present one. After going back: before that was shown first, not what we left."""
    shown = state.shown
    if state.refused and shown:
        ids = [one.snapshot for one in shown]
        shown = shown[: ids.index(ids[-1])]
    older = [one for one in shown if one.snapshot != state.committed]
    if not older:
        raise DistrogateError(
            "unknown_snapshot", f"No state from before the present one is kept. {_known(state)}"
        )
    return older[-1]


def _at(shown: list[Shown], wanted: str) -> list[Shown]:
    """What was shown at a time."""
    moment = parse_time(wanted)
    before = [one for one in shown if moment is not None and one.since <= moment]
    return before[-1:]


def parse_time(text: str) -> float | None:
    """Seconds since 1970 of an ISO 8601 time, UTC unless it says otherwise; None when it is none."""
    try:
        moment = datetime.datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", text.strip()))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.timestamp()


def show_time(since: float) -> str:
    """A time for people: ISO 8601, UTC."""
    moment = datetime.datetime.fromtimestamp(since, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _known(state: State) -> str:
    known = [
        " ".join([f"sha256:{one.snapshot[:16]}…", show_time(one.since), *one.names])
        for one in state.shown[-10:]
    ]
    return "Kept are: " + "; ".join(known) + "." if known else "Nothing was ever shown."
