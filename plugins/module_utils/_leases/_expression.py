# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Choosing TEs by their labels: ``arch == amd64 and (size in (large, huge) or not isolated)``.

A label that a TE lacks equals nothing: ``==``, ``in`` and comparisons are false then, ``!=`` and
``not in`` are true. ``not`` binds tighter than ``and``, and ``and`` tighter than ``or``.
"""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.module_utils._leases._expression_terms import (
    COMPARE,
    NUMBER,
    All,
    Compare,
    Equal,
    Expression,
    Has,
    Not,
    OneOf,
    Some,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._expression_words import Words

__all__ = ["Expression", "parse"]

_MORE = "'and', 'or'"


def parse(text: str) -> Expression:
    """Read an expression; error ``bad_expression`` says where it is wrong, and what belongs there."""
    words = Words(text)
    expression = _some(words)
    if words.kind:
        raise words.error(f"{_MORE} or the end")
    words.check_length(expression.text)
    return expression


def _some(words: Words) -> Expression:
    terms = [_all(words)]
    while words.skip("or"):
        terms.append(_all(words))
    return _joined(Some, terms)


def _all(words: Words) -> Expression:
    terms = [_not(words)]
    while words.skip("and"):
        terms.append(_not(words))
    return _joined(All, terms)


def _joined(kind: type[All | Some], terms: list[Expression]) -> Expression:
    """``a and (b and c)`` is ``a and b and c``."""
    flat: list[Expression] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, kind) else (term,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def _not(words: Words) -> Expression:
    if words.kind not in ("not", "("):
        return _about_label(words)
    with words.deeper():
        if words.skip("not"):
            return Not(_not(words))
        words.take("(", "'('")
        inside = _some(words)
        words.take(")", f"{_MORE} or ')'")
        return inside


def _about_label(words: Words) -> Expression:
    name = words.take("word", "the name of a label, 'not' or '('", empty=False)
    sign = words.kind
    if sign in ("==", "!="):
        words.skip(sign)
        return Equal(name, words.take("word", "a value"), sign == "!=")
    if sign in COMPARE:
        words.skip(sign)
        return Compare(name, sign, words.take("word", "a number", valid=NUMBER.match))
    if sign in ("in", "not"):
        if words.skip("not") and words.kind != "in":
            raise words.error("'in'")
        words.skip("in")
        return OneOf(name, _values(words), sign == "not")
    return Has(name)


def _values(words: Words) -> tuple[str, ...]:
    words.take("(", "'('")
    values = [words.take("word", "a value")]
    while words.skip(","):
        values.append(words.take("word", "a value"))
    words.take(")", "',' or ')'")
    return tuple(values)
