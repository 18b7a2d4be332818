# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the made packages are called and say: the same for a number, wherever and whenever it is asked."""

from __future__ import annotations

import random

_SYLLABLES = "ba ce di fo gu ha ji ke lo mu na pi qo re su ta vi wo xe zu ald bern cor dex ent fir gal hol"
SUMMARY = "{} of the benchmark, which nobody needs to install"
TEXT = (
    "This package was made to be published, together with many others like it.",
    "Its description is about as long as those of packages usually are, and has",
    "a word of its own, {:016x}, so that no two of them are the same.",
)
DATE = 1767225600  # 2026-01-01, in seconds since 1970


def chance(number: int, what: str) -> random.Random:
    """Numbers that depend on nothing but the package's number and what they are for."""
    return random.Random(f"{what} {number}")


def source_name(number: int) -> str:
    """Scattered over the alphabet, so that a package that is added may stand anywhere in an index."""
    dice = chance(number, "source")
    syllables = _SYLLABLES.split()
    stem = "".join(dice.choice(syllables) for _number in range(3))
    return f"{'lib' if dice.random() < 0.3 else ''}{stem}{number}"


def name(number: int) -> str:
    """Two binary packages come from a source; the first has its name."""
    return source_name(number // 2) + ("-common" if number % 2 else "")


def summary(number: int) -> str:
    return SUMMARY.format("Common files" if number % 2 else "Programs")


def text(number: int) -> list[str]:
    word = chance(number, "text").getrandbits(64)
    return [line.format(word) for line in TEXT]


def body(number: int, size: int) -> bytes:
    """Data that no compression makes smaller."""
    return chance(number, "body").randbytes(size)
