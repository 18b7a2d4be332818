# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statements whose signer's clock was ahead: what they say for a bundle does not count before its time."""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import (
    HOLDS,
    VERDICTS,
    Reason,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_rules import stated_at
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    HOLD_RELEASE,
    TEST_RESULT,
    Statement,
)

CLOCKS = 300  # seconds that the clocks of two machines may differ
SECOND = 10**9  # in nanoseconds


def too_early(statement: Statement, now: float) -> bool:
    """Whether it speaks for the bundle, from the future: it would hide all that is said until then."""
    passed = statement.predicate_type == TEST_RESULT and statement.predicate.get("result") == "PASSED"
    helps = passed or statement.predicate_type == HOLD_RELEASE
    return helps and stated_at(statement) > (now + CLOCKS) * SECOND


def told_early(reasons: t.Iterable[Reason], early: t.Sequence[Statement]) -> list[Reason]:
    """The reasons, each with what would speak against it later."""
    found = []
    for reason in reasons:
        about = [statement for statement in early if _topic(statement) == (reason.rule, reason.about)]
        said = [f"{one.name} is dated {_time(one)}, and does not count before that." for one in about]
        found.append(dataclasses.replace(reason, message=" ".join([reason.message, *said])))
    return found


def _topic(statement: Statement) -> tuple[str, str]:
    of_test = statement.predicate_type == TEST_RESULT
    return (
        (VERDICTS, str(statement.predicate.get("stage")))
        if of_test
        else (HOLDS, str(statement.predicate.get("name")))
    )


def _time(statement: Statement) -> str:
    at = datetime.datetime.fromtimestamp(stated_at(statement) // SECOND, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
