# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a label expression is made of: each term can be written, and asked whether labels match it."""

from __future__ import annotations

import dataclasses
import decimal
import operator
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._leases._expression_words import written

_FALSE = ("", "false", "no", "0")
# Bounded, and each character can match in one way only: linear, however long the label is.
NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?\Z")
COMPARE: dict[str, t.Callable[[decimal.Decimal, decimal.Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclasses.dataclass(frozen=True)
class Expression:
    """What labels must be like. Two that differ in blanks, quotes and needless parentheses only are equal."""

    @property
    def text(self) -> str:
        """The one way to write it, which parses to an equal expression."""
        raise NotImplementedError

    def matches(self, labels: t.Mapping[str, str]) -> bool:
        """Whether a TE with these labels will do."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True)
class Has(Expression):
    """The label is there, and says yes."""

    name: str

    @property
    def text(self) -> str:
        return written(self.name)

    def matches(self, labels: t.Mapping[str, str]) -> bool:
        # Without regard to case: a YAML "false" that became text reads "False".
        return labels.get(self.name, "").lower() not in _FALSE


@dataclasses.dataclass(frozen=True)
class Equal(Expression):
    """The label has this value; ``negated``: it has not."""

    name: str
    value: str
    negated: bool = False

    @property
    def text(self) -> str:
        return f"{written(self.name)} {'!=' if self.negated else '=='} {written(self.value)}"

    def matches(self, labels: t.Mapping[str, str]) -> bool:
        return (labels.get(self.name) == self.value) != self.negated


@dataclasses.dataclass(frozen=True)
class OneOf(Expression):
    """The label has one of these values; ``negated``: none of them."""

    name: str
    values: tuple[str, ...]
    negated: bool = False

    @property
    def text(self) -> str:
        values = ", ".join(written(value) for value in self.values)
        return f"{written(self.name)} {'not in' if self.negated else 'in'} ({values})"

    def matches(self, labels: t.Mapping[str, str]) -> bool:
        return (labels.get(self.name) in self.values) != self.negated


@dataclasses.dataclass(frozen=True)
class Compare(Expression):
    """The label is a number that compares so with ``number``."""

    name: str
    sign: str
    number: str

    @property
    def text(self) -> str:
        return f"{written(self.name)} {self.sign} {self.number}"

    def matches(self, labels: t.Mapping[str, str]) -> bool:
        value = labels.get(self.name, "")
        if not NUMBER.match(value):
            return False
        # Not floats: those take two large numbers that differ for one.
        return COMPARE[self.sign](decimal.Decimal(value), decimal.Decimal(self.number))


@dataclasses.dataclass(frozen=True)
class Not(Expression):
    """The term is false."""

    term: Expression

    @property
    def text(self) -> str:
        return f"not {_enclosed(self.term, (All, Some))}"

    def matches(self, labels: t.Mapping[str, str]) -> bool:
        return not self.term.matches(labels)


@dataclasses.dataclass(frozen=True)
class All(Expression):
    """Every term is true."""

    terms: tuple[Expression, ...]

    @property
    def text(self) -> str:
        return " and ".join(_enclosed(term, (Some,)) for term in self.terms)

    def matches(self, labels: t.Mapping[str, str]) -> bool:
        return all(term.matches(labels) for term in self.terms)


@dataclasses.dataclass(frozen=True)
class Some(Expression):
    """At least one term is true."""

    terms: tuple[Expression, ...]

    @property
    def text(self) -> str:
        return " or ".join(term.text for term in self.terms)

    def matches(self, labels: t.Mapping[str, str]) -> bool:
        return any(term.matches(labels) for term in self.terms)


def _enclosed(term: Expression, kinds: tuple[type, ...]) -> str:
    return f"({term.text})" if isinstance(term, kinds) else term.text
