# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys sign, and how one follows another without a moment in which a client refuses.

For a rotation the new key signs beside the old one for some time
(``overlap_key``), and stands beside it in key.asc, which clients take over
meanwhile. Then the new one becomes the key, and the old one may sign on for
those who are late.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Json, Scope

Signers = t.Callable[[tuple[str, ...]], Signs]


class Keys:
    """The keys of one call: those asked for, else those that the repository has."""

    def __init__(self, params: Json, scope: Scope | None, root: str, signers: Signers, now: float) -> None:
        old = scope.settings if scope else {}
        key = params["signing_key"] or old.get("signing_key")
        if not key:
            raise DistrogateError("no_signing_key", f"{root} is new: set signing_key to sign it with.")
        overlap = old.get("overlap_key", "") if params["overlap_key"] is None else params["overlap_key"]
        until = _moment(params["overlap_until"]) if params["overlap_until"] else _kept(old, overlap)
        if until and now > until:
            overlap = ""
        self.signer = signers(tuple(dict.fromkeys([key, *([overlap] if overlap else [])])))
        found = list(dict.fromkeys(self.signer.fingerprints))
        self.settings: Json = {
            "signing_key": found[0],
            "overlap_key": found[1] if len(found) > 1 else "",
            "overlap_until": until if len(found) > 1 else 0,
        }
        trusted = {str(old.get(name) or "") for name in ("signing_key", "overlap_key")} - {""}
        if trusted and not trusted & set(found) and not params["allow_key_change"]:
            raise DistrogateError(
                "key_change",
                f"{root} is signed by {' and '.join(sorted(trusted))}; clients that trust it would refuse"
                f" {found[0]} alone. Set overlap_key to the old or the new key for some time, or, when the"
                " old one is lost, set allow_key_change.",
            )


def _kept(old: Json, overlap: str) -> int:
    """When the overlap was to end; that of another key was to last as long as that one's."""
    digits = overlap.replace(" ", "").upper()
    digits = digits[2:] if digits.startswith("0X") else digits
    return int(old.get("overlap_until", 0)) if str(old.get("overlap_key", "")).endswith(digits) else 0


def _moment(text: str) -> int:
    """Seconds since the epoch, of a date or a date with time (ISO 8601; UTC unless it says otherwise)."""
    try:
        found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise DistrogateError(
            "bad_name", f"overlap_until {text!r} is not a date such as 2030-01-31 or 2030-01-31T12:00:00Z."
        ) from error
    return int((found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)).timestamp())
