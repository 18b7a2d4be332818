# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people and other systems say of a sealed bundle: verdicts, waivers, holds and their release."""

from __future__ import annotations

import base64
import contextlib
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_clocks import (
    CLOCKS,
    SECOND,
    too_early,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import NARROWED
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_rules import (
    hold_order,
    stated_at,
    verdict_order,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_trust import read_statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    HOLD,
    HOLD_RELEASE,
    TEST_RESULT,
    WAIVER,
    PublicKey,
    Statement,
    statement,
    verdict_statement,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._times import seconds_of
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._values import text_fault
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json, parse_json

Json = dict[str, t.Any]
TYPES = {"verdict": TEST_RESULT, "waiver": WAIVER, "hold": HOLD, "hold_release": HOLD_RELEASE}
# By kind: what it needs, and what it may have.
_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "verdict": (("name", "result"), ("url", "explanation")),
    "waiver": (("rule", "author", "reason", "expires"), ("stage", "hold", "url")),
    "hold": (("name", "author", "reason"), ("url",)),
    "hold_release": (("name", "author", "reason"), ("url",)),
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def _bad(message: str) -> DistrogateError:
    return DistrogateError("bad_options", f"The option add has what no statement may say: {message}")


def checked(added: Json, now: float) -> Json:
    """What one element of the option ``add`` says, without the options that were not given."""
    kind = added["predicate_type"]
    said = {key: value for key, value in added.items() if value is not None and key != "predicate_type"}
    needed, more = _KEYS[kind]
    missing = [key for key in needed if not said.get(key)]
    foreign = sorted(set(said) - {*needed, *more})
    if missing or foreign:
        wrong = [f"needs {', '.join(missing)}"] if missing else []
        wrong += [f"has no {', '.join(foreign)}"] if foreign else []
        raise _bad(f"a {kind} {' and '.join(wrong)}.")
    fault = text_fault(said)
    if fault:
        raise _bad(f"a {kind}: {fault}.")
    for key in ("name", "stage", "hold"):
        if key in said and not _NAME.fullmatch(said[key]):
            raise _bad(f"{said[key]!r} is not the name of a stage or a hold (letters, digits and ._-).")
    if kind == "waiver":
        _check_waiver(said, now)
    return said


def _check_waiver(said: Json, now: float) -> None:
    expires = seconds_of(said["expires"])
    if expires is None:
        raise _bad(f"{said['expires']!r} is not a time in UTC such as 2026-12-31T12:00:00Z.")
    if expires <= now:
        raise _bad(f"a waiver that expired at {said['expires']}. Let it expire later.")
    for key in ("stage", "hold"):
        if key in said and NARROWED[said["rule"]] != key:
            raise _bad(f"a waiver of {said['rule']} cannot be for one {key} alone.")


def remark(kind: str, digest: str, said: Json, at_ns: int) -> tuple[str, Json]:
    """The file name and the statement of what was said."""
    if kind == "verdict":
        extra: Json = {key: said[key] for key in ("url", "explanation") if key in said}
        value = verdict_statement(digest, said["name"], said["result"], at_ns, extra)
    else:
        value = statement(digest, TYPES[kind], {**said, "at_ns": at_ns})
    return f"{kind.replace('_', '-')}-{digest_json(value)[7:23]}.json", value


def comes_at(kind: str, said: Json, texts: t.Mapping[str, str], digest: str, now_ns: int) -> int:
    """When it is said, in nanoseconds: after all that was said of it, also by a clock that is ahead of ours.

    A clock that is far ahead is not followed.
    """
    if kind == "waiver":
        return now_ns
    last = now_ns + CLOCKS * SECOND
    before = [stated_at(claim) for claim in _claims(texts, digest) if _topic(claim) == _wanted(kind, said)]
    return max([now_ns, *(one + 1 for one in before if one <= last)])


def said_already(
    kind: str,
    said: Json,
    texts: t.Mapping[str, str],
    digest: str,
    key: PublicKey,
    *,
    now: float = float("inf"),
) -> bool:
    """Whether this key said the same before, and nobody else spoke of it since.

    Whatever claims to have been said since counts, even where its signer is
    not known here: saying it once more does no harm, and leaving a hold out does.
    """
    claims = (claim for claim in _claims(texts, digest) if not too_early(claim, now))
    fitting = [claim for claim in claims if _topic(claim) == _wanted(kind, said)]
    same = [claim for claim in fitting if claim.predicate_type == TYPES[kind] and _covers(claim, kind, said)]
    if kind != "waiver" and fitting:
        last = max(fitting, key=verdict_order if kind == "verdict" else hold_order)
        same = [claim for claim in same if claim is last]
    ours = {one.name for one in read_statements({c.name: texts[c.name] for c in same}, digest, [key])[0]}
    return bool(ours)


def _wanted(kind: str, said: Json) -> tuple[str, str]:
    return kind.partition("_")[0], said["rule"] if kind == "waiver" else said["name"]


def _topic(claim: Statement) -> tuple[str, str]:
    kind = {TEST_RESULT: "verdict", WAIVER: "waiver"}.get(claim.predicate_type, "hold")
    return kind, str(claim.predicate.get({"verdict": "stage", "waiver": "rule", "hold": "name"}[kind]))


def _covers(claim: Statement, kind: str, said: Json) -> bool:
    named = {("stage" if kind == "verdict" and key == "name" else key): item for key, item in said.items()}
    narrowed = kind == "waiver" and any(claim.predicate.get(k) != said.get(k) for k in ("stage", "hold"))
    return not narrowed and all(claim.predicate.get(key) == item for key, item in named.items())


def _claims(texts: t.Mapping[str, str], digest: str) -> t.Iterator[Statement]:
    """Verdicts, waivers and holds as they are written there, signed by whomever."""
    for name, text in texts.items():
        with contextlib.suppress(DistrogateError, ValueError, TypeError, KeyError, AttributeError):
            payload = parse_json(base64.b64decode(parse_json(text, name)["payload"]), name)
            kind, subject = payload["predicateType"], "sha256:" + payload["subject"][0]["digest"]["sha256"]
            if subject == digest and kind in TYPES.values() and isinstance(payload["predicate"], dict):
                yield Statement(name, "", subject, kind, payload["predicate"])
