# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The etcd store's address, its keys and large answers, TLS, and logins."""

from __future__ import annotations

import base64
import os
import secrets
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Key,
    Put,
    Range,
    Store,
    open_store,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_address import parse_address
from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster, make_certificates

SECRET = "open sesame é"


def _reason(call: t.Callable[[], t.Any]) -> str:
    with pytest.raises(DistrogateError) as error:
        call()
    assert SECRET not in error.value.message
    assert error.value.message.isprintable()
    return error.value.reason


@pytest.fixture
def namespace() -> str:
    return f"test-{secrets.token_hex(8)}"


@pytest.fixture
def direct(etcd_cluster: EtcdCluster, namespace: str) -> t.Iterator[Store]:
    with open_store(etcd_cluster.url(namespace)) as store:
        yield store


def test_the_address_is_read(tmp_path: t.Any) -> None:
    (tmp_path / "password").write_text(SECRET + "\n")
    url = f"etcd://me%40x@one:1,[::1]:2,three/a%20b/c?password_file={tmp_path}/password&timeout=3"
    address = parse_address(url, {"DISTROGATE_STORE_PASSWORD": "other"})
    assert [(each.host, each.port) for each in address.endpoints] == [("one", 1), ("::1", 2), ("three", 2379)]
    assert (address.prefix, address.user, address.password, address.timeout) == (b"a b/c/", "me@x", SECRET, 3)
    assert address.context is None
    assert str(address) == "etcd://one:1,[::1]:2,three:2379"
    assert SECRET not in repr(address)
    assert parse_address("etcd://one", {}).prefix == b"distrogate/"
    assert parse_address("etcd://me@one", {"DISTROGATE_STORE_PASSWORD": SECRET}).password == SECRET


@pytest.mark.parametrize(
    "rest",
    [
        "",
        ",",
        "one:0",
        "one:65536",
        "one:x",
        "one:1:2",
        "::1",
        "one two",
        "one\r\nX: y",
        f"me:{SECRET}@one",
        "me@one",
        "one?password_file=/dev/null",
        "me@one?password_file=/dev/null",
        "me@one?password_file=/none",
        "one?cert=/x&key=/x",
        "one?ca=/none",
        "one?ca=/dev/null",
        "one?timeout=0",
        "one?timeout=nan",
        "one?timeout=1e9",
        "one?timeout=1&timeout=2",
        "one?colour=red",
        "one?ca",
        "one?ca=",
        "one/a%00b",
    ],
)
def test_bad_addresses_are_refused(rest: str) -> None:
    assert _reason(lambda: open_store(f"etcd://{rest}", environment={})) == "bad_store"


def test_any_key_comes_back(direct: Store) -> None:
    keys = ["%2F", "a b", "é/\U0010ffff", "\x01", "\x7f", "+", '"', "\\", "../x", "\n", "é" * 512]
    revision = direct.transact(dict.fromkeys(keys, 0), [Put(key, key) for key in keys])
    assert revision
    assert [(entry.key, entry.value) for entry in direct.list("")] == [(key, key) for key in sorted(keys)]
    assert [entry.key for entry in direct.list("é")] == sorted(key for key in keys if key.startswith("é"))
    assert direct.list("\0") == direct.list("\0w") == []


def test_namespaces_do_not_see_each_other(direct: Store, etcd_cluster: EtcdCluster, namespace: str) -> None:
    with open_store(etcd_cluster.url(f"{namespace}0")) as other, open_store(etcd_cluster.url("x/y")) as third:
        direct.transact({}, [Put("a", 1)])
        other.transact({}, [Put("b", 1)])
        third.transact({}, [Put("c", 1)])
        assert [[entry.key for entry in store.list("")] for store in (direct, other)] == [["a"], ["b"]]


def test_what_others_wrote_there_is_named(direct: Store, etcd_cluster: EtcdCluster, namespace: str) -> None:
    put = {"key": _b64(f"{namespace}/x"), "value": _b64("no JSON")}
    assert "error" not in etcd_cluster.post(0, "/v3/kv/put", put)
    assert _reason(lambda: direct.list("")) == "store_foreign"


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_ten_thousand_entries_and_many_queries(direct: Store) -> None:
    value = {"text": "x" * 200}
    for start in reversed(range(0, 10_000, 100)):
        assert direct.transact({}, [Put(f"te/{number:05}", value) for number in range(start, start + 100)])
    found = direct.list("te/")
    assert [entry.key for entry in found] == [f"te/{number:05}" for number in range(10_000)]
    assert {entry.value["text"] for entry in found} == {"x" * 200}
    answers = direct.read([Key(f"te/{number:05}") for number in range(300)])
    assert [[entry.key for entry in each] for each in answers] == [
        [f"te/{number:05}"] for number in range(300)
    ]
    # A hundred are of one age each: the key decides, at the limit too.
    limited, oldest = direct.read([Range("te/", 130, True), Range("te/", 0, True)])
    assert oldest == sorted(found, key=lambda entry: (entry.created, entry.key))
    assert limited == oldest[:130]
    assert limited[0].key == "te/09900"


def test_what_is_too_large_for_etcd_is_refused_with_a_reason(direct: Store) -> None:
    assert _reason(lambda: direct.transact({}, [Put(f"{n}", 1) for n in range(200)])) == "store_refused"
    large = "x" * 1_000_000
    assert _reason(lambda: direct.transact({}, [Put("a", large), Put("b", large)])) == "store_refused"
    assert direct.list("") == []
    assert direct.transact({}, [Put("a", large)])
    assert _reason(lambda: direct.session(1e15)) == "bad_ttl"


def test_tls_with_client_certificates(tmp_path: t.Any) -> None:
    os.mkdir(tmp_path / "other")
    tls, other = make_certificates(str(tmp_path)), make_certificates(str(tmp_path / "other"))
    with EtcdCluster(1, tls=tls) as cluster:
        with open_store(cluster.url("n", timeout="5")) as store:
            store.transact({}, [Put("a", {"x": "y" * 100_000})])
            with store.watch("a") as watch:
                assert not watch.wait(0.2)
                store.transact({}, [Put("a", 2)])
                assert watch.wait(10)
                assert watch.entry() == store.get("a")
        place = f"etcd://{cluster.endpoints[0]}/n?timeout=0.5"
        name = cluster.endpoints[0].replace("127.0.0.1", "localhost")
        for url in (
            place,
            f"{place}&ca={tls['ca']}",
            f"{place}&ca={other['ca']}&cert={tls['cert']}&key={tls['key']}",
            f"{place}&ca={tls['ca']}&cert={other['cert']}&key={other['key']}",
            f"etcd://{name}/n?timeout=0.5&ca={tls['ca']}&cert={tls['cert']}&key={tls['key']}",
        ):
            with open_store(url) as store:
                assert _reason(lambda: store.get("a")) == "store_unavailable"


@pytest.fixture(scope="module")
def guarded() -> t.Iterator[EtcdCluster]:
    """Logins are on, and end after a second without use."""
    with EtcdCluster(1, options=["--auth-token-ttl", "1", "--bcrypt-cost", "4"]) as cluster:
        cluster.enable_logins("root", {"me": (SECRET, "mine/")})
        yield cluster


def _login(cluster: EtcdCluster, user: str = "me", namespace: str = "mine", password: str = SECRET) -> Store:
    return open_store(cluster.url(namespace, user=user), environment={"DISTROGATE_STORE_PASSWORD": password})


def test_a_login_that_has_ended_is_renewed(guarded: EtcdCluster) -> None:
    with _login(guarded) as store:
        session = store.session(60)
        store.transact({}, [Put("a", 1, session=session)])
        with store.watch("a") as watch:
            time.sleep(2.5)
            assert store.get("a") is not None
            time.sleep(2.5)
            store.transact({}, [Put("a", 2, session=session)])
            time.sleep(2.5)
            assert watch.wait(10)
            assert watch.entry() == store.get("a")
        assert store.keep(session)


def test_a_login_from_before_the_users_changed_is_renewed(guarded: EtcdCluster) -> None:
    with _login(guarded) as store:
        store.transact({}, [Put("a", 1)])
        token = guarded.post(0, "/v3/auth/authenticate", {"name": "root", "password": "root"})["token"]
        user = {"name": secrets.token_hex(4), "password": "x"}
        assert "error" not in guarded.post(0, "/v3/auth/user/add", user, token)
        assert store.transact({}, [Put("a", 2)])


@pytest.mark.parametrize(
    "login", [{"password": "wrong"}, {"user": "nobody"}, {"user": ""}, {"namespace": "theirs"}]
)
def test_who_may_not_is_told_so(guarded: EtcdCluster, login: dict[str, str]) -> None:
    with _login(guarded, **login) as store:
        assert _reason(lambda: store.get("a")) == "store_denied"
        assert _reason(lambda: store.transact({}, [Put("a", 1)])) == "store_denied"


def test_a_login_where_none_is_wanted_is_refused(etcd_cluster: EtcdCluster) -> None:
    with _login(etcd_cluster) as store:
        assert _reason(lambda: store.get("a")) == "store_denied"
