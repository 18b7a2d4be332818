# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Markup that is safe by the way it is made: whatever is not Html becomes text."""

from __future__ import annotations

import html
import json
import math
import typing as t
import urllib.parse

_VOID = ("br", "input", "meta")


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def visible(text: object) -> str:
    """Text in which nothing hides: codes that turn, join or hide letters are written out."""
    return "".join(one if one.isprintable() or one in "\n\t" else repr(one)[1:-1] for one in str(text))


def markup(value: object) -> Html:
    """One piece of a page: Html as it is, a list piece by piece, nothing for None, all else as text."""
    if isinstance(value, Html):
        return value
    if value is None:
        return Html()
    if isinstance(value, (list, tuple)):
        return Html("".join(markup(one) for one in value))
    return Html(html.escape(visible(value)))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """An element. ``class_`` is class, ``aria_label`` is aria-label; None and False are left out."""
    said = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        shown = "" if value is True else f'="{html.escape(visible(value))}"'
        said += f" {key.rstrip('_').replace('_', '-')}{shown}"
    if name in _VOID:
        return Html(f"<{name}{said}>")
    return Html(f"<{name}{said}>{markup(children)}</{name}>")


def table(
    label: str, heads: t.Sequence[str], rows: t.Sequence[t.Sequence[object]], limit: int = 1000
) -> Html:
    """A table that scrolls inside itself; its first column names the rows. What is too much is stated."""
    if not rows:
        return Html()
    body = [
        tag("tr", tag("th", row[0], scope="row"), [tag("td", cell) for cell in row[1:]])
        for row in rows[:limit]
    ]
    head = tag("thead", tag("tr", [tag("th", one, scope="col") for one in heads]))
    inner = tag("table", tag("caption", label, class_="hidden"), head, tag("tbody", body))
    wide = tag("div", inner, class_="wide", tabindex="0", role="region", aria_label=label)
    if len(rows) <= limit:
        return wide
    return markup(
        [wide, tag("p", f"And {len(rows) - limit:,} more, which the JSON files have.", class_="quiet")]
    )


def facts(rows: t.Sequence[tuple[str, object]]) -> Html:
    """Names and values; a value that is empty goes with its name."""
    return tag(
        "dl", [[tag("dt", name), tag("dd", value)] for name, value in rows if value not in (None, "", [])]
    )


def code(text: object, title: str | None = None) -> Html:
    return tag("code", text, title=title)


def digest(value: object) -> Html:
    """A digest, short, and whole for who points at it or copies it."""
    text = str(value or "")
    bare = text[7:] if text.startswith("sha256:") else text
    return code(f"{bare[:12]}…" if len(bare) > 16 else bare, title=text) if text else Html()


def json_block(value: object) -> str:
    """JSON for the inside of a script element: nothing in it can end the element, or begin a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def log_address(path: str, line: int = 0) -> str:
    """The part of an address that shows a log, and a line of it."""
    return "#" + urllib.parse.quote(path, safe="/") + (f":{line}" if line else "")


def seconds(value: float) -> str:
    """How long, as people say it."""
    if not math.isfinite(value):
        return "?"
    if value < 10:
        return f"{value:.1f} s"
    if round(value) < 60:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(value: float) -> str:
    """How much, as people say it."""
    for unit in ("bytes", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 10 else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


def count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
