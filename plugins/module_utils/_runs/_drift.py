# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift: an input of a run that is gone, or is not what it was when the run was frozen."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]
GONE, DIFFERS = "gone", "differs"
_SHOWN = 200  # characters of a value in a line for people
# Values that stages depend on, by the section of run.json, and what to do about one that differs.
HINTS = {
    "code": "install the same version of the collection",
    "collection": "install that version of the collection",
    "controller": "use an execution environment with that version",
    "images": "make the root filesystem with that key (playbook prepare), or take over the folder",
    "parameters": "set it as it was, or see that it does not matter",
    "repositories": "publish the same packages there",
    "stages": "name the same stages in distrogate_pipelines",
    "tools": "install that version on the builder",
}
_MAPPINGS = ("controller", "images", "parameters", "repositories", "tools")


def shown(value: t.Any) -> str:
    """A value in one line of bounded length, without control characters (a stranger may have written it)."""
    text = "nothing" if value in (None, "") else str(value)
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: _SHOWN * 2])
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def row(name: str, frozen: t.Any, here: t.Any, kind: str = "", hint: str = "") -> Json:
    """One input: what it was, what it is here, and what to do."""
    kind = kind or (GONE if here in (None, "") else DIFFERS)
    return {
        "input": name,
        "frozen": frozen,
        "here": here,
        "kind": kind,
        "hint": hint or HINTS[name.split(".", maxsplit=1)[0]],
    }


def line(one: Json) -> str:
    """One line for a person."""
    what = "is gone" if one["kind"] == GONE else f"is {shown(one['here'])} here"
    return f"{shown(one['input'])} {what}, it was {shown(one['frozen'])}: {one['hint']}."


def said(rows: t.Sequence[Json]) -> str:
    """All of it in one line."""
    names = ", ".join(shown(each["input"]) for each in rows[:8])
    more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
    return f"Not as it was frozen: {names}{more}." if rows else ""


def compare(frozen: Json, here: Json, sections: t.Sequence[str]) -> list[Json]:
    """The rows of the sections of run.json that both have; what a run did not freeze cannot differ.

    Something that is here, and was not there when the run was frozen, is a difference of parameters alone.
    """
    rows = []
    for section in sections:
        old, new = frozen.get(section), here.get(section)
        if old is None or new is None or old == new:
            continue
        if section not in _MAPPINGS:
            rows.append(row(section, old, new, DIFFERS))
            continue
        names = sorted(set(old) | set(new)) if section == "parameters" else sorted(old)
        for name in names:
            if old.get(name) != new.get(name):
                # What is not there: an image or a repository is gone; a variable or a tool merely differs.
                gone = new.get(name) is None and section in ("images", "repositories")
                kind = GONE if gone else DIFFERS
                rows.append(row(f"{section}.{name}", old.get(name), new.get(name), kind))
    return rows
