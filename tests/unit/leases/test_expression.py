# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label expressions: what they mean, that they read back as written, and that nothing breaks them."""

from __future__ import annotations

import fractions
import typing as t

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._expression import Expression, parse
from ansible_collections.distrogate.ci.plugins.module_utils._leases._expression_terms import (
    All,
    Compare,
    Equal,
    Has,
    Not,
    OneOf,
    Some,
)

TE = {"arch": "amd64", "size": "large", "isolated": "False", "gpu": "yes", "memory": "64", "it's": 'a "b"'}

MEANINGS = [
    ("arch == amd64", True),
    ("arch==amd64", True),
    ("arch == 'amd64'", True),
    ('"arch" == "amd64"', True),
    ("arch == arm64", False),
    ("arch == AMD64", False),
    ("arch != amd64", False),
    ("arch != arm64", True),
    ("size in (large, huge)", True),
    ("size in (small)", False),
    ("size not in (large, huge)", False),
    ("size not in (small)", True),
    ("gpu", True),
    ("isolated", False),
    ("not isolated", True),
    ("memory >= 64", True),
    ("memory > 64", False),
    ("memory <= 64.0", True),
    ("memory < 64", False),
    ("memory > -1", True),
    ("memory > 9", True),
    ("arch > 9", False),
    ("arch <= 9", False),
    ("memory == 64.0", False),
    # A label that is missing.
    ("disk", False),
    ("disk == ssd", False),
    ("disk != ssd", True),
    ("disk in (ssd, '')", False),
    ("disk not in (ssd)", True),
    ("disk == ''", False),
    ("disk < 5", False),
    ("disk >= 5", False),
    # What binds tighter.
    ("gpu or gpu and isolated", True),
    ("(gpu or gpu) and isolated", False),
    ("not isolated and isolated", False),
    ("not (isolated and isolated)", True),
    ("not arch == arm64", True),
    ("not not gpu", True),
    ("arch == amd64 and (size in (large, huge) or not isolated)", True),
    ("\n arch\t==\namd64\r\nand gpu ", True),
    ("'it''s' == 'a \"b\"'", True),
    ('"it\'s" == "a ""b"""', True),
    ("isolated == False", True),
    ("image.of/the:day-1 != x", True),
]


@pytest.mark.parametrize(("text", "meaning"), MEANINGS)
def test_meaning(text: str, meaning: bool) -> None:
    assert parse(text).matches(TE) is meaning


@pytest.mark.parametrize("value", ["", "false", "no", "0", "False", "NO"])
def test_a_label_that_says_no(value: str) -> None:
    assert not parse("isolated").matches({"isolated": value})


@pytest.mark.parametrize("value", ["true", "yes", "1", "00", "off-line"])
def test_a_label_that_says_yes(value: str) -> None:
    assert parse("isolated").matches({"isolated": value})


@pytest.mark.parametrize(
    "value", ["", " 64", "64\n", "+64", "6_4", "٦٤", "1e3", "0x40", "nan", "inf", "64.", ".5", "9" * 5000]
)
def test_no_number(value: str) -> None:
    assert not parse("memory >= 1 or memory < 1").matches({"memory": value})


def test_large_numbers_are_not_rounded() -> None:
    assert parse("serial > 9007199254740992").matches({"serial": "9007199254740993"})


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  a==b  ", "a == b"),
        ("'a' == \"b\"", "a == b"),
        ("a == 'b c'", "a == 'b c'"),
        ('a == "b c"', "a == 'b c'"),
        ("a == 'it''s'", 'a == "it\'s"'),
        ("a == 'and'", "a == 'and'"),
        ("a == ''", "a == ''"),
        ("a not   in('x',y)", "a not in (x, y)"),
        ("a >= '16'", "a >= 16"),
        ("((a))and(b and(c))", "a and b and c"),
        ("(a or b) and not (c) or not(d or e)", "(a or b) and not c or not (d or e)"),
    ],
)
def test_one_way_to_write_it(text: str, canonical: str) -> None:
    assert parse(text).text == canonical
    assert parse(canonical) == parse(text)


WRONG = [
    ("", 1, "the name of a label, 'not' or '('"),
    ("   ", 4, "the name of a label, 'not' or '('"),
    ("a ==", 5, "a value"),
    ("a == and", 6, "a value"),
    ("a b", 3, "'and', 'or' or the end"),
    ("(a", 3, "'and', 'or' or ')'"),
    ("a)", 2, "'and', 'or' or the end"),
    ("a in b", 6, "'('"),
    ("a in ()", 7, "a value"),
    ("a in (b c)", 9, "',' or ')'"),
    ("a in (b,)", 9, "a value"),
    ("a not b", 7, "'in'"),
    ("a >= many", 6, "a number"),
    ("a >= 1e3", 6, "a number"),
    ("'' == x", 1, "the name of a label, 'not' or '('"),
    ("a == 'x", 6, "a second ' that ends this text"),
    ("a == 'x\ny'", 6, "printable characters between the quotes"),
    ("a == '\u202e'", 6, "printable characters between the quotes"),
    ("a = b", 3, "a word, a quote, or one of == != <= >= < > ( )"),
    ("{{ a }}", 1, "a word, a quote, or one of == != <= >= < > ( )"),
    ("a == b\0", 7, "a word, a quote, or one of == != <= >= < > ( )"),
    ("a == __import__('os')", 16, "'and', 'or' or the end"),
]


@pytest.mark.parametrize(("text", "position", "expected"), WRONG)
def test_an_error_says_where_and_what(text: str, position: int, expected: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        parse(text)
    assert caught.value.reason == "bad_expression"
    assert caught.value.details == {"position": position, "expected": expected}
    assert expected in caught.value.message


def test_the_mark_stands_under_the_place() -> None:
    text = "arch == amd64 and\nsize in (large, huge) and " + "long_label and " * 9 + "oh = no"
    with pytest.raises(DistrogateError) as caught:
        parse(text)
    _sentence, shown, mark = caught.value.message.split("\n")
    assert shown[mark.index("^") :] == "= no"
    assert len(shown) < 80


DEEP = [
    ("not " * 50 + "a", True),
    ("not " * 51 + "a", False),
    ("(" * 50 + "a" + ")" * 50, True),
    ("(" * 51 + "a" + ")" * 51, False),
    ("(not " * 25 + "a" + ")" * 25, True),
    ("(not " * 26 + "a" + ")" * 26, False),
    ("(not a) or " * 60 + "a", True),  # Beside each other, not inside.
    ("(" * 4096, False),
    ("a or " * 819 + "a", True),
    ("a==b or " * 511 + "a==b", False),  # It fits, but not as it is written with blanks.
    ("ä" * 2040, False),
    ("a == '" + "ä" * 2044 + "'", True),
    ("a == '" + "ä" * 2045 + "'", False),
    ("a" * (1 << 20), False),
    ("(" * (1 << 20), False),
    ("'" * (1 << 20), False),
    ("a == '\ud800'", False),
    ("\udfff" * 4000, False),
]


@pytest.mark.parametrize(("text", "good"), DEEP, ids=range(len(DEEP)))
def test_bounds(text: str, good: bool) -> None:
    if good:
        assert parse(parse(text).text) == parse(text)
        return
    with pytest.raises(DistrogateError) as caught:
        parse(text)
    assert caught.value.reason == "bad_expression"
    assert len(caught.value.message) < 500


_TEXTS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")).filter(str.isprintable), max_size=6)
_NAMES = st.sampled_from(["arch", "size", "not", "a b", "it's"]) | _TEXTS.filter(bool)
_VALUES = st.sampled_from(["", "x", "yes", "No", "in", "16", "'\""]) | _TEXTS
_NUMBERS = st.sampled_from(["0", "16", "-3", "16.0", "15.99"])


def _joins(kind: type[All | Some], terms: t.Any) -> t.Any:
    return st.lists(terms.filter(lambda term: not isinstance(term, kind)), min_size=2, max_size=3).map(
        lambda several: kind(tuple(several))
    )


TREES: t.Any = st.recursive(
    st.builds(Has, _NAMES)
    | st.builds(Equal, _NAMES, _VALUES, st.booleans())
    | st.builds(OneOf, _NAMES, st.lists(_VALUES, min_size=1, max_size=3).map(tuple), st.booleans())
    | st.builds(Compare, _NAMES, st.sampled_from(["<", "<=", ">", ">="]), _NUMBERS),
    lambda terms: st.builds(Not, terms) | _joins(All, terms) | _joins(Some, terms),
    max_leaves=12,
)


@given(TREES)
def test_what_is_written_reads_back(tree: Expression) -> None:
    assert parse(str(tree)) == tree
    assert parse(tree.text).text == tree.text


def _number(text: str) -> fractions.Fraction | None:
    try:
        return fractions.Fraction(text) if set(text) <= set("-.0123456789") else None
    except ValueError:
        return None


def _means(tree: t.Any, labels: dict[str, str]) -> bool:
    """The meaning once more, as plainly as it can be said."""
    if isinstance(tree, Not):
        return not _means(tree.term, labels)
    if isinstance(tree, (All, Some)):
        meanings = [_means(term, labels) for term in tree.terms]
        return False not in meanings if isinstance(tree, All) else True in meanings
    there, value = tree.name in labels, labels.get(tree.name, "")
    if isinstance(tree, Has):
        return there and value.lower() not in {"", "false", "no", "0"}
    if isinstance(tree, Compare):
        left, right = _number(value), fractions.Fraction(tree.number)
        order = "" if left is None else "<" if left < right else ">" if left > right else "="
        return bool(order) and order in tree.sign
    values = (tree.value,) if isinstance(tree, Equal) else tree.values
    return (not there or value not in values) if tree.negated else (there and value in values)


@given(TREES, st.dictionaries(_NAMES, _VALUES | _NUMBERS, max_size=5))
def test_it_means_what_it_says(tree: Expression, labels: dict[str, str]) -> None:
    assert parse(tree.text).matches(labels) is _means(tree, labels)


_PIECES = [
    "a",
    "==",
    "!=",
    "<",
    ">=",
    "=",
    "in",
    "not",
    "and",
    "or",
    "(",
    ")",
    ",",
    "'",
    '"',
    " ",
    "\n",
    "\0",
    "16",
    "{{",
]


@given(st.text() | st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
@example("a == 'b''")
def test_garbage_is_refused_or_means_something(text: str) -> None:
    refused = None
    try:
        expression = parse(text)
    except DistrogateError as error:
        refused = error
    if refused:
        assert refused.reason == "bad_expression"
        refused.message.encode()
    else:
        assert parse(expression.text) == expression
        assert expression.matches({}) in (True, False)


def test_it_is_frozen_and_can_be_a_key() -> None:
    expression = parse("a == b and c")
    with pytest.raises(AttributeError):
        expression.terms = ()  # type: ignore[attr-defined]
    assert {expression: 1}[parse("(a=='b')and c")] == 1
