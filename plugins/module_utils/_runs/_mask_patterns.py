# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What looks like a secret, whoever's it is: keys, tokens, headers, passwords in addresses."""

from __future__ import annotations

import re
import typing as t

REACH = 8192  # longer than any match but a private key's
_KEY_REACH = 32768

# Where the secret stands, and whether more text could make it longer.
Found = tuple[int, int]
Finder = t.Callable[[str, int], t.Optional[Found]]

_NONE = r"(?!\*{4}|(?:none|null|true|false|undefined)\b|\$[A-Za-z_{(]|\{\{|=)"
_VALUE = rf"""(?:\\?"([^"\\\n]{{1,4000}})|\\?'([^'\\\n]{{1,4000}})|{_NONE}([^\s"'&;,<>{{}}()\\]{{1,4000}}))"""
_NAME = r"[\w.\-]{0,40}"


def _pattern(text: str, flags: int = re.IGNORECASE) -> Finder:
    """A finder of the group that took part in a match, which begins with the word that was found."""
    compiled = re.compile(text, flags)

    def find(buffer: str, begin: int) -> Found | None:
        match = compiled.match(buffer, begin)
        return match.span(match.lastindex or 0) if match else None

    return find


_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_TEXT = re.compile(
    r"(?:(?:\s|\\[nr]){0,8}[A-Za-z0-9+/=]{16,128}){0,500}(?:(?:\s|\\[nr]){0,8}[A-Za-z0-9+/=]{1,128})?"
)


def _private_key(buffer: str, begin: int) -> Found | None:
    """What stands between the marks; without an end mark, what looks like a key."""
    mark = _KEY.match(buffer, begin)
    if not mark:
        return None
    end = buffer.find("-----END", mark.end(), mark.end() + _KEY_REACH)
    if end < 0 and len(buffer) - mark.end() >= _KEY_REACH:
        text = _KEY_TEXT.match(buffer, mark.end())
        end = text.end() if text else mark.end()
    return mark.end(), end if end >= 0 else len(buffer)


_assigned = _pattern(rf"""{_NAME}\\?["']?\]?[ \t]{{0,4}}(?:=>?|:=)[ \t]{{0,4}}{_VALUE}""")
_quoted = _pattern(rf"""{_NAME}\\?["'][ \t]{{0,4}}:[ \t]{{0,4}}{_VALUE}""")
_named = _pattern(rf"""{_NAME}:[ \t]{{0,4}}{_VALUE}""")
_authorization = _pattern(
    r"""authorization\\?["']?[ \t]{0,4}[:=][ \t]{0,4}\\?["']?"""
    r"""(?:(?:basic|bearer|token|digest|negotiate|apikey)[ \t]{1,4})?((?!\*{4})[^\s"'\\][^\n"'\\]{0,4000})"""
)
_KEYWORDS = ("password", "passwd", "passphrase", "secret", "token", "credential")
_KEYS = ("api_key", "api-key", "apikey", "access_key", "access-key", "private_key", "pwd")
_GITLAB = ("glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-")
_CASE = 0

# The words in lower case that a match begins with, and what to look for there.
RULES: tuple[tuple[tuple[str, ...], Finder], ...] = (
    (("-----begin ",), _private_key),
    ((*_KEYWORDS, *_KEYS), _assigned),
    ((*_KEYWORDS, *_KEYS), _quoted),
    (("password", "passwd", "passphrase", "secret", "-token", "_token"), _named),
    (("authorization",), _authorization),
    (("bearer",), _pattern(r"bearer[ \t]{1,4}([A-Za-z0-9._~+/=-]{8,4000})")),
    (("cookie",), _pattern(r"""cookie\\?["']?[ \t]{0,4}:[ \t]{0,4}\\?["']?([^\s"'\\][^\n"'\\]{0,4000})""")),
    (("://",), _pattern(r"""://[^/\s:@"'<>]{0,256}:([^/\s@"'<>]{1,1000})@""")),
    (("://",), _pattern(r"""://([^/\s:@"'<>]{20,1000})@""")),
    (("akia", "asia"), _pattern(r"((?:AKIA|ASIA)[A-Z0-9]{16})", _CASE)),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), _pattern(r"(gh[pousr]_[A-Za-z0-9]{20,255})", _CASE)),
    (("github_pat_",), _pattern(r"(github_pat_[A-Za-z0-9_]{20,255})", _CASE)),
    (_GITLAB, _pattern(r"(gl[a-z]{2,6}-[A-Za-z0-9_.-]{20,255})", _CASE)),
    (("eyj",), _pattern(r"(eyJ[A-Za-z0-9_-]{8,3000}\.[A-Za-z0-9_-]{4,3000}\.[A-Za-z0-9_-]{0,1000})", _CASE)),
    (("xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"), _pattern(r"(xox[abprs]-[A-Za-z0-9-]{10,255})", _CASE)),
    (("age-secret-key-1",), _pattern(r"(AGE-SECRET-KEY-1[A-Z0-9]{40,80})")),
)
