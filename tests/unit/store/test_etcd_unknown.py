# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes to an etcd store whose answers are lost, or that arrive when nobody waits for them any more."""

from __future__ import annotations

import secrets
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, Store, open_store
from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster
from ansible_collections.distrogate.ci.tests.tools.faulty_proxy import FaultyProxy


@pytest.fixture
def proxy(etcd_cluster: EtcdCluster) -> t.Iterator[FaultyProxy]:
    with FaultyProxy(etcd_cluster.endpoints[0]) as opened:
        yield opened


@pytest.fixture
def namespace() -> str:
    return f"test-{secrets.token_hex(8)}"


@pytest.fixture
def faulty(proxy: FaultyProxy, namespace: str) -> t.Iterator[Store]:
    """A store behind the proxy."""
    with open_store(f"etcd://{proxy.endpoint}/{namespace}?timeout=6") as store:
        yield store


@pytest.fixture
def direct(etcd_cluster: EtcdCluster, namespace: str) -> t.Iterator[Store]:
    """The same store, by another way."""
    with open_store(etcd_cluster.url(namespace)) as store:
        yield store


@pytest.mark.parametrize("expected", [{}, {"a": 0}])
@pytest.mark.parametrize("before", [0, 1])
def test_a_write_whose_answer_is_lost_is_applied_once_and_known(
    faulty: Store, direct: Store, proxy: FaultyProxy, expected: dict[str, int], before: int
) -> None:
    for number in range(before):
        assert faulty.transact({}, [Put("before", number)])
    proxy.lose_answers(2)
    revision = faulty.transact(expected, [Put("a", 1), Put("b", 1)])
    assert revision is not None
    assert direct.revision() == revision
    assert [(entry.key, entry.revision) for entry in direct.list("")][:2] == [
        ("a", revision),
        ("b", revision),
    ]
    assert faulty.transact({"a": revision}, [Put("a", 2)]) == direct.revision()


def test_a_comparison_that_fails_says_so_though_the_first_answer_was_lost(
    faulty: Store, direct: Store, proxy: FaultyProxy
) -> None:
    direct.transact({}, [Put("a", 1)])
    proxy.lose_answers()
    assert faulty.transact({"a": 0}, [Put("a", 2)]) is None
    assert [entry.value for entry in direct.list("")] == [1]
    assert faulty.transact({}, [Put("a", 3)]) == direct.revision()


def test_a_copy_that_comes_late_is_shut_out(faulty: Store, direct: Store, proxy: FaultyProxy) -> None:
    proxy.hold_requests()
    assert faulty.transact({}, [Put("a", 1)])
    assert faulty.transact({}, [Put("a", 2)])
    assert b"succeeded" not in proxy.release()[0]
    assert [entry.value for entry in direct.list("")] == [2]


def test_a_copy_that_comes_after_none_was_returned_is_shut_out(
    faulty: Store, direct: Store, proxy: FaultyProxy
) -> None:
    direct.transact({}, [Put("lock", 1)])
    proxy.hold_requests()
    assert faulty.transact({"lock": 0}, [Put("lock", 2), Put("mine", 1)]) is None
    direct.transact({}, [Delete("lock")])
    assert b"succeeded" not in proxy.release()[0]
    assert direct.list("") == []


def test_what_was_given_up_on_is_shut_out_by_the_next_write(
    faulty: Store, direct: Store, proxy: FaultyProxy
) -> None:
    proxy.hold_requests(1000)
    with pytest.raises(DistrogateError) as error:
        faulty.transact({}, [Put("a", 1)])
    assert error.value.reason == "store_unavailable"
    assert "may have been applied" in error.value.message
    proxy.stop_faults()
    assert faulty.transact({}, [Put("a", 2)])
    assert not any(b"succeeded" in answer for answer in proxy.release())
    assert [entry.value for entry in direct.list("")] == [2]


def test_what_was_given_up_on_and_applied_after_all_does_not_confuse_the_next_write(
    faulty: Store, direct: Store, proxy: FaultyProxy
) -> None:
    proxy.hold_requests(1000)
    with pytest.raises(DistrogateError):
        faulty.transact({}, [Put("a", 1)])
    proxy.stop_faults()
    assert sum(b'"succeeded":true' in answer for answer in proxy.release()) == 1
    assert faulty.transact({}, [Put("b", 1)]) == direct.revision()
    assert [entry.key for entry in direct.list("")] == ["a", "b"]


@pytest.mark.parametrize("session", ["0", "-1", "", "x", "٣", "9" * 19, "1" * 5000, "77"])
def test_what_is_no_session_writes_nothing(direct: Store, session: str) -> None:
    assert direct.transact({}, [Put("a", 1, session=session)]) is None
    assert direct.list("") == []
    assert not direct.keep(session)
    direct.end(session)


def test_a_write_goes_on_when_the_markers_lease_was_revoked(direct: Store, etcd_cluster: EtcdCluster) -> None:
    session = direct.session(60)
    for number in range(3):
        assert direct.transact({}, [Put("a", number, session=session), Put("b", 1, ttl=60)])
        for lease in etcd_cluster.post(0, "/v3/lease/leases", {})["leases"]:
            if lease["ID"] != session:
                etcd_cluster.post(0, "/v3/lease/revoke", {"ID": lease["ID"]})
    assert [entry.key for entry in direct.list("")] == ["a"]
    direct.end(session)
    assert direct.transact({}, [Put("a", 1, session=session), Put("b", 1, ttl=60)]) is None
