# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was said about a bundle: its statements as the index keeps them, and what they come to."""

from __future__ import annotations

import datetime
import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_rules import (
    newest_verdicts,
    open_holds,
    stated_at,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    PROMOTION,
    PROVENANCE,
    TEST_RESULT,
    WAIVER,
    PublicKey,
    Statement,
    verify,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]


def read_said(texts: t.Mapping[str, str], digest: str, keys: t.Sequence[PublicKey]) -> Json:
    """The statements about ``digest``, each with the key whose signature holds.

    ``good`` is a list of [name, keyid, predicate type, predicate], ``unknown`` of [name, keyids] that no key
    of ``keys`` made, ``bad`` of [name, why].
    """
    said: Json = {"good": [], "unknown": [], "bad": []}
    for name in sorted(texts):
        try:
            one = verify(name, texts[name], keys)
        except DistrogateError as error:
            if error.reason == "unknown_signer":
                said["unknown"].append([name, _signers(texts[name])])
            elif error.reason == "bad_statement":
                said["bad"].append([name, error.message])
            else:
                raise
            continue
        if one.subject != digest:
            said["bad"].append([name, f"{name} speaks of {one.subject}, not of this bundle."])
        else:
            said["good"].append([name, one.keyid, one.predicate_type, _kept(one)])
    return said


def _signers(text: str) -> list[str]:
    """Who claims to have signed; ``verify`` has read it, so its form is right."""
    return sorted({str(signature["keyid"]) for signature in json.loads(text)["signatures"]})


def _kept(one: Statement) -> Json:
    """A predicate without what the bundle says itself."""
    if one.predicate_type != PROVENANCE:
        return one.predicate
    details = one.predicate.get("runDetails")
    return {"runDetails": details if isinstance(details, dict) else {}}


def statements(said: Json, keyids: t.Container[str] | None) -> list[Statement]:
    """The statements whose signer is among ``keyids`` (None: of whichever signer)."""
    return [
        Statement(name, keyid, "", kind, predicate)
        for name, keyid, kind, predicate in said["good"]
        if keyids is None or keyid in keyids
    ]


def sealed_at(said: Json) -> str:
    """When the bundle was sealed first, by its provenance."""
    times = []
    for one in statements(said, None):
        if one.predicate_type == PROVENANCE:
            metadata = one.predicate["runDetails"].get("metadata")
            times.append(str(metadata.get("finishedOn") or "") if isinstance(metadata, dict) else "")
    return min(filter(None, times), default="")


def provenance(said: Json) -> list[Json]:
    """Who built it, and when."""
    return [
        {**one.predicate["runDetails"], "signer": one.keyid, "statement": one.name}
        for one in statements(said, None)
        if one.predicate_type == PROVENANCE
    ]


def check_file(said: Json, digest: str, sha256: str) -> None:
    """Refuse a bundle.json that its provenance does not know: the digest does not cover the paths in it.

    The same bundle may have been sealed twice, in files that differ; one of them is the archive's.
    """
    stated = set()
    for one in provenance(said):
        products = one.get("byproducts")
        for product in products if isinstance(products, list) else []:
            if isinstance(product, dict) and isinstance(product.get("digest"), dict):
                stated.add(product["digest"].get("sha256"))
    if stated and sha256 not in stated:
        raise DistrogateError(
            "bad_bundle",
            f"The bundle.json of {digest} has the sha256 {sha256}, which its provenance does not state: it"
            " was edited. Put it back as it was sealed.",
        )


def _time(value: t.Any) -> str:
    """Nanoseconds since the epoch as RFC 3339."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 63:
        return ""
    seconds = datetime.datetime.fromtimestamp(value // 10**9, datetime.timezone.utc)
    return seconds.isoformat(timespec="seconds").replace("+00:00", "Z")


def _row(one: Statement, **renamed: t.Any) -> Json:
    """A predicate for people, with who signed it and when."""
    row = {key: value for key, value in one.predicate.items() if key not in ("at_ns", "configuration")}
    row.setdefault("at", _time(one.predicate.get("at_ns")))
    return {**row, **renamed, "signer": one.keyid, "statement": one.name}


def _in_order(found: t.Iterable[Statement]) -> list[Statement]:
    """By the time that the signer stated."""
    return sorted(found, key=lambda one: (stated_at(one), one.name))


def outcome(found: t.Sequence[Statement]) -> Json:
    """What the statements come to: ``waivers``, ``promotions``, open ``holds``, the last of the ``verdicts``.

    Whether a waiver has expired is for the reader to see, since nothing that depends on the time is kept.
    """
    by_type: dict[str, list[Statement]] = {}
    for one in _in_order(found):
        by_type.setdefault(one.predicate_type, []).append(one)
    verdicts = newest_verdicts(by_type.get(TEST_RESULT, []))
    return {
        "verdicts": [_row(verdicts[stage], stage=stage) for stage in _stages(verdicts)],
        "waivers": [_row(one) for one in by_type.get(WAIVER, [])],
        "holds": [_row(one) for _name, one in sorted(open_holds(found).items())],
        "promotions": [_row(one) for one in by_type.get(PROMOTION, [])],
    }


def _stages(verdicts: t.Mapping[str, Statement]) -> list[str]:
    """In the order in which they were tested."""
    return sorted(verdicts, key=lambda stage: (stated_at(verdicts[stage]), stage))


def is_good(come_to: Json) -> bool:
    """Whether every test that was made passed, at least one was, and nobody holds it."""
    results = [verdict.get("result") == "PASSED" for verdict in come_to["verdicts"]]
    return bool(results) and all(results) and not come_to["holds"]
