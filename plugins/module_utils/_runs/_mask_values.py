# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which a secret value can stand in a log."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._runs._clean import clean_text

SHORTEST = 6  # a shorter value would hide half of a log, and protect little
_LONGEST = 16384
_LINE = 12  # lines of a long value that are masked alone
# Found in every log, and secret in none.
# fmt: off
_COMMON = frozenset({
    "admin", "administrator", "ansible", "anonymous", "builder", "centos", "changeme", "credential",
    "credentials", "debian", "default", "disabled", "distrogate", "enabled", "example", "false", "fedora",
    "github", "gitlab", "jenkins", "localhost", "nobody", "passwd", "password", "private", "present",
    "secret", "secrets", "system", "tester", "testing", "token", "tokens", "true", "ubuntu", "undefined",
    "unknown", "username", "vagrant",
})
# fmt: on


def forms(values: t.Iterable[str]) -> list[str]:
    """Everything to look for, the longest first; values that are too short or too common are left out."""
    found: set[str] = set()
    for value in values:
        for part in _parts(value):
            found.update(_forms(part))
    kept = {form for form in found if SHORTEST <= len(form) <= _LONGEST}
    return sorted(kept, key=lambda form: (-len(form), form))


def worth(value: str) -> bool:
    """Whether a value is masked wherever it stands."""
    text = value.strip()
    return len(text) >= SHORTEST and text.lower() not in _COMMON and len(set(text)) > 1


def _parts(value: str) -> t.Iterator[str]:
    """A value as it is, and its lines: tools print them one by one, with something before each."""
    if not worth(value):
        return
    text = value.strip()
    yield text
    lines = text.splitlines() if "\n" in text else []
    for line in lines:
        if len(line.strip()) >= _LINE and not line.startswith("-----"):
            yield line.strip()


def _forms(text: str) -> t.Iterator[str]:
    yield clean_text(text)
    yield from _quoted(text)
    yield from _encoded(text)


def _quoted(text: str) -> t.Iterator[str]:
    for once in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield from (once, json.dumps(once)[1:-1], once.replace("/", "\\/"))
    yield repr(text)[1:-1]
    yield from (html.escape(text), html.escape(text, quote=False))
    for word in (urllib.parse.quote(text, safe=""), urllib.parse.quote(text), urllib.parse.quote_plus(text)):
        yield word
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), word)
    yield shlex.quote(text).strip("'") if text.strip("'") == text else text.replace("'", "'\"'\"'")
    yield text.replace("'", "'\\''")
    yield re.sub(r"([^\w@%+=:,./-])", r"\\\1", text)  # bash's printf %q


def _encoded(text: str) -> t.Iterator[str]:
    """In base64 alone and within other bytes: three positions, without the letters that depend on those."""
    data = text.encode("utf-8", "replace")
    for before in range(3):
        begin = (before * 8 + 5) // 6
        end = (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + data).decode()[begin:end]
