# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees of a long module."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import sentence

_SHOWN = 5.0  # seconds between two lines


class Screen:
    """Which lines are worth showing: the first, then what is new, seldom, and the last."""

    def __init__(self, line: t.Callable[[str], None]) -> None:
        self._line = line
        self._text = ""
        self._when: float | None = None

    def show(self, record: dict[str, t.Any], now: float) -> None:
        text = sentence(record)
        if text != self._text and (self._when is None or now - self._when >= _SHOWN):
            self._text, self._when = text, now
            self._line(text)

    def last(self, record: dict[str, t.Any] | None) -> None:
        """The end, should anybody have read the beginning."""
        if record is not None and self._when is not None and sentence(record) != self._text:
            self._line(sentence(record))
