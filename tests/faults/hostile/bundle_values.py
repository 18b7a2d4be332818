# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How values and texts of bundles are made bad."""

from __future__ import annotations

import json
import random
import re
import typing as t

Json = dict[str, t.Any]
_NAMES = ("../x", "a/../b", "/etc/x", "..", "", "a\nb", "a\0b", "-rf", "\u202egnp.exe", "a//b", "x" * 5000)
_TAGS = ("latest\n", "\nlatest", "-x", "a b", "../latest", "x" * 129, "", "tag\0")
_NUMBERS = (10**30, -1, 10**400, 1e300, 0.5, True, "9", None, 2**53, float("inf"), float("nan"))
_HEX = ("0" * 63, "A" * 64, "0" * 64 + "\n", "sha256:" + "0" * 64, 5, None)
_BAD: dict[str, dict[str, tuple[t.Any, ...]]] = {
    "": {
        "name": _NAMES,
        "size": _NUMBERS,
        "sha256": _HEX,
        "type": ("deb\n", "../deb", "", 3, "Deb"),
        "origin": (None, "hello", {}, {"stage": "../x"}, {"stage": "build", "commit": "main\n"}),
        "note": ("a\nb", "\x1b[2J", "x" * 5000, 10**30, float("inf")),
    },
    "path": {"path": ("../x", "/etc/passwd", "artifacts/../../x", "", "a\0b", "artifacts//x", None, 3)},
    "tag": {
        "tag": _TAGS,
        "registry": (
            "http://registry.example.org",
            "https://a:b@registry.example.org",
            "file:///x",
            "https://",
            3,
        ),
        "repository": ("../x", "a/../b", "A", "a\n", "", "a" * 256, 3),
        "media_type": ("text/html", "", None),
        "path": ("artifacts/x",),
    },
    "commit": {
        "commit": ("main", "1" * 39, "1" * 40 + "\n", "--all", None),
        "url": ("ext::sh -c id", "--upload-pack=id", "https://a:b@example.org/x", "https://x/a\nb", ""),
        "subject": ("one\ntwo", None),
    },
    "packages": {"packages": ({}, None, [{}], [[]], [{"name": "../x"}], ["hello"], 10**30)},
}


def bad_fields(artifacts: list[Json], rng: random.Random) -> str:
    """Make one field of one artifact bad; returns which."""
    artifact = rng.choice(artifacts)
    groups = [fields for key, fields in _BAD.items() if not key or key in artifact]
    fields = rng.choice(groups)
    field = rng.choice(sorted(fields))
    artifact[field] = rng.choice(fields[field])
    return field


def json_values(value: t.Any) -> str:
    """A value in the spelling of sealing; infinity is written as a number that is read as such."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return re.sub(r"\bInfinity\b", "1e999", text)


def edited(data: bytes, rng: random.Random) -> bytes:
    """Other bytes: some changed, lost, doubled, added, or the end cut off."""
    while True:
        at = rng.randrange(len(data))
        end = min(len(data), at + rng.randrange(1, 40))
        changed = rng.choice(
            [
                data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :],
                data[:at] + data[end:],
                data[:end] + data[at:],
                data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:],
                data[:at],
            ]
        )
        if changed != data:
            return changed


def doubled(text: str, rng: random.Random) -> str:
    """JSON in which a key stands twice in one object, with the same value or with another."""
    keys = list(re.finditer(r'"([A-Za-z0-9_]+)": ?', text))
    found = rng.choice(keys)
    value = rng.choice(['""', "0", "null", "[]"])
    return f"{text[: found.start()]}{found.group(0)}{value}, {text[found.start() :]}"


def deep(text: str, rng: random.Random) -> str:
    """JSON with something nested deep, as the value of one more key."""
    depth = rng.choice([65, 100, 500, 900, 2000, 100_000])
    opened, closed = rng.choice([("[", "]"), ('{"x":', "}")])
    inner = opened * depth + "1" + closed * depth
    at = rng.choice([found.end() for found in re.finditer(r"\{", text)])
    rest = text[at:].lstrip()
    comma = "" if rest.startswith("}") else ", "
    return f'{text[:at]}"aaa": {inner}{comma}{rest}'
