# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waivers: which reasons against a promotion do not count, and by whose word."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import (
    NARROWED,
    Reason,
    Waived,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_rules import stated_at
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import WAIVER, Statement
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._times import seconds_of


def waivers(statements: t.Iterable[Statement]) -> list[Statement]:
    """The waivers that have the form of one, the newest first."""
    found = [
        statement for statement in statements if statement.predicate_type == WAIVER and _whole(statement)
    ]
    return sorted(found, key=lambda waiver: (stated_at(waiver), waiver.name), reverse=True)


def _whole(waiver: Statement) -> bool:
    said = waiver.predicate
    if said.get("rule") not in tuple(NARROWED) or seconds_of(said.get("expires")) is None:
        return False
    # One that is narrowed by what its rule does not know was meant for something smaller.
    narrowed = {name for name in NARROWED.values() if name and name in said}
    texts = all(isinstance(said.get(name), str) and said[name] for name in ("author", "reason"))
    return texts and narrowed <= {NARROWED[said["rule"]]}


def _speaks_of(waiver: Statement, reason: Reason) -> bool:
    said = waiver.predicate
    narrowed = NARROWED[said["rule"]]
    return said["rule"] == reason.rule and (not narrowed or said.get(narrowed) in (None, reason.about))


def waive(
    reasons: t.Iterable[Reason],
    statements: t.Iterable[Statement],
    *,
    signers: t.Collection[str],
    waivable: t.Collection[str],
    now: float,
) -> tuple[list[Reason], list[Waived]]:
    """The reasons that stand, and those that are waived. ``signers`` are the ids of keys that may waive.

    A waiver that fits and does not count is named in the reason that stands.
    """
    known = waivers(statements)
    standing, waived = [], []
    for reason in reasons:
        fitting = [waiver for waiver in known if _speaks_of(waiver, reason)]
        faults = [_fault(waiver, signers, waivable, now) for waiver in fitting]
        good = [waiver for waiver, fault in zip(fitting, faults) if not fault]
        if good:
            last = max(good, key=lambda waiver: seconds_of(waiver.predicate["expires"]) or 0.0)
            waived.append(_waived(reason, last))
        elif fitting:
            author = fitting[0].predicate["author"]
            said = f"{reason.message} Its waiver by {author} does not count: {faults[0]}."
            standing.append(dataclasses.replace(reason, message=said))
        else:
            standing.append(reason)
    return standing, waived


def _waived(reason: Reason, waiver: Statement) -> Waived:
    said = waiver.predicate
    return Waived(reason, said["author"], said["reason"], said["expires"], waiver.keyid, waiver.name)


def _fault(waiver: Statement, signers: t.Collection[str], waivable: t.Collection[str], now: float) -> str:
    """Why a waiver does not count; empty when it does."""
    if waiver.predicate["rule"] not in waivable:
        return f"this policy lets nobody waive {waiver.predicate['rule']}"
    if waiver.keyid not in signers:
        return f"{waiver.keyid} may not waive for this policy"
    if (seconds_of(waiver.predicate["expires"]) or 0.0) <= now:
        return f"it expired at {waiver.predicate['expires']}"
    return ""
