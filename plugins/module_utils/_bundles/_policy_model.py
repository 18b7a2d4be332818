# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy's judgement is made of."""

from __future__ import annotations

import dataclasses
import typing as t

Json = dict[str, t.Any]

# Rules that a waiver may waive, each with the key of a waiver that narrows it to one of several. The other
# rules say that something is not what was sealed or signed: nobody can waive these.
VERDICTS, MINIMUM_AGE, NEWER, HOLDS = "verdicts", "minimum_age", "newer_than_channel", "holds"
NARROWED = {VERDICTS: "stage", HOLDS: "hold", MINIMUM_AGE: "", NEWER: ""}


@dataclasses.dataclass(frozen=True)
class Reason:
    """One reason against a promotion: the rule, what is wrong, and what would satisfy it.

    ``about`` names the stage of a verdict, or the hold; it is empty for the other rules.
    """

    rule: str
    message: str
    satisfy: str
    about: str = ""

    def as_dict(self) -> dict[str, str]:
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Waived:
    """A reason that does not count, and by whose word it does not."""

    reason: Reason
    author: str
    why: str
    expires: str
    keyid: str
    statement: str

    def as_dict(self) -> dict[str, str]:
        """As it is shown; ``reason`` is the waiver's own."""
        return {
            **self.reason.as_dict(),
            "author": self.author,
            "reason": self.why,
            "expires": self.expires,
            "signer": self.keyid,
            "statement": self.statement,
        }
