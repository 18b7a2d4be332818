# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leases of etcd: the sessions of the store, and what ends entries with a time to live."""

from __future__ import annotations

import math

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_client import (
    Client,
    LeaseGoneError,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_socket import BrokenError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_wire import (
    MAXIMUM_NUMBER,
    Json,
    inner,
    number,
)

_MAXIMUM_SECONDS = 9_000_000_000  # etcd's own.


def lease_number(session: str) -> int:
    """The lease of a session; 0 when the text is none, which etcd would take for no lease at all."""
    known = len(session) <= 19 and session.isascii() and session.isdigit()
    return int(session) if known and int(session) <= MAXIMUM_NUMBER else 0


class Leases:
    """Grants, keeps and ends leases. A grant that was sent twice leaves one that ends by itself."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def grant(self, ttl: float) -> int:
        """A lease for ``ttl`` seconds; etcd knows whole ones only, and lets none live less than about two."""
        seconds = math.ceil(ttl)
        if seconds > _MAXIMUM_SECONDS:
            raise DistrogateError(
                "bad_ttl", f"The ttl {ttl} is over {_MAXIMUM_SECONDS} seconds, etcd's most."
            )

        def decode(answer: Json) -> int:
            lease = number(answer, "ID")
            if not lease or number(answer, "TTL") < seconds:
                raise BrokenError("it answered nonsense: a lease that was not asked for")
            return lease

        return self._client.call("/v3/lease/grant", {"TTL": str(seconds)}, decode)

    def keep(self, lease: int) -> bool:
        """Let it live for its whole time from now; False when it has ended."""

        def decode(answer: Json) -> bool:
            result = inner(answer, "result")
            if number(result, "ID") != lease:
                raise BrokenError("it answered nonsense: another lease than was asked for")
            return number(result, "TTL") > 0

        return bool(lease) and self._client.call("/v3/lease/keepalive", {"ID": str(lease)}, decode)

    def living(self, lease: int) -> bool:
        def decode(answer: Json) -> bool:
            return answer.get("TTL") != "-1"

        return bool(lease) and self._client.call("/v3/lease/timetolive", {"ID": str(lease)}, decode)

    def end(self, lease: int) -> None:
        """End it and its entries. One that has ended is no error."""
        if not lease:
            return
        try:
            self._client.call("/v3/lease/revoke", {"ID": str(lease)}, bool)
        except LeaseGoneError:
            return
