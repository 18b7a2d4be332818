# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing to an etcd store exactly once, though an answer may be lost and a request may come late.

When the connection breaks after a transaction was sent, nobody knows whether it
was applied, or will be: an endpoint that stands still may still hold it. So each
transaction also writes a marker, one key of this client, and is applied only if
the marker is as this client last left it. It may then be sent as often as need
be: the first copy to arrive changes the marker, and shuts the others out. A copy
that finds itself shut out reads the marker, which says whose write it was.

That costs no further request. The marker ends with a lease of a minute, so what
was given up on is applied within a minute, or never.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_client import (
    Client,
    LeaseGoneError,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_leases import Leases
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_socket import BrokenError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_wire import (
    Json,
    Names,
    b64,
    data,
    inner,
    items,
    number,
    revision,
)

_MARKER_SECONDS = 60
_ATTEMPTS = 10


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a transaction did; ``marker`` is what it found there when it did nothing."""

    written: bool
    revision: int
    marker: bytes = b""
    marked: int = 0
    answers: list[Json] = dataclasses.field(default_factory=list)


def compare(key: str, wanted: int) -> Json:
    return {"key": key, "target": "MOD", "result": "EQUAL", "mod_revision": str(wanted)}


def _outcome(answer: Json) -> Outcome:
    if answer.get("succeeded") is True:  # Absent when a comparison failed.
        found = [each["response_range"] for each in items(answer, "responses") if "response_range" in each]
        return Outcome(True, revision(answer), answers=found)
    responses = items(answer, "responses")
    if len(responses) != 1:
        raise BrokenError("it answered nonsense: not what a failed transaction reads")
    found = items(inner(responses[0], "response_range"), "kvs")
    if not found:
        return Outcome(False, revision(answer))
    return Outcome(False, revision(answer), data(found[0], "value"), number(found[0], "mod_revision"))


class Writer:
    """The transactions of one client, one after the other."""

    def __init__(self, client: Client, names: Names, leases: Leases) -> None:
        self._client = client
        self._leases = leases
        self._marker = names.own(f"writer/{secrets.token_hex(8)}")
        self._marked = 0  # The marker's revision as we know it.
        self._lease = 0
        self._granted = 0.0
        self._number = 0
        self.answers: list[Json] = []  # To the ranges among the last operations; none if they went astray.

    def write(self, comparisons: list[Json], operations: list[Json]) -> int | None:
        """Apply all; None when a comparison failed. LeaseGoneError when a lease of an operation has ended."""
        self.answers = []
        self._number += 1
        name = str(self._number).encode()
        for _number in range(_ATTEMPTS):
            self._renew()
            outcome = self._send(comparisons, operations, name)
            if outcome is None:
                continue
            self.answers = outcome.answers
            if outcome.written or outcome.marker == name:
                self._marked = outcome.revision if outcome.written else outcome.marked
                return self._marked
            if outcome.marked == self._marked:
                return self._shut_out(name) if self._client.resent else None
            if self._client.resent and not outcome.marked:
                break  # We stood still for so long that the marker has ended.
            # A write that was given up on was applied after all, or the marker has ended since the last one.
            self._marked = outcome.marked
        raise self._unknown()

    def _shut_out(self, name: bytes) -> int | None:
        """Our comparisons do not hold now: see to it that no copy still under way finds that they do."""
        given_up = name + b" given up"
        for _number in range(_ATTEMPTS):
            outcome = self._send([], [], given_up)
            if outcome is None:
                return None  # The copies have the same lease, which has ended.
            self._marked = outcome.revision if outcome.written else outcome.marked
            if outcome.marker == name:
                return self._marked
            if outcome.written or outcome.marker == given_up:
                return None
        raise self._unknown()

    def _send(self, comparisons: list[Json], operations: list[Json], name: bytes) -> Outcome | None:
        """None when the marker's lease has ended: nothing was written."""
        mark = {"key": self._marker, "value": b64(name), "lease": str(self._lease)}
        message = {
            "compare": [*comparisons, compare(self._marker, self._marked)],
            "success": [*operations, {"request_put": mark}],
            "failure": [{"request_range": {"key": self._marker}}],
        }
        try:
            return self._client.call("/v3/kv/txn", message, _outcome)
        except LeaseGoneError:
            if self._leases.living(self._lease):
                raise
            self._lease = 0
            return None

    def _renew(self) -> None:
        """A new lease for the marker when the old one is old. It is granted, not kept: that is as dear."""
        age = time.monotonic() - self._granted
        if self._lease and age < _MARKER_SECONDS / 2:
            return
        if age > _MARKER_SECONDS:
            self._marked = 0  # A guess that saves a request; when it is wrong, the store tells.
        self._granted = time.monotonic()
        self._lease = self._leases.grant(_MARKER_SECONDS)

    def _unknown(self) -> DistrogateError:
        return DistrogateError(
            "store_unavailable",
            f"The store {self._client.address} was out of reach for so long that it is not known whether the"
            " last write was applied. Look, and run it again.",
        )


def last_of_each(operations: t.Iterable[tuple[str, Json]]) -> list[Json]:
    """The last operation on each key, since etcd refuses two."""
    return list(dict(operations).values())
