# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls to whichever endpoint of an etcd store works, let in by a token where the store wants one.

Every call may be sent again to another endpoint when its outcome is not known,
so a call must be one that does no harm when it is applied twice, or late.
"""

from __future__ import annotations

import random
import re
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_address import Address
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_http import Connection
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_socket import BrokenError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_wire import (
    Json,
    RefusedError,
    compose,
    parse,
)

T = t.TypeVar("T")

_STALL_SECONDS = 3.0  # How long an endpoint may say nothing before the next one is asked.
_TOKEN = re.compile(r"[!-~]{1,4096}")
_AUTHENTICATE = "/v3/auth/authenticate"
# Codes of gRPC: cancelled, unknown, too late, too busy, aborted, internal, unavailable.
_PASSING = frozenset({1, 2, 4, 8, 10, 13, 14})
_MAXIMUM_LOGINS = 3


class LeaseGoneError(Exception):
    """The lease that was named has ended, or never was."""


class Client:
    """One connection at a time, to an endpoint that works, until it does not. Serves one thread."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.resent = (
            False  # Whether the last call was sent before its last attempt: that copy may come late.
        )
        self._sent = False
        self._at = random.randrange(len(address.endpoints))  # Spreads the clients.
        self._connection: Connection | None = None
        self._token = ""
        self._stall = min(_STALL_SECONDS, address.timeout / 3)

    def call(self, path: str, message: Json, decode: t.Callable[[Json], T]) -> T:
        """The decoded answer of the first endpoint that gives one."""
        deadline = time.monotonic() + self.address.timeout
        body = compose(message)
        failures: dict[str, str] = {}
        logins = 0
        self.resent = self._sent = False
        while True:
            try:
                return decode(self._attempt(path, body, deadline))
            except RefusedError as refused:
                if not _wants_login(refused) or not self.address.user or logins >= _MAXIMUM_LOGINS:
                    if refused.code not in _PASSING or "space exceeded" in refused.message:
                        raise self._judged(refused) from refused
                    self._fail(failures, refused.message)
                logins += 1
                self._token = ""
            except BrokenError as broken:
                self._fail(failures, str(broken))
            self.resent = self._sent
            if not self._pause(len(failures), deadline):
                raise self._unavailable(failures)

    def stream(self, path: str, message: Json, deadline: float) -> Connection:
        """A new connection with an answer that goes on, at the first endpoint that gives one."""
        failures: dict[str, str] = {}
        for _number in self.address.endpoints:
            try:
                return self._started(path, message, deadline)
            except BrokenError as broken:
                self._fail(failures, str(broken))
        raise BrokenError("; ".join(failures.values()))

    def _started(self, path: str, message: Json, deadline: float) -> Connection:
        connection = self._open(deadline)
        try:
            self._login(connection, deadline)
            status = connection.start(path, self._token, compose(message), deadline)
            if status != 200:
                self.forget_login()
                raise BrokenError(f"it answered {status}")
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def endpoint(self) -> str:
        """Where the next call goes."""
        return str(self.address.endpoints[self._at])

    def next_endpoint(self) -> None:
        self.close()
        self._at = (self._at + 1) % len(self.address.endpoints)

    def forget_login(self) -> None:
        """Log in again before the next call."""
        self._token = ""

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _attempt(self, path: str, body: bytes, deadline: float) -> Json:
        if self._connection and not self._connection.usable():
            self.close()
        if not self._connection:
            self._connection = self._open(deadline)
        self._login(self._connection, deadline)
        self._sent = True
        return parse(*self._connection.post(path, self._token, body, deadline))

    def _open(self, deadline: float) -> Connection:
        return Connection(self.address.endpoints[self._at], self.address.context, deadline, self._stall)

    def _login(self, connection: Connection, deadline: float) -> None:
        if not self.address.user or self._token:
            return
        message = compose({"name": self.address.user, "password": self.address.password})
        try:
            answer = parse(*connection.post(_AUTHENTICATE, "", message, deadline))
        except RefusedError as refused:
            if refused.code in _PASSING:
                raise BrokenError(refused.message) from refused
            raise self._judged(refused) from refused
        token = answer.get("token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise BrokenError("it answered nonsense: a token that is none")
        self._token = token

    def _fail(self, failures: dict[str, str], why: str) -> None:
        """Turn to the next endpoint."""
        failures[self.endpoint] = why
        self.next_endpoint()

    def _pause(self, failed: int, deadline: float) -> bool:
        """Whether there is time for another attempt. Once all have failed, not without a rest."""
        if failed < len(self.address.endpoints):
            return time.monotonic() < deadline
        left = deadline - time.monotonic()
        rest = random.uniform(0.05, 0.15)
        if left <= rest:
            return False
        time.sleep(rest)
        return True

    def _judged(self, refused: RefusedError) -> Exception:
        said = refused.message
        if "lease not found" in said:
            return LeaseGoneError(said)
        if refused.code in (7, 16) or "auth" in said or "user name" in said or "password" in said:
            who = f"the user {self.address.user!r}" if self.address.user else "a client without a user"
            return DistrogateError(
                "store_denied",
                f"The store {self.address} does not let {who} do this: {said}. Check the user, the password"
                " (password_file or DISTROGATE_STORE_PASSWORD), and that the user's role may read and write"
                f" the keys below {self.address.prefix.decode()!r}.",
            )
        if "space exceeded" in said:
            return DistrogateError(
                "store_full",
                f"The store {self.address} has no space left: {said}. Nothing was written. Compact and"
                " defragment it, or raise its quota, and clear its alarm.",
            )
        return DistrogateError(
            "store_refused", f"The store {self.address} refused the request: {said}. Nothing was written."
        )

    def _unavailable(self, failures: dict[str, str]) -> DistrogateError:
        tries = "; ".join(f"{endpoint}: {why}" for endpoint, why in failures.items())
        return DistrogateError(
            "store_unavailable",
            f"No endpoint of the store {self.address} answered within {self.address.timeout:g} s ({tries})."
            " Check that most of its nodes run and have a leader, and that the addresses, the ports and the"
            " TLS files are right."
            + (" A write that was under way may have been applied." if self.resent else ""),
        )


def _wants_login(refused: RefusedError) -> bool:
    return (
        refused.code == 16
        or "invalid auth token" in refused.message
        or "auth store is old" in refused.message
    )
