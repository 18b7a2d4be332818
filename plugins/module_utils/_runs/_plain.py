# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of strangers on somebody's screen: nothing that moves a cursor, colours, hides or turns around."""

from __future__ import annotations

import re

# What tools print to colour their own output (CSI), and to set titles and links (OSC, with its end).
_COLOUR = re.compile(
    "(?:\x1b\\[|\x9b)[0-9:;<=>?]{0,40}[ -/]{0,8}[@-~]|\x1b\\][^\x07\x1b\x9c\n]{0,400}(?:\x07|\x1b\\\\|\x9c)"
)
LONGEST = 400


def escaped(text: str) -> str:
    """A line whose control codes, also of direction, can be seen: ``\\x1b``, ``\\r``, ``\\u202e``."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def plain_line(text: str, longest: int = LONGEST) -> str:
    """A tool's line as a terminal would leave it, without colours; other codes escaped; not too long."""
    shown = text[: 16 * longest].rstrip("\r\n")
    if "\r" in shown:  # a progress bar draws over itself: its last state counts
        shown = next((part for part in reversed(shown.split("\r")) if part.strip()), "")
    shown = escaped(_COLOUR.sub("", shown).replace("\t", "    ")).rstrip()
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
