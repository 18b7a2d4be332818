# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""May a bundle be promoted? Pure functions that give every reason against it at once."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import parse_bundle
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_booted import booted_reasons
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_clocks import (
    told_early,
    too_early,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_form import defaults
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import (
    Json,
    Reason,
    Waived,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_rules import (
    age_reasons,
    hold_reasons,
    newer_reasons,
    part,
    sealed_at,
    verdict_reasons,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_trust import (
    of_vouchers,
    read_statements,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_waivers import waive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    PROVENANCE,
    PublicKey,
    Statement,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError


def _stated_files(statement: Statement) -> list[str]:
    """The digests of bundle.json that a provenance states."""
    if statement.predicate_type != PROVENANCE:
        return []
    listed = part(statement.predicate, "runDetails").get("byproducts")
    products = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    digests = [part(item, "digest").get("sha256") for item in products if item.get("name") == "bundle.json"]
    return [sha256 for sha256 in digests if isinstance(sha256, str)]


def _file_reasons(statements: t.Iterable[Statement], bundle_text: str) -> list[Reason]:
    """The provenance names bundle.json by its digest, so that even its paths cannot be edited."""
    actual = hashlib.sha256(bundle_text.encode("utf-8")).hexdigest()
    stated = [sha256 for statement in statements for sha256 in _stated_files(statement)]
    if not stated:
        return [
            Reason(
                "provenance",
                "No trusted provenance statement speaks of this bundle.",
                "Seal the bundle with a key that the policy trusts.",
            )
        ]
    if actual not in stated:  # the same bundle, sealed in another run directory, may have other paths
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
        if "path" not in artifact:
            continue  # what lies elsewhere is compared by the target that publishes it
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
    keys: t.Sequence[PublicKey],
    now: float,
    verdicts: t.Sequence[str] = (),
    policy: Json | None = None,
    waiver_keys: t.Sequence[PublicKey] | None = None,
    current: Json | None = None,
    rolling_back: bool = False,
) -> tuple[Json | None, list[Reason], list[Waived]]:
    """The bundle, every reason against promoting it, and the reasons that are waived.

    ``digest`` is the bundle that was asked for (None: whichever lies there);
    ``found`` has the sha256 of each artifact's file. ``policy`` is one that
    ``check_policy`` returned; ``verdicts`` are asked for beside its own.
    ``keys`` are those of ``policy["signers"]``, ``waiver_keys`` those of
    ``policy["waiver_signers"]`` (None: the same). ``now`` is in seconds since
    the epoch. ``current`` is what the channel has: ``digest``, and ``sealed``
    as the store knows it; None when the channel is new.
    """
    rules = defaults() if policy is None else policy
    bundle, reasons = read_bundle(bundle_text)
    if bundle is None or bundle_text is None:
        return None, reasons, []
    if digest is not None and bundle["digest"] != digest:
        reasons.append(
            Reason(
                "bundle",
                f"{digest} was asked for, but the run directory holds {bundle['digest']}.",
                "Name the bundle that lies there, or the run directory of the wanted one.",
            )
        )
    reasons += artifact_reasons(bundle["artifacts"], found)
    waiving = list(keys if waiver_keys is None else waiver_keys)
    known = {key.keyid: key for key in (*keys, *waiving)}
    verified, bad = read_statements(statements, bundle["digest"], list(known.values()))
    trusted, unvouched = of_vouchers(verified, keys, rules["waivable"])
    reasons += bad + unvouched + _file_reasons(trusted, bundle_text)
    reasons += booted_reasons(
        bundle["artifacts"], [statement for statement in trusted if not too_early(statement, now)]
    )
    current = None if rolling_back else current
    standing, waived = waive(
        _rule_reasons(rules, bundle["digest"], trusted, verdicts=verdicts, now=now, current=current),
        verified,
        signers={key.keyid for key in waiving},
        waivable=rules["waivable"],
        now=now,
    )
    return bundle, reasons + standing, waived


def _rule_reasons(
    rules: Json,
    digest: str,
    trusted: t.Sequence[Statement],
    *,
    verdicts: t.Sequence[str],
    now: float,
    current: Json | None,
) -> list[Reason]:
    """What a waiver may speak of."""
    sealed = sealed_at(trusted)
    early = [statement for statement in trusted if too_early(statement, now)]
    timely = [statement for statement in trusted if not too_early(statement, now)]
    reasons = verdict_reasons(timely, (*rules["verdicts"], *verdicts), digest)
    reasons += age_reasons(sealed, rules["minimum_age"], now)
    if rules["newer_than_channel"]:
        reasons += newer_reasons(digest, sealed, current)
    if rules["no_holds"]:
        reasons += hold_reasons(timely)
    return told_early(reasons, early)
