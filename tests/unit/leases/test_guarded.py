# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leases on a TE whose guard stands behind a real sshd: what te_lock does there from the grant to the end."""

from __future__ import annotations

import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_key import make_key
from ansible_collections.distrogate.ci.plugins.module_utils._leases._locking import Locking
from ansible_collections.distrogate.ci.plugins.module_utils._leases._pool import Pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry
from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
from ansible_collections.distrogate.ci.tests.faults.guard_sshd import SSHD, Sshd, sshd

pytestmark = pytest.mark.skipif(not SSHD, reason="sshd is not installed")

DEFAULTS: dict[str, t.Any] = {
    "pool": "pool",
    "labels": {},
    "where": None,
    "name": None,
    "count": 1,
    "owner": {"job": "test"},
    "ttl": 60,
    "max_lifetime": 0,
    "keeper": False,
    "with_playbook": False,
    "inventory": None,
    "priority": 0,
    "timeout": 0,
    "reason": None,
    "person": None,
    "quota": 2,
}


class Site:
    """A store, a TE with a guard, and calls of te_lock."""

    def __init__(self, server: Sshd, folder: pathlib.Path) -> None:
        self.server = server
        self.folder = folder
        self.url = f"sqlite://{folder}/store/store.db"
        self.told: list[str] = []
        guard = {
            "host": "127.0.0.1",
            "port": server.port,
            "user": server.host.user,
            "key_file": server.host.pool_key,
            "known_hosts": server.known_hosts,
            "te": "te1",
        }
        with open_store(self.url) as store:
            Registry(store, "pool").put("te1", {"guards": [guard]})

    def file(self, job: str) -> str:
        return str(self.folder / "leases" / f"{job}.json")

    def key(self, job: str) -> str:
        return self.file(job) + ".key"

    def lock(self, job: str, state: str = "locked", **params: t.Any) -> dict[str, t.Any]:
        given = {**DEFAULTS, "store": self.url, "lease_file": self.file(job), **params}
        call = ActionCall(given, False, {}, self.told.append)
        with open_store(self.url) as store:
            getattr(Locking(call, store), state)()
        return call.result

    def status(self) -> str:
        with open_store(self.url) as store:
            return Pool.read(store, "pool").status("te1")


@pytest.fixture
def host(tmp_path: pathlib.Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def site(host: Host, tmp_path: pathlib.Path) -> t.Iterator[Site]:
    with sshd(host) as server:
        yield Site(server, tmp_path)


def reason_of(call: t.Callable[[], t.Any]) -> str:
    with pytest.raises(DistrogateError) as caught:
        call()
    return caught.value.reason


def test_a_lease_has_a_key_that_opens_its_te_until_it_is_released(site: Site, tmp_path: pathlib.Path) -> None:
    lease = site.lock("one")["lease"]
    guard = site.server.guard()
    assert guard.holds(site.key("one"))["fence"] == lease["fence"] == 1
    guard.power("on", site.key("one"))
    kept = str(tmp_path / "kept")
    shutil.copy(site.key("one"), kept)
    site.lock("one", "released")
    assert not pathlib.Path(site.key("one")).exists()
    assert reason_of(lambda: guard.power("on", kept)) == "lease_ended"


def test_one_who_is_late_is_refused_by_the_guard(site: Site) -> None:
    site.lock("one", ttl=4)
    assert site.lock("two", timeout=60)["lease"]["fence"] == 2
    guard = site.server.guard()
    assert reason_of(lambda: guard.power("off", site.key("one"))) == "lease_ended"
    assert reason_of(lambda: guard.renew(60, site.key("one"))) == "lease_ended"
    assert guard.holds(site.key("two"))["fence"] == 2
    assert reason_of(lambda: site.lock("one")) == "lease_lost"


def test_a_te_whose_guard_does_not_answer_is_not_granted_and_breaks(site: Site, host: Host) -> None:
    host.install(pools={"pool": [host.keys["c"]], "other": [host.keys["other"]]})  # Not ours any more.
    assert reason_of(lambda: site.lock("one", timeout=10)) == "lease_timeout"
    assert site.status() == "broken"
    assert site.told[0].startswith("gave the TEs back and wait on: ")
    assert not pathlib.Path(site.file("one")).exists()


def test_a_store_that_was_restored_gives_no_fence_that_the_guard_has_seen(site: Site) -> None:
    backup = site.folder / "backup.db"
    for number in range(3):
        site.lock(f"job{number}")
        if number == 0:
            with open_store(site.url) as store:
                store._database.execute(f"VACUUM INTO '{backup}'")  # type: ignore[attr-defined]
        site.lock(f"job{number}", "released")
    path = site.folder / "store" / "store.db"
    for name in ("store.db", "store.db-wal", "store.db-shm"):
        (path.parent / name).unlink(missing_ok=True)
    shutil.copy(backup, path)
    with open_store(site.url) as store:
        [lease] = Pool.read(store, "pool").leases
        store.end(store.list("te/pool/lease/")[0].value["session"])
    assert lease
    assert site.lock("again", timeout=30)["lease"]["fence"] > 1_000_000_000
    assert site.told[0] == "the store was restored from a backup: fences go on in epoch 1"


def test_the_guard_tells_of_a_restore_that_nobody_noticed(site: Site) -> None:
    site.server.guard().raise_fence("te1", 3_000_000_007, 1, site.server.host.keys["a"])
    assert site.lock("one", timeout=30)["lease"]["fence"] == 4_000_000_001
    assert "gave the TEs back and wait on: " in site.told[0]


def test_a_person_is_let_in_while_the_te_is_held(site: Site, tmp_path: pathlib.Path) -> None:
    ann = str(tmp_path / "ann")
    person = {"name": "ann", "public_key": make_key(ann)}
    site.lock("one")
    held = site.lock("one", "held", reason="an oops", ttl=600, person=person)["hold"]
    assert held["person"] == "ann"
    guard = site.server.guard()
    assert guard.holds(ann)["fence"] == 2
    site.lock("one", "released", lease_file=None, name="te1")
    assert site.lock("two")["lease"]["fence"] == 3
    assert reason_of(lambda: guard.power("on", ann)) == "lease_ended"
