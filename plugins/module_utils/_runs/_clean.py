# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the bytes that a tool printed into plain text, piece by piece, with bounded memory."""

from __future__ import annotations

import codecs
import re

_LONG = 1 << 16  # characters of a line that are kept together; what is longer goes on in pieces
_OPEN = 4096  # how long a control sequence may be; what is longer is text
# One control sequence, as ECMA-48 has them: a string up to its end or the line's, CSI, or a short one.
_BODY = r"[^\x07\x1b\x90\x98\x9b-\x9f\n]"
_STRING = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])" + _BODY + r"{0,4096}(?:\x07|\x1b\\|\x9c|(?=\n))"
_CSI = r"(?:\x1b\[|\x9b)[0-?]{0,256}[ -/]{0,16}[@-~]"
_SHORT = r"\x1b[ -/]{0,16}[0-Z\\^-~]"
_SEQUENCE = re.compile(f"{_STRING}|{_CSI}|{_SHORT}")
_UNFINISHED = re.compile(
    rf"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_BODY}*\x1b?|\x1b[ -/]*)\Z"
)
_OVERSTRUCK = re.compile(r"[^\x08\n]\x08")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# What changes the direction or the order of letters, or hides: a reader must see it.
_HIDDEN = "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
_DECEIVING = re.compile(f"[{_HIDDEN}\u2028\u2029]")
_SHOWN = {
    number: f"<U+{number:04X}>"
    for number in (*range(0x600, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080))
    if re.match(f"[{_HIDDEN}]", chr(number))
}
_SHOWN.update({0x2028: " ", 0x2029: " "})


class Cleaner:
    """Bytes in, plain text out.

    Bytes that are not UTF-8 become U+FFFD; control sequences and codes go, and so does what a carriage
    return overwrote; letters that deceive are shown by their number. NUL is counted in ``nul``.
    """

    def __init__(self) -> None:
        self.nul = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._within = False  # whether a line has begun that is longer than what is kept together

    def feed(self, data: bytes, final: bool = False) -> str:
        """The text that is certain now; the rest waits for more, or for ``final``."""
        kept = data.translate(None, b"\0") if b"\0" in data else data
        self.nul += len(data) - len(kept)
        text = self._rest + self._decoder.decode(kept, final)
        cut = len(text) if final else text.rfind("\n") + 1
        if final:
            text = text[: _safe(text)]
        elif len(text) - cut > _LONG:
            # A letter that may be struck over waits, too.
            cut = _safe(text[: len(text[: _safe(text)].rstrip("\r\x08")) - 1])
            cut = max(len(text) - _OPEN, cut)
        self._rest = text[cut:]
        return self._part(text[:cut])

    def _part(self, text: str) -> str:
        if not text:
            return ""
        begun, self._within = self._within, not text.endswith("\n")
        if begun and "\r" in text.partition("\n")[0].rstrip("\r"):
            return "\n" + _plain(text)  # the beginning that it overwrote is out already
        return _plain(text)


def _safe(text: str) -> int:
    """Where a control sequence begins that has no end yet."""
    found = _UNFINISHED.search(text, max(0, len(text) - _OPEN))
    return found.start() if found else len(text)


def _plain(text: str) -> str:
    if "\x1b" in text or not text.isascii():
        text = _SEQUENCE.sub("", text)
    if "\r" in text:
        text = "\n".join(
            line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line for line in text.split("\n")
        )
    if "\x08" in text:
        text = _OVERSTRUCK.sub("", text)
    text = _CONTROL.sub("", text)
    if not text.isascii() and _DECEIVING.search(text):
        text = text.translate(_SHOWN)
    return text


def clean_text(text: str) -> str:
    """A whole text as a log shows it."""
    return Cleaner().feed(text.encode("utf-8", "replace"), final=True)


class Folder:
    """Folds long lines into pieces of ``width`` characters; what all pieces cannot hold is cut."""

    def __init__(self, width: int, pieces: int) -> None:
        self._width = width
        self._pieces = pieces
        self._column = 0
        self._made = 0
        self._lost = 0
        self._end = ""
        self.cut = 0  # characters

    def feed(self, text: str, final: bool = False) -> str:
        """The text with its long lines folded."""
        lines = text.split("\n")
        if self._made + self._lost == 0 and self._column + max(map(len, lines)) <= self._width:
            self._column = len(lines[-1]) + (self._column if len(lines) == 1 else 0)
            return text  # the usual case
        out: list[str] = []
        for line in lines[:-1]:
            self._line(line, True, out)
        self._line(lines[-1], False, out)
        if final and self._lost:
            self._close(out)
        return "".join(out)

    def _line(self, body: str, ended: bool, out: list[str]) -> None:
        at = 0
        while at < len(body) and self._made < self._pieces:
            if self._column == self._width:
                self._made += 1
                self._column = 0
                if self._made < self._pieces:
                    out.append(" …\n… ")
                continue
            piece = body[at : at + self._width - self._column]
            out.append(piece)
            self._column += len(piece)
            at += len(piece)
        if at < len(body):
            rest = body[at:]
            self._lost += len(rest)
            self._end = (self._end + rest[-self._width :])[-self._width :]
        if ended:
            if self._lost:
                self._close(out)
            out.append("\n")
            self._column = self._made = 0

    def _close(self, out: list[str]) -> None:
        """Say what of a line was cut, and show its end."""
        cut = self._lost - len(self._end)
        self.cut += cut
        said = f" {cut} characters of this line were cut here …\n…" if cut else ""
        out.append(f" …\n…{said} {self._end}")
        self._lost, self._end = 0, ""
