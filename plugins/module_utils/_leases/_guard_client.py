# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking the guard of a TE host, over ssh, and believing no more of its answers than their form allows."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shlex
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_ssh import ask

TIMEOUT = 120.0  # a raise waits until what ran under an older fence is dead
_HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]{0,252}")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}")
_REASON = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PASSED_ON = ("fence_behind", "lease_ended")
_TEXT = 4096
Answer = dict[str, t.Any]


class Guard:
    """One TE on one TE host; ``guard`` is an item of the TE's ``guards``."""

    def __init__(self, guard: t.Mapping[str, t.Any], timeout: float = TIMEOUT) -> None:
        self._guard, self._timeout = guard, timeout
        self.te = str(guard["te"])
        self.host = str(guard["host"])
        user, port = str(guard.get("user") or "te-guard"), int(guard.get("port", 22))
        if not _HOST.fullmatch(self.host) or not _USER.fullmatch(user) or not 0 < port < 65536:
            raise DistrogateError("bad_guard", f"The guard of {self.te} has no right host, user or port.")
        self._argv = ["ssh", "-F", os.devnull, "-T", "-a", "-x", "-p", str(port), "-l", user]

    # With the pool's key:

    def raise_fence(self, te: str, fence: int, ttl: float, public_key: str) -> Answer:
        """Make a lease the current one. When this returns, nothing runs under an older fence."""
        words = ["raise", te, str(fence), _seconds(ttl)]
        return self._control(words, self._pool_key(), public_key.encode() + b"\n")

    def end(self, te: str, fence: int) -> Answer:
        """Revoke a lease's key; the end of one that is over already is no error."""
        return self._control(["end", te, str(fence)], self._pool_key())

    def status(self) -> Answer:
        """``{"tes": {TE: {"fence": …, "seconds": …}}}`` of this TE, with the pool's key."""
        return self._control(["status", self.te], self._pool_key())

    # With the lease's key:

    def renew(self, ttl: float, key_file: str) -> Answer:
        """Let the lease live for ``ttl`` seconds from now; ``lease_ended`` when it is over."""
        return self._control(["te", self.te, "renew", _seconds(ttl)], key_file)

    def holds(self, key_file: str) -> Answer:
        """``fence`` and ``seconds`` of the lease; ``lease_ended`` when it is over."""
        return self._control(["te", self.te, "status"], key_file)

    def power(self, action: str, key_file: str) -> Answer:
        """``on``, ``off``, ``reset`` or ``status``; ``output`` is what the site's command said."""
        return self._control(["te", self.te, "power", action], key_file)

    def image(self, disk: str, path: str, key_file: str, timeout: float = 7200) -> Answer:
        """Write a local file to a disk of the TE; returns its ``sha256``, which was compared."""
        found = sha256_file(path)
        with open(path, "rb") as stream:
            words = ["te", self.te, "image", disk, str(os.fstat(stream.fileno()).st_size), found]
            return self._control(words, key_file, stream, timeout)

    def console(self, key_file: str, most: int = 64 << 10) -> bytes:
        """The last bytes of the console's log."""
        words = ["te", self.te, "console", str(most)]
        status, out, said = self._ask(words, key_file, b"", most + _TEXT, self._timeout)
        if status == 0:
            return out
        raise self._refused(self._parse(out[-_TEXT:].splitlines()[-1:], said))

    def _pool_key(self) -> str:
        return str(self._guard["key_file"])

    def _control(
        self, words: list[str], key_file: str, stdin: bytes | t.BinaryIO = b"", timeout: float = 0
    ) -> Answer:
        status, out, said = self._ask(words, key_file, stdin, 1 << 20, timeout or self._timeout)
        answer = self._parse([out] if out else [], said)
        if status == 0 and answer.get("ok") is True:
            return answer
        raise self._refused(answer)

    def _ask(
        self, words: list[str], key_file: str, stdin: bytes | t.BinaryIO, limit: int, timeout: float
    ) -> tuple[int, bytes, str]:
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "IdentityFile": _quoted(key_file),
            "UserKnownHostsFile": _quoted(str(self._guard["known_hosts"])),
            "GlobalKnownHostsFile": "none",
            "StrictHostKeyChecking": "yes",
            "UpdateHostKeys": "no",
            "PreferredAuthentications": "publickey",
            "ControlPath": "none",
            "ClearAllForwardings": "yes",
            "ConnectTimeout": "10",
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "4",
            "LogLevel": "ERROR",
        }
        settings = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        argv = [*self._argv, *settings, "--", self.host, " ".join(map(shlex.quote, words))]
        try:
            status, out, err = ask(argv, stdin, limit, timeout, _command.base_environment())
        except FileNotFoundError as error:
            raise DistrogateError("missing_tool", "The program ssh is not installed here.") from error
        if status is None:
            raise self._unreachable(f"it did not answer within {timeout:g} s")
        if len(out) > limit:
            raise self._bad_answer("it answered with too much")
        return status, out, err.decode("utf-8", "replace")[-_TEXT:].strip()

    def _parse(self, answers: list[bytes], said: str) -> Answer:
        """One JSON object; what ssh itself says when the guard was not reached."""
        if not answers:
            if "Permission denied" in said:
                raise DistrogateError(
                    "guard_refused",
                    f"The guard of {self.te} on {self.host} does not know the key: {said}",
                    guard_reason="unknown_key",
                    te=self.te,
                    host=self.host,
                )
            raise self._unreachable(said or "the connection ended without an answer")
        answer: t.Any = None
        with contextlib.suppress(ValueError, RecursionError):
            answer = json.loads(answers[0])
        if not isinstance(answer, dict):
            raise self._bad_answer("its answer is not a JSON object")
        return answer

    def _refused(self, answer: Answer) -> DistrogateError:
        reason, said, fence = answer.get("reason"), answer.get("msg"), answer.get("fence")
        if not isinstance(reason, str) or not _REASON.fullmatch(reason) or not isinstance(said, str):
            return self._bad_answer("it refused without a reason")
        details: Answer = {"te": self.te, "host": self.host, "guard_reason": reason}
        if isinstance(fence, int) and not isinstance(fence, bool) and 0 <= fence < 1 << 63:
            details["fence"] = fence
        elif reason == "fence_behind":
            return self._bad_answer("it refused a fence without saying its own")
        if isinstance(answer.get("output"), str):
            details["output"] = answer["output"][-_TEXT:]
        name = reason if reason in _PASSED_ON else "guard_refused"
        return DistrogateError(
            name, f"The guard on {self.host} refused: {_printable(said[:_TEXT])}", **details
        )

    def _unreachable(self, said: str) -> DistrogateError:
        return DistrogateError(
            "guard_unreachable",
            f"The guard of {self.te} on {self.host} cannot be asked: {_printable(said)}",
            te=self.te,
            host=self.host,
        )

    def _bad_answer(self, said: str) -> DistrogateError:
        message = f"The guard of {self.te} on {self.host} is not to be understood: {said}."
        return DistrogateError("guard_bad_answer", message, te=self.te, host=self.host)


def _seconds(ttl: float) -> str:
    return str(max(1, math.ceil(ttl)))


def _quoted(path: str) -> str:
    """A path as a value of ssh_config(5), which knows quotes, percent tokens and variables."""
    if '"' in path or "\n" in path or "${" in path or not os.path.isabs(path):
        raise DistrogateError(
            "bad_guard", f"ssh cannot be given the path {path!r}; use another absolute one."
        )
    return '"' + path.replace("%", "%%") + '"'


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
