# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard's words: what a client may ask, and how it is told no.

The folder _guard is a program of its own. It runs on TE hosts without Ansible
and without this collection, so it imports nothing but the standard library.
"""

from __future__ import annotations

import re
import shlex
import typing as t

LONGEST = 1024  # characters of a command
LONGEST_TTL = 7 * 24 * 3600
CONSOLE_DEFAULT, CONSOLE_MOST = 64 << 10, 16 << 20
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}"
POWER = ("on", "off", "reset", "status")

_NUMBER = r"[1-9][0-9]{0,17}"
_ARGUMENTS = {
    "te": NAME,
    "fence": _NUMBER,
    "ttl": _NUMBER,
    "disk": NAME,
    "size": _NUMBER,
    "sha256": "[0-9a-f]{64}",
    "action": "|".join(POWER),
    "bytes": _NUMBER,
}
# Arguments in brackets may be left out.
_POOL = {"raise": "te fence ttl", "end": "te fence", "status": "[te]"}
_LEASE = {
    "renew": "ttl",
    "image": "disk size [sha256]",
    "power": "action",
    "console": "[bytes]",
    "status": "",
}


class RefusedError(Exception):
    """What the client is told: a word for machines, a sentence for people, and perhaps numbers."""

    def __init__(self, reason: str, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.reason, self.message, self.details = reason, message, details


class Command(t.NamedTuple):
    """One operation, with arguments that have the right form."""

    name: str
    arguments: dict[str, str]

    def number(self, argument: str, default: int = 0) -> int:
        return int(self.arguments.get(argument, default))


def parse(text: str | None, pool: bool) -> Command:
    """Read what the client sent with a pool's key (``pool``) or a lease's key."""
    operations = _POOL if pool else _LEASE
    words = _words(text, operations)
    te: dict[str, str] = {}
    if not pool and words[0] == "te":
        if len(words) < 3:
            raise RefusedError("bad_command", "After te come the name of a TE, and an operation.")
        te["te"] = _argument("te", words[1])
        words = words[2:]
    name = words[0]
    if name not in operations:
        raise RefusedError("unknown_operation", f"This key may only ask for: {', '.join(operations)}.")
    wanted = operations[name].split()
    least = sum(1 for argument in wanted if not argument.startswith("["))
    if not least <= len(words) - 1 <= len(wanted):
        raise RefusedError("bad_command", f"It is used so: {' '.join([name, *wanted])}.")
    given = {argument.strip("[]"): word for argument, word in zip(wanted, words[1:])}
    command = Command(name, {**te, **{key: _argument(key, word) for key, word in given.items()}})
    if command.number("ttl") > LONGEST_TTL or command.number("bytes") > CONSOLE_MOST:
        raise RefusedError(
            "bad_argument", f"A ttl is at most {LONGEST_TTL} seconds, and a console {CONSOLE_MOST} bytes."
        )
    return command


def _words(text: str | None, operations: t.Iterable[str]) -> list[str]:
    if not text:
        raise RefusedError(
            "no_command", f"There is no shell here. This key may ask for: {', '.join(operations)}."
        )
    if len(text) > LONGEST:
        raise RefusedError("bad_command", f"A command has at most {LONGEST} characters.")
    if not re.fullmatch("[ -~]*", text):
        raise RefusedError("bad_command", "A command is one line of plain ASCII characters.")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise RefusedError("bad_command", f"The command cannot be read: {error}.") from error
    if not words:
        raise RefusedError("no_command", "The command is empty.")
    return words


def _argument(name: str, word: str) -> str:
    if not re.fullmatch(_ARGUMENTS[name], word):
        raise RefusedError("bad_argument", f"That is no {name}; it looks like this: {_ARGUMENTS[name]}")
    return word
