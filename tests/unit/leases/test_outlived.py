# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook is killed and run again: what becomes of the lease that its lease file still names."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_lock import lock_path, outlived
from ansible_collections.distrogate.ci.plugins.module_utils._leases._locking import Locking
from ansible_collections.distrogate.ci.plugins.module_utils._leases._options import te_lock_options
from ansible_collections.distrogate.ci.plugins.module_utils._leases._registry import Registry

GIVEN: dict[str, t.Any] = {
    "pool": "p",
    "labels": {},
    "count": 1,
    "owner": {"job": "test"},
    "ttl": 60,
    "max_lifetime": 0,
    "keeper": False,
    "priority": 0,
    "timeout": 30,
}
# A keeper on its way to give the lease back, slowly at each step.
KEEPER = """
import fcntl, json, os, sys, time
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import Holder
path, lock, url = sys.argv[1:]
descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(descriptor, fcntl.LOCK_EX)
known = json.load(open(path))
print("holds", flush=True)
time.sleep(0.3)
with open_store(url) as store:
    Holder(store, known["pool"], known["lease"], known["secret"]).release()
time.sleep(0.5)
os.unlink(path)
os.unlink(lock)
"""


class Place:
    """A pool of one TE, and calls of te_lock on one lease file."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.file = str(folder / "leases" / "one.json")
        self.url = f"sqlite://{folder}/store/store.db"
        with open_store(self.url) as store:
            Registry(store, "p").put("te1", {})

    def lock(self, state: str = "locked", **params: t.Any) -> dict[str, t.Any]:
        options = te_lock_options()["argument_spec"]
        given = {**dict.fromkeys(options), **GIVEN, "with_playbook": True, "lease_file": self.file, **params}
        call = ActionCall({**given, "store": self.url}, False, {}, lambda _line: None)
        with open_store(self.url) as store:
            getattr(Locking(call, store), state)()
        return call.result

    def expired(self) -> None:
        """Take it for a short time, and let it end."""
        self.lock(ttl=3)
        time.sleep(3.2)


@pytest.fixture
def place(tmp_path: pathlib.Path) -> Place:
    return Place(tmp_path)


def nobody() -> int:
    """A pid of the dead."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


def test_a_lease_that_ended_with_its_playbook_is_taken_anew(place: Place) -> None:
    place.expired()
    assert place.lock()["lease"]["fence"] == 2


def test_without_a_playbook_it_is_lost(place: Place) -> None:
    place.expired()
    with pytest.raises(DistrogateError) as caught:
        place.lock(with_playbook=False)
    assert caught.value.reason == "lease_lost"


def test_a_lease_that_lives_is_gone_on_with(place: Place) -> None:
    assert [place.lock()["lease"]["fence"] for _time in range(2)] == [1, 1]


def test_who_gives_it_back_is_waited_for(place: Place) -> None:
    place.lock()
    words = [sys.executable, "-c", KEEPER, place.file, lock_path(place.file, nobody()), place.url]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None and keeper.stdout.readline() == b"holds\n"
        assert place.lock()["lease"]["fence"] == 2
    assert keeper.returncode == 0
    place.lock("released")  # the file is that of the new lease
    assert place.lock()["lease"]["fence"] == 3


@contextlib.contextmanager
def held(place: Place, pid: int) -> t.Iterator[None]:
    """A keeper of this playbook lives."""
    os.makedirs(os.path.dirname(place.file), exist_ok=True)
    with open(lock_path(place.file, pid), "w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("whose", ["own", "another"])
def test_the_living_are_left_alone(place: Place, whose: str) -> None:
    own = os.getppid()
    with held(place, own if whose == "own" else os.getpid()):
        assert not outlived(place.file, own, 0)


def test_a_keeper_that_does_not_end_is_ended(place: Place) -> None:
    with held(place, nobody()), pytest.raises(DistrogateError) as caught:
        outlived(place.file, os.getppid(), 0.1)  # this test cannot be ended
    assert caught.value.reason == "keeper_failed"
