# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a channel: one holds it, the waiter is told, the lock of the dead ends."""

from __future__ import annotations

import pathlib
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._channel_lock import channel_lock
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import lock_key
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store, open_store

Json = dict[str, t.Any]


def _holder(name: str) -> Json:
    return {"by": name, "since": "noon", "channel": "latest"}


def test_one_holds_a_channel_and_the_waiter_is_told(store: Store, tmp_path: pathlib.Path) -> None:
    lines: list[str] = []
    order: list[str] = []
    held, release = threading.Event(), threading.Event()

    def reopen() -> Store:
        return open_store(f"sqlite://{tmp_path}/store.db")

    def first() -> None:
        with (
            reopen() as mine,
            channel_lock(
                mine, reopen, lock_key("latest"), _holder("ann"), timeout=60, progress=lines.append, ttl=3
            ),
        ):
            held.set()
            release.wait(60)
            order.append("ann")

    thread = threading.Thread(target=first)
    thread.start()
    held.wait(60)
    with (
        pytest.raises(DistrogateError, match="ann since noon"),
        channel_lock(store, reopen, lock_key("latest"), _holder("bob"), timeout=4, progress=lines.append),
    ):
        raise AssertionError("the lock was not kept alive")
    threading.Timer(0.2, release.set).start()
    with channel_lock(store, reopen, lock_key("latest"), _holder("bob"), timeout=60, progress=lines.append):
        order.append("bob")
    thread.join()
    assert order == ["ann", "bob"]
    assert len(lines) == 2
    assert store.get(lock_key("latest")) is None


def test_the_lock_of_the_dead_ends(store: Store, tmp_path: pathlib.Path) -> None:
    store.transact({}, [Put(lock_key("latest"), {**_holder("ann"), "token": "dead"}, 0.3)])
    with channel_lock(
        store,
        lambda: open_store(f"sqlite://{tmp_path}/store.db"),
        lock_key("latest"),
        _holder("bob"),
        timeout=10,
        progress=print,
    ):
        pass
