# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of a label expression, and the errors that point at one."""

from __future__ import annotations

import contextlib
import string
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

MAXIMUM_LENGTH = 4096
MAXIMUM_DEPTH = 50
_BARE = frozenset(string.ascii_letters + string.digits + "_.:/-")
_KEYWORDS = frozenset(("and", "or", "not", "in"))
_BLANK = " \t\r\n"
_SIGNS = ("==", "!=", "<=", ">=", "<", ">", "(", ")", ",")
_SHOWN = 30  # Characters on each side of the place that an error points at.


def written(value: str) -> str:
    """A name or a value as it is written in an expression: without quotes where that will do."""
    if value and value not in _KEYWORDS and _BARE.issuperset(value):
        return value
    quote = '"' if "'" in value and '"' not in value else "'"
    return quote + value.replace(quote, quote * 2) + quote


class Words:
    """Reads a text word by word. ``kind`` is a sign, a keyword, ``word``, or empty at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next = self._start = self._depth = 0
        self._value = self.kind = ""
        self.check_length(text)
        self._advance()

    def check_length(self, text: str) -> None:
        """Also for the text that an expression is written as: what was accepted once always is."""
        if len(text) > MAXIMUM_LENGTH or len(text.encode("utf-8", "surrogatepass")) > MAXIMUM_LENGTH:
            raise DistrogateError(
                "bad_expression",
                f"The label expression is longer than {MAXIMUM_LENGTH} bytes. Ask for less, or give the TEs"
                " one more label for it.",
            )

    def skip(self, kind: str) -> bool:
        """Go on to the next word if this one is of that kind."""
        if self.kind != kind:
            return False
        self._advance()
        return True

    def take(
        self,
        kind: str,
        expected: str,
        empty: bool = True,
        valid: t.Callable[[str], object] = lambda _value: True,
    ) -> str:
        """The value of this word, which must be of that kind; goes on to the next."""
        value = self._value
        if self.kind != kind or not (empty or value) or not valid(value):
            raise self.error(expected)
        self._advance()
        return value

    @contextlib.contextmanager
    def deeper(self) -> t.Iterator[None]:
        """Inside one more 'not' or pair of parentheses."""
        self._depth += 1
        if self._depth > MAXIMUM_DEPTH:
            raise self.error(f"at most {MAXIMUM_DEPTH} 'not' and '(' inside each other")
        yield
        self._depth -= 1

    def error(self, expected: str, found: str = "") -> DistrogateError:
        """What is wrong at this word, with a line that points at it."""
        first = max(0, self._start - _SHOWN)
        shown = self._text[first : self._start + _SHOWN]
        # One character for one, or the mark would point elsewhere.
        shown = "".join(" " if c in _BLANK else c if c.isprintable() else "?" for c in shown)
        found = found or self._found()
        hint = " A value like that needs quotes." if self.kind in _KEYWORDS and "value" in expected else ""
        return DistrogateError(
            "bad_expression",
            f"The label expression is wrong at character {self._start + 1}: expected {expected},"
            f" found {found}.{hint}\n  {shown}\n  {' ' * (self._start - first)}^",
            position=self._start + 1,
            expected=expected,
        )

    def _found(self) -> str:
        if not self.kind:
            return "the end"
        word = self._text[self._start : self._next]
        return ascii(word if len(word) <= _SHOWN else word[:_SHOWN] + "...")

    def _advance(self) -> None:
        text, start = self._text, self._next
        while start < len(text) and text[start] in _BLANK:
            start += 1
        self._start = self._next = start
        self._value = self.kind = ""
        if start == len(text):
            return
        if text[start] in "'\"":
            self._quoted(text[start])
        elif text[start] in _BARE:
            while self._next < len(text) and text[self._next] in _BARE:
                self._next += 1
            self._value = text[start : self._next]
            self.kind = self._value if self._value in _KEYWORDS else "word"
        else:
            self._sign()

    def _sign(self) -> None:
        text = self._text
        for sign in _SIGNS:
            if text.startswith(sign, self._start):
                self._next += len(sign)
                self._value = self.kind = sign
                return
        raise self.error("a word, a quote, or one of " + " ".join(_SIGNS[:-1]), ascii(text[self._start]))

    def _quoted(self, quote: str) -> None:
        """A quote inside is written twice. Only what can be shown: no control characters."""
        parts = []
        place = self._start + 1
        while True:
            end = self._text.find(quote, place)
            if end < 0:
                raise self.error(f"a second {quote} that ends this text", "none")
            parts.append(self._text[place:end])
            place = end + 1
            if not self._text.startswith(quote, place):
                break
            parts.append(quote)
            place += 1
        self._next = place
        self._value, self.kind = "".join(parts), "word"
        if not self._value.isprintable():
            raise self.error("printable characters between the quotes")
