# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watching one key of an etcd store: a stream of its own, which begins where the last read ended."""

from __future__ import annotations

import random
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Entry, Key, Watch
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_client import Client
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_http import (
    MAXIMUM_ANSWER,
    Connection,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_socket import (
    BrokenError,
    LateError,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_wire import (
    Json,
    Names,
    RefusedError,
    inner,
    items,
    number,
    parse,
)

_LOOK_SECONDS = 5.0  # How often one who waits looks by itself: a stream may be dead and not know.
_GLANCE_SECONDS = 0.05  # Who waits no longer than this gets an answer from a read alone.

Reader = t.Callable[[t.Sequence[Key]], tuple[int, list[list[Entry]]]]


class EtcdWatch(Watch):
    """Nothing is lost between a read and the stream, nor between streams: etcd replays what came between."""

    def __init__(self, read: Reader, client: Client, names: Names, key: str) -> None:
        self._read = read
        self._client = client
        self._names = names
        self._key = key
        self._stream: Connection | None = None
        self._pending = bytearray()
        self._revision = 0  # Every change up to this one is known.
        self._entry: Entry | None = None
        self._look()

    def wait(self, timeout: float) -> bool:
        if timeout <= _GLANCE_SECONDS:
            return self._look()
        deadline = time.monotonic() + timeout
        while True:
            until = min(deadline, time.monotonic() + _LOOK_SECONDS)
            try:
                if self._changed(until):
                    return True
            except LateError:
                if time.monotonic() >= deadline:
                    return False
                if self._look():
                    self.close()  # It should have told.
                    return True
            except BrokenError:
                self.close()
                if self._look():
                    return True
                if time.monotonic() >= deadline:
                    return False
                time.sleep(max(0.0, min(random.uniform(0.05, 0.15), deadline - time.monotonic())))

    def entry(self) -> Entry | None:
        return self._entry

    def close(self) -> None:
        if self._stream:
            self._stream.close()
            self._stream = None

    def _look(self) -> bool:
        """Read; whether the entry is another one now."""
        revision, answers = self._read([Key(self._key)])
        entry = answers[0][0] if answers[0] else None
        changed = (entry and entry.revision) != (self._entry and self._entry.revision)
        self._revision, self._entry = revision, entry
        return changed

    def _changed(self, until: float) -> bool:
        """Read the stream until it tells of a change. LateError when it tells of none."""
        stream = self._stream or self._begin(until)
        while True:
            try:
                result = inner(parse(200, self._line(stream, until)), "result")
            except RefusedError as refused:
                raise BrokenError(refused.message) from refused
            if result.get("canceled"):  # The past was compacted away, or the login has ended.
                self._client.forget_login()
                raise BrokenError("it ended the watch")
            told = [self._apply(event) for event in items(result, "events")]
            if any(told):
                return True

    def _apply(self, event: Json) -> bool:
        kv = inner(event, "kv")
        revision = number(kv, "mod_revision")
        if revision <= self._revision:
            return False
        self._entry = None if event.get("type") == "DELETE" else self._names.entry(kv)
        self._revision = revision
        return True

    def _begin(self, until: float) -> Connection:
        request = {"key": self._names.key(self._key), "start_revision": str(self._revision + 1)}
        self._pending.clear()
        self._stream = self._client.stream("/v3/watch", {"create_request": request}, until)
        return self._stream

    def _line(self, stream: Connection, until: float) -> bytes:
        """The next message: one line. When it is LateError, what came of it is kept."""
        while True:
            end = self._pending.find(b"\n")
            if end >= 0:
                line = bytes(self._pending[:end])
                del self._pending[: end + 1]
                return line
            part = stream.some(until)
            if not part:
                raise BrokenError("it ended the watch")
            self._pending += part
            if len(self._pending) > MAXIMUM_ANSWER:
                raise BrokenError(f"it tells of an event of over {MAXIMUM_ANSWER >> 20} MiB")
