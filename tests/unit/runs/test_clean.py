# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tools print becomes plain text, however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._runs._clean import Cleaner, Folder, clean_text


def clean(data: bytes, size: int) -> str:
    cleaner = Cleaner()
    pieces = [cleaner.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return "".join([*pieces, cleaner.feed(b"", final=True)])


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"a \x1b[1;31mred\x1b[0m word", "a red word"),
        (b"\x1b]0;a title\x07text", "text"),
        (b"\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1b]never ended\nnext", "\nnext"),
        (b"\x1bPq#0\x1b\\text\x1b(B", "text"),
        ("\x9b31mred\x9b0m".encode(), "red"),
        (b"cut off \x1b[3", "cut off "),
        (b"cut off \x1b]0;tit", "cut off "),
        (b"1 %\r50 %\r100 %\r\nnext\r\n", "100 %\nnext\n"),
        (b"50 %\r", "50 %"),
        (b"b\x08bold_\x08u", "boldu"),
        (b"bell\x07 nul\x00 del\x7f tab\t", "bell nul del tab\t"),
        (b"\xff\xfe \xc3( \xe2\x82", "\ufffd\ufffd \ufffd( \ufffd"),
        ("a\u202eb\u2066c\u200bd".encode(), "a<U+202E>b<U+2066>c<U+200B>d"),
        ("a\u2028b".encode(), "a b"),
        (b"</script><img src=x>", "</script><img src=x>"),
        ("žluť 漢字 🎉".encode(), "žluť 漢字 🎉"),
    ],
)
def test_control_codes(printed: bytes, shown: str) -> None:
    assert clean(printed, len(printed)) == shown
    assert clean(printed, 1) == shown


_BITS = st.sampled_from(
    [
        b"\x1b",
        b"[",
        b"]",
        b"31m",
        b"\x07",
        b"\\",
        b"\r",
        b"\n",
        b"\x08",
        b"\x00",
        b"\xff",
        b"\xe2\x82\xac",
        b"\xc2\x9b",
    ]
)


@settings(max_examples=300)
@given(st.lists(st.one_of(_BITS, st.binary(max_size=6)), max_size=40), st.integers(1, 9))
def test_pieces_make_no_difference(bits: list[bytes], size: int) -> None:
    data = b"".join(bits)
    shown = clean(data, size)
    assert shown == clean(data, len(data) or 1)
    assert shown.encode().decode() == shown
    assert not [sign for sign in shown if sign not in "\n\t" and (sign < " " or "\x7f" <= sign <= "\x9f")]


def test_nul_is_counted() -> None:
    cleaner = Cleaner()
    assert cleaner.feed(b"a\0\0b\0", final=True) == "ab"
    assert cleaner.nul == 3


@pytest.mark.parametrize("unit", [b"\x1b[", b"\x1b]", b"\r", b"\x08", b"\xc2\x9d", b"1 %\r", b"\x1b ", b"x"])
def test_a_line_without_end_is_not_kept(unit: bytes) -> None:
    cleaner = Cleaner()
    kept = 0
    for _number in range(16):
        cleaner.feed(unit * 65536)
        kept = max(kept, len(cleaner._rest))
    assert kept <= 1 << 16


@pytest.mark.parametrize(
    "unit", [b"\x1b[31mred", b"a\x08b", b"\x1b]8;;http://x\x07link", "žlu".encode(), b"\xc2\x9b1mx"]
)
def test_a_long_line_in_pieces(unit: bytes) -> None:
    data = unit * 40_000
    assert clean(data, 70_001) == clean(data, len(data)) == clean(unit, len(unit)) * 40_000


def test_a_secret_is_shown_as_a_log_would_show_it() -> None:
    assert clean_text("a\x1b[31mb\r\n") == "ab\n"


def fold(texts: list[str], width: int = 10, pieces: int = 3) -> str:
    folder = Folder(width, pieces)
    return "".join([*(folder.feed(text) for text in texts), folder.feed("", final=True)])


def test_long_lines_are_folded_and_cut() -> None:
    assert fold(["0123456789\nnext"]) == "0123456789\nnext"
    assert fold(["0123456789ab\nnext\n"]) == "0123456789 …\n… ab\nnext\n"
    line = "a" * 30 + "b" * 20 + "c" * 10
    said = "20 characters of this line were cut here"
    cut = f"aaaaaaaaaa …\n… aaaaaaaaaa …\n… aaaaaaaaaa …\n… {said} …\n… cccccccccc"
    assert fold([line]) == cut
    assert fold([f"{line}\nnext\n"]) == f"{cut}\nnext\n"


@settings(max_examples=200)
@given(st.lists(st.text("ab\n", max_size=60), max_size=5))
def test_folding_pieces_is_folding_the_whole(texts: list[str]) -> None:
    assert fold(texts) == fold(["".join(texts)])
