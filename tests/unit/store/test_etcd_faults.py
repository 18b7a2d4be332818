# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An etcd store whose nodes die or stand still."""

from __future__ import annotations

import secrets
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _store_etcd_watch
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd import EtcdStore
from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster


@pytest.fixture
def namespace() -> str:
    return f"test-{secrets.token_hex(8)}"


def _open(etcd: EtcdCluster, namespace: str, *nodes: int, **options: str) -> EtcdStore:
    store = open_store(etcd.url(namespace, *nodes, **options))
    assert isinstance(store, EtcdStore)
    return store


def _increment(store: Store) -> None:
    entry = store.get("count")
    value, revision = (entry.value, entry.revision) if entry else (0, 0)
    assert store.transact({"count": revision}, [Put("count", value + 1)])


def _hurt(etcd: EtcdCluster, how: str, node: int) -> None:
    (etcd.kill if how == "kill" else etcd.pause)(node)


@pytest.mark.parametrize("how", ["kill", "pause"])
@pytest.mark.parametrize("whom", ["endpoint", "leader"])
def test_it_goes_on_without_a_node_and_loses_nothing(
    etcd: EtcdCluster, namespace: str, whom: str, how: str
) -> None:
    with _open(etcd, namespace) as store:
        session = store.session(60)
        store.transact({}, [Put("mine", 1, session=session)])
        for number in range(40):
            if number == 10:
                node = etcd.leader() if whom == "leader" else etcd.endpoints.index(store.client.endpoint)
                threading.Timer(0.01, _hurt, (etcd, how, node)).start()
            _increment(store)
        assert store.keep(session)
        entry = store.get("count")
        assert entry is not None
        assert entry.value == 40
        assert store.get("mine") is not None


@pytest.mark.parametrize("how", ["kill", "pause"])
def test_without_most_nodes_it_fails_clearly_and_goes_on_later(
    etcd: EtcdCluster, namespace: str, how: str
) -> None:
    with _open(etcd, namespace, timeout="4") as store:
        store.transact({}, [Put("a", 1)])
        for node in (0, 1):
            _hurt(etcd, how, node)
        with pytest.raises(DistrogateError) as error:
            store.get("a")
        assert error.value.reason == "store_unavailable"
        assert all(endpoint in error.value.message for endpoint in etcd.endpoints)
        with pytest.raises(DistrogateError) as error:
            store.transact({}, [Put("a", 2)])
        assert error.value.reason == "store_unavailable"
        etcd.heal()
        revision = store.transact({}, [Put("a", 3)])
        entry = store.get("a")
        assert entry is not None
        assert (entry.value, entry.revision) == (3, revision)


def test_a_call_ends_within_its_time_and_says_why(etcd: EtcdCluster, namespace: str) -> None:
    """With every endpoint standing still; were the time not kept, this test would not end."""
    with _open(etcd, namespace, timeout="3") as store:
        store.transact({}, [Put("a", 1)])
        with store.watch("a") as watch:
            for node in range(3):
                etcd.pause(node)
            for call in (store.revision, lambda: store.session(5), lambda: watch.wait(60)):
                with pytest.raises(DistrogateError) as error:
                    call()
                assert error.value.reason == "store_unavailable"
                assert "it did not answer in time" in error.value.message


@pytest.mark.parametrize("how", ["kill", "pause"])
def test_a_watch_sees_a_change_though_its_node_is_gone(etcd: EtcdCluster, namespace: str, how: str) -> None:
    with _open(etcd, namespace) as store, _open(etcd, namespace, 1, 2) as other:
        while store.client.endpoint != etcd.endpoints[0]:
            store.client.next_endpoint()
        with store.watch("a") as watch:
            assert not watch.wait(0.2)
            _hurt(etcd, how, 0)
            revision = other.transact({}, [Put("a", 1)])
            assert watch.wait(60)
            entry = watch.entry()
            assert entry is not None
            assert (entry.value, entry.revision) == (1, revision)
            assert not watch.wait(0.2)


def test_a_watch_loses_nothing_while_nobody_waits(
    etcd: EtcdCluster, namespace: str, monkeypatch: t.Any
) -> None:
    monkeypatch.setattr(_store_etcd_watch, "_LOOK_SECONDS", 1000)  # The stream alone has to tell.
    with _open(etcd, namespace, 0) as store, _open(etcd, namespace, 1, 2) as other, store.watch("a") as watch:
        for wait in (60, 0):
            assert not watch.wait(0)
            other.transact({}, [Put("a", wait)])
            other.transact({}, [Put("b", 1)])
            assert watch.wait(wait)
            assert watch.entry() == other.get("a")
        assert not watch.wait(0.2)
        etcd.kill(0)
        other.transact({}, [Put("a", 2)])
        etcd.heal()
        assert watch.wait(60)
        assert watch.entry() == other.get("a")


def test_a_restart_of_the_whole_store_loses_nothing(etcd: EtcdCluster, namespace: str) -> None:
    with _open(etcd, namespace) as store:
        session = store.session(60)
        revision = store.transact({}, [Put("a", 1, session=session)])
        for node in range(3):
            etcd.kill(node)
        etcd.heal()
        assert store.keep(session)
        entry = store.get("a")
        assert entry is not None
        assert entry.revision == revision
