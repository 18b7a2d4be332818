# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands that strangers may send to a guard, and what must be true of all of them."""

from __future__ import annotations

import re
import typing as t

from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard import _log, _wire

_WORDS = (
    *("te", "raise", "end", "status", "renew", "image", "power", "console", "te1", "te2", "root", "7", "60"),
    *(
        "on",
        "off",
        "reset",
        "'",
        '"',
        "\\",
        ";",
        "|",
        "&&",
        "`id`",
        "$(id)",
        "${IFS}",
        ">",
        "<",
        "*",
        "~",
        "#",
    ),
    *("\n", "\r", "\0", "\t", "\x7f", "\x1b[2J", "\u2028", "\x85", "ü", "٣", "-1", "0", "007", "1e9", "nan"),
    *("../te1", "/etc/passwd", "te1/..", ".", "..", "-o", "--", "9" * 30, "x" * 300, "a" * 64, "F" * 64),
)
_RIGHT = (
    "renew 5",
    "te te1 power on",
    "image root 5",
    "console",
    "raise te1 7 60",
    "end te1 7",
    "status te2",
)
_PATTERNS = {"te": _wire.NAME, "disk": _wire.NAME, "action": "on|off|reset|status", "sha256": "[0-9a-f]{64}"}


def commands() -> t.Any:
    """Known words in any order and number, between any texts."""
    word = st.sampled_from(_WORDS) | st.text(max_size=8)
    spaced = st.lists(word, max_size=8).map(" ".join)
    wanted = st.sampled_from(_RIGHT) | st.tuples(st.sampled_from(_RIGHT), word).map("".join)
    return wanted | spaced | st.lists(word, max_size=8).map("".join) | st.text(max_size=40)


def read(text: str, pool: bool) -> bool:
    """Whether it is a command. It is refused with a reason, or each of its arguments has the right form."""
    line = _log.quoted(text)
    assert line.isascii() and line.isprintable() and len(line) < 3000
    refused: t.Any = None
    try:
        command = _wire.parse(text, pool)
    except _wire.RefusedError as error:
        refused = error
    if refused:
        assert re.fullmatch("[a-z_]+", refused.reason)
        assert refused.message.isprintable()
        return False
    for name, value in command.arguments.items():
        assert re.fullmatch(_PATTERNS.get(name, "[1-9][0-9]{0,17}"), value), (name, value)
    assert command.name in {"raise", "end", "status"} if pool else command.name not in {"raise", "end"}
    return True
