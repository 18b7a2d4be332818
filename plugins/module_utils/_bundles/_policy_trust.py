# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose word counts: signatures, and what each signer may say."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import HOLDS, Reason
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import (
    HOLD,
    HOLD_RELEASE,
    PROMOTION,
    WAIVER,
    PublicKey,
    Statement,
    verify,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

# No rule asks where else it was promoted, and a waiver of another channel's signer says nothing here.
# Both stay for ever, so they may not bar a channel that does not trust who signed them.
_IGNORED_OF_STRANGERS = frozenset((PROMOTION, WAIVER))


def _untrusted(message: str) -> Reason:
    return Reason("signers", message, "Add the signer's public key to policy.signers.")


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
            if error.reason == "unknown_signer" and error.details["claimed_type"] in _IGNORED_OF_STRANGERS:
                continue
            if error.reason == "unknown_signer":
                reasons.append(_untrusted(error.message))
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


def of_vouchers(
    statements: t.Iterable[Statement], keys: t.Sequence[PublicKey], waivable: t.Collection[str]
) -> tuple[list[Statement], list[Reason]]:
    """The statements but waivers that count; the reasons against what those said who may only waive.

    They may hold, too. They may release a hold where they could as well waive it.
    """
    keyids = {key.keyid for key in keys}
    more = {HOLD, HOLD_RELEASE} if HOLDS in waivable else {HOLD}
    ignored = _IGNORED_OF_STRANGERS | {HOLD_RELEASE}
    good, reasons = [], []
    for statement in statements:
        kind, keyid = statement.predicate_type, statement.keyid
        if kind != WAIVER and (keyid in keyids or kind in more):
            good.append(statement)
        elif kind not in ignored:
            said = f"{statement.name} is signed by {keyid}, who may waive and not vouch."
            reasons.append(_untrusted(said))
    return good, reasons
