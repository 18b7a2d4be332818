# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of a policy. Each is a pure function that returns the reasons against a promotion."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import (
    HOLDS,
    MINIMUM_AGE,
    NEWER,
    VERDICTS,
    Json,
    Reason,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    HOLD,
    HOLD_RELEASE,
    PROVENANCE,
    TEST_RESULT,
    Statement,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._times import duration, seconds_of


def stated_at(statement: Statement) -> int:
    """When its signer stated it, in nanoseconds since the epoch."""
    at = statement.predicate.get("at_ns")
    return at if isinstance(at, int) and not isinstance(at, bool) else 0


def part(value: Json, key: str) -> Json:
    """An object in an object; an empty one where a signer wrote something else."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def newest_verdicts(statements: t.Iterable[Statement]) -> dict[str, Statement]:
    """The last verdict of each stage, by the time that its signer stated."""
    found: dict[str, Statement] = {}
    for statement in statements:
        if statement.predicate_type != TEST_RESULT:
            continue
        stage = str(statement.predicate.get("stage"))
        if stage not in found or verdict_order(statement) > verdict_order(found[stage]):
            found[stage] = statement
    return found


def verdict_order(statement: Statement) -> tuple[int, bool, str]:
    """Of two verdicts of one instant the failure counts."""
    return stated_at(statement), statement.predicate.get("result") != "PASSED", statement.name


def open_holds(statements: t.Iterable[Statement]) -> dict[str, Statement]:
    """The holds that nobody released since, by name."""
    found: dict[str, Statement] = {}
    for statement in statements:
        if statement.predicate_type in (HOLD, HOLD_RELEASE):
            name = str(statement.predicate.get("name"))
            if name not in found or hold_order(statement) > hold_order(found[name]):
                found[name] = statement
    return {name: last for name, last in sorted(found.items()) if last.predicate_type == HOLD}


def hold_order(statement: Statement) -> tuple[int, bool, str]:
    """Of a hold and a release of one instant the hold counts."""
    return stated_at(statement), statement.predicate_type == HOLD, statement.name


def sealed_at(statements: t.Iterable[Statement]) -> float | None:
    """When the bundle was first sealed, as its trusted provenance states it."""
    times = [
        seconds_of(part(part(statement.predicate, "runDetails"), "metadata").get("finishedOn"))
        for statement in statements
        if statement.predicate_type == PROVENANCE
    ]
    known = [time for time in times if time is not None]
    return min(known) if known else None


def verdict_reasons(statements: t.Iterable[Statement], wanted: t.Iterable[str], digest: str) -> list[Reason]:
    """The stages of ``wanted`` whose last verdict on this bundle is not PASSED."""
    verdicts = newest_verdicts(statements)
    reasons = []
    for stage in dict.fromkeys(wanted):
        verdict = verdicts.get(stage)
        if verdict is None:
            message = f"There is no trusted verdict of {stage} on {digest}."
            satisfy = (
                f"Run the stage {stage} on the run directory and seal again, or add its verdict with bundle."
            )
        elif verdict.predicate.get("result") != "PASSED":
            result = verdict.predicate.get("result")
            message = f"The last verdict of {stage} on {digest} is {result} ({verdict.name})."
            satisfy = f"Make {stage} pass on this bundle and add its new verdict, or fix the change."
        else:
            continue
        reasons.append(Reason(VERDICTS, message, satisfy, stage))
    return reasons


def age_reasons(sealed: float | None, minimum: float, now: float) -> list[Reason]:
    """A bundle that was not sealed long enough ago."""
    if minimum <= 0:
        return []
    if sealed is None:
        return [
            Reason(
                MINIMUM_AGE,
                f"It must be {duration(minimum)} old, and no trusted provenance says when it was sealed.",
                "Seal the bundle with a key that the policy trusts.",
            )
        ]
    age = now - sealed
    if age >= minimum:
        return []
    return [
        Reason(
            MINIMUM_AGE,
            f"It was sealed {duration(age)} ago; it must be {duration(minimum)} old.",
            f"Wait {duration(minimum - age)}.",
        )
    ]


def newer_reasons(digest: str, sealed: float | None, current: Json | None) -> list[Reason]:
    """A bundle that is no newer than ``current``, which the channel has: its ``digest`` and ``sealed``."""
    if current is None or current.get("digest") == digest:
        return []
    there = seconds_of(current.get("sealed"))
    what = f"{current.get('digest')}, which the channel has,"
    if sealed is None or there is None:
        whose = "this bundle" if sealed is None else what.rstrip(",")
        return [
            Reason(
                NEWER,
                f"Whether it is newer than {what} cannot be told: nothing trusted says when {whose} was"
                " sealed.",
                "Seal it again with this store and a key that the policy trusts.",
            )
        ]
    if sealed > there:
        return []
    when = "in the same second as" if sealed == there else f"{duration(there - sealed)} before"
    return [
        Reason(
            NEWER,
            f"It was sealed {when} {what.rstrip(',')}.",
            "Promote a bundle that was sealed later, or roll the channel back to this one.",
        )
    ]


def hold_reasons(statements: t.Iterable[Statement]) -> list[Reason]:
    """The holds that are open."""
    return [
        Reason(
            HOLDS,
            f"{hold.predicate.get('author')} holds it ({name}): {hold.predicate.get('reason')}",
            f"Release the hold {name} with bundle (predicate_type hold_release) when that is settled.",
            name,
        )
        for name, hold in open_holds(statements).items()
    ]
