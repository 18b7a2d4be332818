# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""May a bundle be promoted? Pure functions that give every reason against it at once."""

from __future__ import annotations

import dataclasses
import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import parse_bundle
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    PROMOTION,
    PROVENANCE,
    TEST_RESULT,
    PublicKey,
    Statement,
    verify,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Reason:
    """One reason against a promotion: the rule, what is wrong, and what would satisfy it."""

    rule: str
    message: str
    satisfy: str

    def as_dict(self) -> dict[str, str]:
        return dataclasses.asdict(self)


def read_statements(
    texts: t.Mapping[str, str], digest: str, keys: t.Sequence[PublicKey]
) -> tuple[list[Statement], list[Reason]]:
    """The statements about ``digest`` whose signatures hold; the reasons against the others."""
    good: list[Statement] = []
    reasons: list[Reason] = []
    for name in sorted(texts):
        try:
            statement = verify(name, texts[name], keys)
        except DistrogateError as error:
            if error.reason == "unknown_signer" and error.details["claimed_type"] == PROMOTION:
                continue  # no rule asks where else it was promoted; each channel may have its own signer
            if error.reason == "unknown_signer":
                reasons.append(
                    Reason("signers", error.message, "Add the signer's public key to policy.signers.")
                )
            elif error.reason == "bad_statement":
                reasons.append(Reason("signature", error.message, f"Put back {name} as it was signed."))
            else:
                raise
            continue
        if statement.subject != digest:
            reasons.append(
                Reason(
                    "subject",
                    f"{name} speaks of {statement.subject}, not of this bundle ({digest}).",
                    "Remove the file: it belongs to another bundle.",
                )
            )
        else:
            good.append(statement)
    return good, reasons


def newest_verdicts(statements: t.Iterable[Statement]) -> dict[str, Statement]:
    """The last verdict of each stage, by the time that its signer stated."""
    found: dict[str, Statement] = {}
    for statement in statements:
        if statement.predicate_type != TEST_RESULT:
            continue
        stage = str(statement.predicate.get("stage"))
        if stage not in found or _when(statement) > _when(found[stage]):
            found[stage] = statement
    return found


def _when(statement: Statement) -> tuple[int, bool, str]:
    at = statement.predicate.get("at_ns")
    # Of two verdicts of one instant the failure counts.
    return at if isinstance(at, int) else 0, statement.predicate.get("result") != "PASSED", statement.name


def _file_reasons(statements: t.Iterable[Statement], bundle_text: str) -> list[Reason]:
    """The provenance names bundle.json by its digest, so that even its paths cannot be edited."""
    actual = hashlib.sha256(bundle_text.encode("utf-8")).hexdigest()
    stated = [
        product.get("digest", {}).get("sha256")
        for statement in statements
        if statement.predicate_type == PROVENANCE
        for product in statement.predicate.get("runDetails", {}).get("byproducts", [])
        if product.get("name") == "bundle.json"
    ]
    if not stated:
        return [
            Reason(
                "provenance",
                "No trusted provenance statement speaks of this bundle.",
                "Seal the bundle with a key that the policy trusts.",
            )
        ]
    if any(sha256 != actual for sha256 in stated):
        return [
            Reason(
                "bundle",
                f"bundle.json has the sha256 {actual}, but its provenance states {stated[0]}: it was edited.",
                "Put back bundle.json as it was sealed.",
            )
        ]
    return []


def artifact_reasons(artifacts: t.Iterable[Json], found: t.Mapping[str, str | None]) -> list[Reason]:
    """Artifacts whose files differ from the bundle; ``found`` has the sha256 of each path, or None."""
    reasons = []
    for artifact in artifacts:
        actual = found.get(artifact["path"])
        if actual == artifact["sha256"]:
            continue
        what = (
            "is missing (or no plain file in the run directory)"
            if actual is None
            else f"has the sha256 {actual}"
        )
        reasons.append(
            Reason(
                "artifact",
                f"{artifact['path']} {what}; the bundle states {artifact['sha256']}.",
                f"Put back the {artifact['name']} that was sealed, or run the pipeline again.",
            )
        )
    return reasons


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
        reasons.append(Reason("verdicts", message, satisfy))
    return reasons


def read_bundle(text: str | None) -> tuple[Json | None, list[Reason]]:
    """The bundle in ``text``, or why it is none."""
    if text is None:
        return None, [Reason("bundle", "The run directory has no bundle.json.", "Seal it first.")]
    try:
        return parse_bundle(text), []
    except DistrogateError as error:
        return None, [Reason("bundle", error.message, "Put back bundle.json as it was sealed.")]


def evaluate(
    *,
    bundle_text: str | None,
    digest: str | None,
    statements: t.Mapping[str, str],
    found: t.Mapping[str, str | None],
    verdicts: t.Sequence[str],
    keys: t.Sequence[PublicKey],
) -> tuple[Json | None, list[Reason]]:
    """The bundle, and every reason against promoting it.

    ``digest`` is the bundle that was asked for (None: whichever lies there);
    ``found`` has the sha256 of each artifact's file.
    """
    bundle, reasons = read_bundle(bundle_text)
    if bundle is None or bundle_text is None:
        return None, reasons
    if digest is not None and bundle["digest"] != digest:
        reasons.append(
            Reason(
                "bundle",
                f"{digest} was asked for, but the run directory holds {bundle['digest']}.",
                "Name the bundle that lies there, or the run directory of the wanted one.",
            )
        )
    reasons += artifact_reasons(bundle["artifacts"], found)
    trusted, bad = read_statements(statements, bundle["digest"], keys)
    reasons += bad
    reasons += _file_reasons(trusted, bundle_text)
    reasons += verdict_reasons(trusted, verdicts, bundle["digest"])
    return bundle, reasons
