# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One promotion to a channel at a time: a lock in the store that ends when its holder dies."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t
import uuid

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, Store

TTL = 60.0

OpenStore = t.Callable[[], Store]


def _renew(
    open_store: OpenStore, key: str, value: dict[str, t.Any], ttl: float, ended: threading.Event
) -> None:
    """Keep the lock alive until told to end, or until somebody else has it."""
    with open_store() as store:  # its own connection: a backend's connection belongs to one thread
        while not ended.wait(ttl / 3):
            with contextlib.suppress(DistrogateError):  # the store may come back before the lock's end
                entry = store.get(key)
                if entry is None or entry.value["token"] != value["token"]:
                    return
                store.transact({key: entry.revision}, [Put(key, value, ttl)])


@contextlib.contextmanager
def channel_lock(
    store: Store,
    open_store: OpenStore,
    key: str,
    holder: dict[str, t.Any],
    *,
    timeout: float,
    progress: t.Callable[[str], None],
    ttl: float = TTL,
) -> t.Iterator[None]:
    """Hold ``key``, waiting up to ``timeout`` seconds; a waiter is told who holds it.

    The lock gives order among the living. What it guards is guarded by
    comparison as well, so that one who lost it unknowingly does no harm.
    """
    value = {**holder, "token": uuid.uuid4().hex}
    deadline = time.monotonic() + timeout
    told = None
    while True:
        entry = store.get(key)
        if entry is None:
            if store.transact({key: 0}, [Put(key, value, ttl)]) is not None:
                break
            continue
        who = f"{entry.value.get('by')} since {entry.value.get('since')}"
        left = deadline - time.monotonic()
        if left <= 0:
            raise DistrogateError(
                "lock_timeout",
                f"The channel {holder.get('channel')} is being promoted by {who}; waited {timeout:g} s."
                " Wait for it to end, or raise timeout.",
                holder={name: item for name, item in entry.value.items() if name != "token"},
            )
        if told != entry.value.get("token"):
            told = entry.value.get("token")
            progress(f"waiting: the channel {holder.get('channel')} is being promoted by {who}")
        with store.watch(key) as watch:
            if watch.entry() == entry:
                watch.wait(left)
    ended = threading.Event()
    renewer = threading.Thread(target=_renew, args=(open_store, key, value, ttl, ended), daemon=True)
    renewer.start()
    try:
        yield
    finally:
        ended.set()
        renewer.join()
        # It ends by itself. What the store says now may not hide what was done under the lock.
        with contextlib.suppress(DistrogateError):
            entry = store.get(key)
            if entry is not None and entry.value["token"] == value["token"]:
                store.transact({key: entry.revision}, [Delete(key)])
