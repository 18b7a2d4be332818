# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One line for everything that was accepted or refused; no client can write a second one."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t

_LONGEST = 200


def quoted(text: str) -> str:
    """A stranger's text in double quotes: printable, on one line, not too long."""
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return json.dumps(shown).replace("\x7f", "\\u007f")


class Log:
    """``key=value`` lines, to syslog, or to a file when one is named."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.fields: dict[str, t.Any] = {}

    def line(self, what: str, **more: t.Any) -> None:
        """``what`` is begun, done or refused. A log that is full stops nobody's work."""
        fields = {**self.fields, **more}
        words = [what] + [
            f"{name}={_value(value)}" for name, value in fields.items() if value not in ("", None)
        ]
        with contextlib.suppress(OSError):
            self._write(" ".join(words))

    def _write(self, text: str) -> None:
        if not self._path:
            import syslog

            syslog.openlog("te_guard", syslog.LOG_PID, syslog.LOG_AUTH)
            syslog.syslog(syslog.LOG_NOTICE, text)
            return
        import time  # a file's readers want to know when; nothing is decided by it

        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            os.write(
                descriptor, f"{now} te_guard[{os.getpid()}]: {text}\n".encode("ascii", "backslashreplace")
            )
        finally:
            os.close(descriptor)


def _value(value: t.Any) -> str:
    text = str(value)
    plain = text.isascii() and text.isprintable() and not set(text) & set(' "=\\') and len(text) <= _LONGEST
    return text if plain else quoted(text)
