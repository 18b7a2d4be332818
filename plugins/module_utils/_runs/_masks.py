# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks secrets in text that comes piece by piece: by value, and by what they look like."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._runs._mask_patterns import REACH, RULES
from ansible_collections.distrogate.ci.plugins.module_utils._runs._mask_values import forms

MASK = "********"

# A place to mask, and before it where the pattern began that found it.
_Span = tuple[int, int, int]


class Masks:
    """What is looked for. ``count`` says how often something was masked."""

    def __init__(self, values: t.Iterable[str] = ()) -> None:
        self.count = 0
        self._forms = forms(values)
        self.reach = max([REACH, *(len(form) for form in self._forms)])

    def text(self, text: str) -> str:
        """A whole text, masked."""
        return self.apply(text, self.spans(text))

    def spans(self, text: str) -> list[_Span]:
        """What to mask in a text, in order; places that overlap or touch are one."""
        merged: list[_Span] = []
        for known, begin, end in sorted([*self._values(text), *_patterns(text)], key=lambda span: span[1:]):
            if merged and begin <= merged[-1][2]:
                first = merged[-1]
                merged[-1] = (min(known, first[0]), first[1], max(end, first[2]))
            elif begin < end:
                merged.append((known, begin, end))
        return merged

    def apply(self, text: str, spans: t.Iterable[_Span]) -> str:
        out, at = [], 0
        for _known, begin, end in spans:
            out += [text[at:begin], MASK]
            at = end
            self.count += 1
        return "".join([*out, text[at:]])

    def _values(self, text: str) -> t.Iterator[_Span]:
        for form in self._forms:
            at = text.find(form)
            while at >= 0:
                yield at, at, at + len(form)
                at = text.find(form, at + len(form))


def _patterns(text: str) -> t.Iterator[_Span]:
    lower = (
        text.lower() if text.isascii() else text.encode("utf-8", "replace").lower().decode("utf-8", "replace")
    )
    for words, finder in RULES:
        for word in words:
            at = lower.find(word)
            while at >= 0:
                found = finder(text, at)
                if found is not None:
                    yield at, *found
                at = lower.find(word, max(at + len(word), found[1] if found else 0))


class MaskStream:
    """Masks text that comes in pieces; a secret that lies across them is found as if it were one."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks
        self._rest = ""

    def feed(self, text: str, final: bool = False) -> str:
        """The masked text that is certain now."""
        buffer = self._rest + text
        if not final and len(buffer) <= 2 * self._masks.reach:
            self._rest = buffer
            return ""
        spans = self._masks.spans(buffer)
        cut = len(buffer) if final else self._cut(buffer, spans)
        self._rest = buffer[cut:]
        return self._masks.apply(buffer[:cut], [span for span in spans if span[2] <= cut])

    def _cut(self, buffer: str, spans: list[_Span]) -> int:
        """Up to where nothing that comes can change what is masked."""
        cut = len(buffer) - self._masks.reach
        for known, _begin, end in reversed(spans):
            if known < cut < end or end == len(buffer):
                cut = min(cut, known)
        if cut > 0 or len(buffer) < 8 * self._masks.reach:
            return max(cut, 0)
        # One secret after the other, for longer than any: cut after one of them.
        ends = [end for _known, _begin, end in spans if end >= len(buffer) // 2]
        return ends[0] if ends else len(buffer)
