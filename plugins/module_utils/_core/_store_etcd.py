# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The store for many machines: etcd 3.4 or newer, through the JSON gateway that each of its nodes has."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Answers,
    Delete,
    Entry,
    Key,
    Put,
    Range,
    Store,
    Watch,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_address import parse_address
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_client import (
    Client,
    LeaseGoneError,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_leases import (
    Leases,
    lease_number,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_socket import BrokenError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_watch import EtcdWatch
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_wire import (
    Json,
    Names,
    b64,
    inner,
    items,
    revision,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_write import (
    Writer,
    compare,
    last_of_each,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_values import check_ttl, encode_put

_TRANSACTION = "/v3/kv/txn"
_MAXIMUM_QUERIES = 128  # Operations of one transaction, as etcd is set up when nobody changes it.
_ATTEMPTS = 5


class EtcdStore(Store):
    """The store at ``url``. The first request connects."""

    def __init__(self, url: str, environment: t.Mapping[str, str]) -> None:
        self.client = Client(parse_address(url, environment))
        self._names = Names(self.client.address.prefix)
        self._leases = Leases(self.client)
        self._writer = Writer(self.client, self._names, self._leases)

    def read(self, queries: t.Sequence[Key | Range], fresh: bool = True) -> Answers:
        at, found = self.read_at(queries, fresh) if queries else (0, [])
        return _answers(at, found)

    def read_at(self, queries: t.Sequence[Key | Range], fresh: bool = True) -> tuple[int, list[list[Entry]]]:
        """What ``read`` returns, and the revision that it is of. One request, for up to 128 queries."""
        ranges = [self._names.range(query) for query in queries]
        if not fresh:  # The endpoint answers what it knows, and asks no other.
            ranges = [{**request, "serializable": True} for request in ranges]
        at, answers = self._ranges(ranges[:_MAXIMUM_QUERIES], 0)
        for start in range(_MAXIMUM_QUERIES, len(ranges), _MAXIMUM_QUERIES):
            answers += self._ranges(ranges[start : start + _MAXIMUM_QUERIES], at)[1]
        return at, [
            self._oldest(query, request, found, at) if isinstance(query, Range) and query.oldest else found
            for query, request, found in zip(queries, ranges, answers)
        ]

    def _ranges(self, ranges: list[Json], at: int) -> tuple[int, list[list[Entry]]]:
        """The answers to several requests, of the revision ``at``, or (0) of the newest."""
        if at:
            ranges = [{**request, "revision": str(at)} for request in ranges]

        def decode(answer: Json) -> tuple[int, list[list[Entry]]]:
            responses = items(answer, "responses")
            if len(responses) != len(ranges):
                raise BrokenError("it answered nonsense: not as many answers as questions")
            found = [inner(response, "response_range") for response in responses]
            return revision(answer), [self._names.entries(each) for each in found]

        message = {"success": [{"request_range": request} for request in ranges]}
        return self.client.call(_TRANSACTION, message, decode)

    def _oldest(self, query: Range, request: Json, found: list[Entry], at: int) -> list[Entry]:
        """In order of age, then of key. Of equals in age etcd returns any: at a limit it is asked again."""
        if 0 < query.limit < len(found) and found[query.limit].created == found[query.limit - 1].created:
            age = found[query.limit].created
            ends = {"min_create_revision": str(age), "max_create_revision": str(age)}
            bounds = {"key": request["key"], "range_end": request["range_end"]}
            equals = self._ranges([{**bounds, **ends}], at)[1][0]
            found = [entry for entry in found if entry.created < age] + equals
        found = sorted(found, key=_age)
        return found[: query.limit] if query.limit else found

    def transact_and_read(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        queries: t.Sequence[Key | Range],
    ) -> Answers | None:
        ranges = [self._names.range(query) for query in queries]
        written = self._transact(expected, operations, {}, ranges)
        if written is None:
            return None
        if len(self._writer.answers) != len(ranges):
            return self.read(queries)
        found = [self._names.entries(each) for each in self._writer.answers]
        sorted_found = [
            self._oldest(query, request, each, written) if isinstance(query, Range) and query.oldest else each
            for query, request, each in zip(queries, ranges, found)
        ]
        return _answers(written, sorted_found)

    def transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int] | None = None,
    ) -> int | None:
        return self._transact(expected, operations, unmade or {}, [])

    def _transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int],
        ranges: list[Json],
    ) -> int | None:
        comparisons = [compare(self._names.key(key), wanted) for key, wanted in expected.items()]
        comparisons += [
            {
                **self._names.range(Range(prefix)),
                "target": "CREATE",
                "result": "LESS",
                "create_revision": str(after + 1),
            }
            for prefix, after in unmade.items()
        ]
        checked = [
            (self._names.key(item.key), encode_put(item) if isinstance(item, Put) else "", item)
            for item in operations
        ]
        if not checked:
            return self._compared(comparisons)
        sessions = {
            item.session for _key, _text, item in checked if isinstance(item, Put) and item.ttl is None
        }
        numbers = {session: lease_number(session) for session in sessions if session is not None}
        if not all(numbers.values()):
            return None
        for _number in range(_ATTEMPTS):
            granted = self._granted(operations)
            writes = last_of_each(
                (key, _operation(key, text, item, numbers, granted)) for key, text, item in checked
            )
            reads = [{"request_range": request} for request in ranges]
            try:
                written = self._writer.write(comparisons, [*writes, *reads])
            except LeaseGoneError:
                written = None
                if all(self._leases.living(lease) for lease in numbers.values()):
                    continue  # It was a lease of a ttl: shorter than this call took.
            if written is None:
                self._discard(granted)
            return written
        raise DistrogateError(
            "store_unavailable",
            f"The store {self.client.address} is so slow that entries ended before they were written."
            " Nothing was written. Give them a longer ttl, or look at what slows the store.",
        )

    def _compared(self, comparisons: list[Json]) -> int | None:
        def decode(answer: Json) -> int | None:
            newest = revision(answer)
            return newest if answer.get("succeeded") is True else None

        return self.client.call(_TRANSACTION, {"compare": comparisons}, decode)

    def _granted(self, operations: t.Sequence[Put | Delete]) -> dict[float, int]:
        """A lease for each time to live."""
        ttls = {item.ttl for item in operations if isinstance(item, Put) and item.ttl is not None}
        return {ttl: self._leases.grant(ttl) for ttl in ttls}

    def _discard(self, granted: dict[float, int]) -> None:
        for lease in granted.values():
            with contextlib.suppress(DistrogateError):  # Then it ends by itself.
                self._leases.end(lease)

    def session(self, ttl: float) -> str:
        check_ttl("a session", ttl)
        return str(self._leases.grant(ttl))

    def keep(self, session: str) -> bool:
        lease = lease_number(session)
        if self._leases.keep(lease):
            return True
        # A leader of a moment may not have caught up with the grant: a read makes it.
        return bool(lease) and self.revision() > 0 and self._leases.keep(lease)

    def end(self, session: str) -> None:
        self._leases.end(lease_number(session))

    def watch(self, key: str) -> Watch:
        return EtcdWatch(self.read_at, self.client, self._names, key)

    def now(self) -> float:
        return time.time()

    def revision(self) -> int:
        return self.read_at([Key("-")])[0]

    def close(self) -> None:
        self.client.close()


def _answers(at: int, found: list[list[Entry]]) -> Answers:
    answers = Answers(found)
    answers.revision = at
    return answers


def _age(entry: Entry) -> tuple[int, bytes]:
    return entry.created, entry.key.encode()


def _operation(
    key: str, text: str, item: Put | Delete, sessions: dict[str, int], granted: dict[float, int]
) -> Json:
    if isinstance(item, Delete):
        return {"request_delete_range": {"key": key}}
    put = {"key": key, "value": b64(text.encode("ascii"))}
    lease = granted[item.ttl] if item.ttl is not None else sessions.get(item.session or "", 0)
    return {"request_put": {**put, "lease": str(lease)} if lease else put}
