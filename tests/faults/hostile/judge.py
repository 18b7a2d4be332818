# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may become of an input, and what must not."""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile.case import EITHER, PUBLISHED, REFUSED, Case
from ansible_collections.distrogate.ci.tests.faults.hostile.child import Answer

MEMORY = 300 << 20  # bytes
_REASONS = frozenset(("bad_package", "not_found", "unsupported", "content_conflict", "downgrade", "io_error"))


@dataclasses.dataclass
class Verdict:
    """How one case ended; ``problems`` are findings about the product, ``remark`` is worth counting."""

    kind: str
    note: str
    number: int
    outcome: str = ""
    cause: str = ""
    remark: str = ""
    seconds: float = 0.0
    peak: int = 0
    own_process: bool = False
    problems: list[str] = dataclasses.field(default_factory=list)


def _cause(message: str, reason: str, paths: list[str]) -> str:
    """A message without what differs from input to input."""
    for path in sorted(paths, key=len, reverse=True):
        if path:
            message = message.replace(path, "PATH").replace(repr(path)[1:-1], "PATH")
    message = re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", message)
    message = re.sub(r"\([^)]*\)", "(…)", message)
    message = re.sub(r"[0-9a-f]{40,}|[0-9]+", "N", message)
    return f"{reason}: {message}"[:160]


def result_of(answer: Answer) -> tuple[dict[str, t.Any], list[str]]:
    """The module's result; problems when it gave none."""
    errors = answer.stderr.decode("utf-8", "replace")
    problems = []
    if "Traceback" in errors:
        problems.append("traceback: " + " | ".join(errors.strip().splitlines()[-3:]))
    if answer.status is None:
        return {}, [*problems, f"no end after {answer.seconds:.0f} s"]
    if answer.status not in (0, 256) and not problems:
        problems.append(f"ended with wait status {answer.status}: {errors[-300:]}")
    try:
        result = json.loads(answer.stdout.decode("utf-8"))
    except ValueError:
        return {}, problems or [f"no JSON on standard output: {answer.stdout[-200:]!r}"]
    if "Traceback" in str(result.get("exception", "")) and "reason" not in result:
        problems.append("traceback in the result: " + str(result["exception"])[-400:])
    return t.cast("dict[str, t.Any]", result), problems


def judge(case: Case, answer: Answer, paths: list[str], verdict: Verdict) -> None:
    """Fill in outcome, cause and problems as far as the answer tells them."""
    result, problems = result_of(answer)
    verdict.seconds, verdict.peak = answer.seconds, answer.peak
    verdict.problems += problems
    if answer.peak > MEMORY:
        verdict.problems.append(f"{answer.peak >> 20} MiB of memory")
    verdict.outcome = REFUSED if result.get("failed") else PUBLISHED if result else "broken"
    if verdict.outcome == REFUSED:
        message, reason = str(result.get("msg", "")), str(result.get("reason", ""))
        verdict.cause = _cause(message, reason, paths)
        if reason not in _REASONS:
            verdict.problems.append(f"the reason {reason!r}: {message[:300]}")
        if not any(path in message or repr(path)[1:-1] in message for path in paths):
            verdict.problems.append(f"the message names no path: {message[:300]}")
        if len(message) > 2000 + max(len(repr(path)) for path in paths) * 2:
            verdict.problems.append(f"a message of {len(message)} characters")
    if case.expect not in (EITHER, verdict.outcome) and not problems:
        verdict.problems.append(f"{verdict.outcome}, not {case.expect}: {verdict.cause}")
