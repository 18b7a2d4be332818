# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program that sshd runs instead of what the client asked for.

te_guard --configuration PATH --pool POOL     for a pool's key
te_guard --configuration PATH --lease BLOB    for a lease's key
te_guard --configuration PATH --rewrite       after the configuration changed
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import sys
import typing as t

from . import _configuration, _keys, _lease, _pool
from ._log import Log
from ._wire import Command, RefusedError, parse

_MOST_SECONDS = 600  # for everything but an image, which ends with its lease
_STDIN, _STDOUT = 0, 1


class _Call:
    """One connection: what it asks for, and what becomes of it."""

    def __init__(self, configuration: _configuration.Configuration, log: Log, text: str | None) -> None:
        self.configuration, self.log, self.text = configuration, log, text

    def pool(self, pool: str) -> dict[str, t.Any] | None:
        command = parse(self.text, pool=True)
        self._announce(command)
        te = command.arguments.get("te")
        if te:
            self.configuration.te(te, pool)
        if command.name == "status":
            return _pool.status(self.configuration, pool, te)
        if command.name == "end":
            self.log.line("begun")
            return _pool.end(self.configuration, command)
        key = _pool.stdin_key(_STDIN)
        self.log.fields["lease_key"] = _keys.fingerprint(key)
        self.log.line("begun")
        return _pool.raise_fence(self.configuration, command, key)

    def lease(self, blob: str) -> dict[str, t.Any] | None:
        self.log.fields["key"] = _keys.fingerprint(f"ssh-ed25519 {blob}")
        try:
            command = parse(self.text, pool=False)
            holder = _lease.holder(self.configuration, blob, command.arguments.get("te"), self.log)
        except RefusedError:
            self._whose(blob)
            raise
        self._announce(command)
        holder.check()
        if command.name in ("image", "power", "console"):
            self.log.line("begun")
        if command.name == "console":
            holder.console(command, _STDOUT)
            return None
        if command.name == "image":
            signal.alarm(0)
            return holder.image(command, _STDIN)
        if command.name == "power":
            return holder.power(command)
        return holder.renew(command) if command.name == "renew" else holder.status()

    def _announce(self, command: Command) -> None:
        self.log.fields.update(
            {name: command.arguments.get(name) for name in ("te", "fence") if name not in self.log.fields}
        )

    def _whose(self, blob: str) -> None:
        """So that the log has the key's own TE, even when the command names none or another."""
        try:
            _lease.holder(self.configuration, blob, None, self.log)
        except (RefusedError, OSError):
            return


def _said(error: OSError) -> RefusedError:
    path = error.filename or "the guard's files"
    reason = "no_space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "io_error"
    return RefusedError(reason, f"{path} on the TE host: {error.strerror}.")


def _answer(value: dict[str, t.Any]) -> None:
    data = (json.dumps(value, sort_keys=True) + "\n").encode("ascii")
    try:
        os.write(_STDOUT, data)
    except OSError:
        return  # the client has gone; the log has it


def _serve(arguments: list[str]) -> tuple[int, dict[str, t.Any] | None]:
    log = Log("")
    text = os.environ.get("SSH_ORIGINAL_COMMAND")
    log.fields["client"] = ":".join(os.environ.get("SSH_CONNECTION", "").split()[:2])
    log.fields["operation"] = text or ""
    try:
        if len(arguments) < 3 or arguments[0] != "--configuration":
            raise RefusedError(
                "bad_configuration", "authorized_keys is damaged. Let te_guard write it again."
            )
        configuration = _configuration.load(arguments[1])
        log = _moved(log, configuration.log)
        done = _operation(arguments[2:], _Call(configuration, log, text))
    except OSError as error:
        refused = _said(error)
    except RefusedError as error:
        refused = error
    else:
        log.line(
            "done", **{name: done[name] for name in ("stopped", "sha256") if name in done} if done else {}
        )
        return 0, None if done is None else {"ok": True, **done}
    log.line("refused", reason=refused.reason, message=refused.message)
    return 1, {"ok": False, "reason": refused.reason, "msg": refused.message, **refused.details}


def _moved(log: Log, path: str) -> Log:
    there = Log(path)
    there.fields = log.fields
    return there


def _operation(words: list[str], call: _Call) -> dict[str, t.Any] | None:
    if words == ["--rewrite"]:
        call.log.fields["operation"] = "rewrite"
        return _pool.rewrite(call.configuration)
    call.configuration.make_folders()
    if len(words) == 2 and words[0] == "--pool" and words[1] in call.configuration.pools:
        call.log.fields["pool"] = words[1]
        return call.pool(words[1])
    if len(words) == 2 and words[0] == "--lease" and re.fullmatch("[A-Za-z0-9+/]+={0,2}", words[1]):
        return call.lease(words[1])
    raise RefusedError("bad_configuration", "This key belongs to nothing that is configured.")


def main() -> int:
    """Serve one connection; the status that the client gets."""
    os.umask(0o077)
    signal.alarm(_MOST_SECONDS)
    status, answer = _serve(sys.argv[1:])
    if answer is not None:
        _answer(answer)
    return status
