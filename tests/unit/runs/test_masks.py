# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets are masked in every form, wherever a text is cut; other words stay."""

from __future__ import annotations

import base64
import json
import shlex
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._runs import _mask_patterns
from ansible_collections.distrogate.ci.plugins.module_utils._runs._mask_values import forms, worth
from ansible_collections.distrogate.ci.plugins.module_utils._runs._masks import MASK, Masks, MaskStream

VALUE = "p4ss w'rd\"&/é$"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7\nbm90IGEga2V5IGF0IGFsbA==\n"
    "-----END RSA PRIVATE KEY-----"
)


def stream(masks: Masks, text: str, size: int) -> str:
    made = MaskStream(masks)
    pieces = [made.feed(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join([*pieces, made.feed("", final=True)])


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(json.dumps({"a": VALUE})),
        shlex.quote(VALUE),
        urllib.parse.quote(VALUE),
        urllib.parse.quote(VALUE, safe="").lower(),
        urllib.parse.quote_plus(VALUE),
        repr(VALUE),
        VALUE.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&#x27;"),
    ],
)
def test_forms_of_a_value(form: str) -> None:
    masks = Masks([VALUE])
    shown = masks.text(f"before {form} after")
    assert shown.startswith("before ") and shown.endswith(" after") and MASK in shown
    assert "p4ss" not in shown and masks.count == 1


@pytest.mark.parametrize("before", ["", "u:", "us:", "user:"])
def test_base64_within_other_bytes(before: str) -> None:
    value = "hunter2-and-more"
    shown = Masks([value]).text(base64.b64encode(f"{before}{value}, later".encode()).decode())
    left = [shown.partition(MASK)[0], shown.rpartition(MASK)[2]]
    assert MASK in shown and all(len(part) <= 14 for part in left)


def test_each_line_of_a_key_is_masked_alone() -> None:
    shown = Masks([PEM]).text("10:00 MIIEowIBAAKCAQEA7\n10:01 bm90IGEga2V5IGF0IGFsbA==\n")
    assert shown == f"10:00 {MASK}\n10:01 {MASK}\n"


@pytest.mark.parametrize("value", ["", "short", "password", "TRUE", "aaaaaaaaaaaa", "  abc  "])
def test_values_that_would_hide_a_log(value: str) -> None:
    assert not worth(value) and not forms([value])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"a {PEM} b", f"a -----BEGIN RSA PRIVATE KEY-----{MASK}-----END RSA PRIVATE KEY----- b"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEowIBAAKC", f"-----BEGIN PRIVATE KEY-----{MASK}"),
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {MASK}"),
        ("> proxy-authorization: Basic dTpw", f"> proxy-authorization: Basic {MASK}"),
        ("git clone https://me:pw@host/x", f"git clone https://me:{MASK}@host/x"),
        ("AKIAIOSFODNN7EXAMPLE.", f"{MASK}."),
        ("ghp_" + "a1" * 18, MASK),
        ("glpat-" + "a1" * 10, MASK),
        ("--password=abc --user=x", f"--password={MASK} --user=x"),
        ("DB_PASSWORD='a b' x", f"DB_PASSWORD='{MASK}' x"),
        ('{"api_key": "abc", "x": 1}', f'{{"api_key": "{MASK}", "x": 1}}'),
        ('"lease_secret": "0123456789abcdef"', f'"lease_secret": "{MASK}"'),
        ("x-auth-token: gAAAAAB", f"x-auth-token: {MASK}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", MASK),
        ("unexpected token: foo", "unexpected token: foo"),
        ("if password == given", "if password == given"),
        ("password=$PASSWORD secret=null", "password=$PASSWORD secret=null"),
        ("http://host:8080/a@b", "http://host:8080/a@b"),
        ("a secret that is none", "a secret that is none"),
    ],
)
def test_patterns(text: str, shown: str) -> None:
    assert Masks().text(text) == shown


def test_values_that_overlap_leave_nothing() -> None:
    assert Masks(["abc-123-def", "123-def-456"]).text("x abc-123-def-456 y") == f"x {MASK} y"


@settings(max_examples=150)
@given(
    st.lists(
        st.sampled_from(["hunter2-x", PEM, "k=1\n", "password=", "://u:pw@", "AKIAIOSFODNN7EXAMPLE", " "]),
        max_size=9,
    ),
    st.integers(0, 17000),
    st.integers(1, 4000),
)
def test_pieces_make_no_difference(parts: list[str], before: int, size: int) -> None:
    text = "." * before + "hunter2-x".join(parts) + "\n" + "," * 9000 + "hunter2-x"
    masks = Masks(["hunter2-x"])
    shown = stream(masks, text, size)
    assert "hunter2" not in shown
    assert shown == Masks(["hunter2-x"]).text(text)


@settings(max_examples=25)
@given(st.integers(0, 9))
def test_a_value_on_every_border(shift: int) -> None:
    text = ("hunter2-x" + "." * 8191) * 8
    shown = stream(Masks(["hunter2-x"]), "." * shift + text, 8200)
    assert shown.count(MASK) == 8 and "hunter" not in shown


@pytest.mark.parametrize(
    "unit", ["hunter2-x", "-----BEGIN PRIVATE KEY-----", "password=", "://a:", "eyJaaaaaaaaaaaa."]
)
def test_nothing_makes_it_keep_everything(unit: str) -> None:
    made = MaskStream(Masks(["hunter2-x"]))
    kept = 0
    for _number in range(12):
        made.feed(unit * (65536 // len(unit)))
        kept = max(kept, len(made._rest))
    assert kept <= 4 * 65536


def test_no_match_is_longer_than_what_waits() -> None:
    assert _mask_patterns.REACH > 2 * 3000 + 1000 + 100  # a JSON Web Token, the longest
