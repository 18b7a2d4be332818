# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much is measured, and what the measured things are called."""

from __future__ import annotations

import dataclasses

OURS, UNVERIFIED, ONE, FIVE = "ours", "ours, not verified", "ours, 1 mirror", "ours, 5 mirrors"
FILE, UNCOMPILED = "ours, the module's file", "ours, nothing compiled before"
SAME, CHANGED, FEW, FIRST = "nothing changed", "10 changed", "10 changed, small index", "first copy"
AT_ONCE, GROW = "limited rate", "what a larger repository brings"
MIRRORS = 5


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How many files, and how fast."""

    growth: tuple[int, ...] = (1_000, 10_000, 100_000, 500_000, 1_000_000)
    middle: int = 100_000
    large: int = 500_000
    first: int = 20_000
    limited: int = 2_000
    rate: float = 8 * 2**20
