# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the publisher really does, seen by who mirrors: followed, never walked, and always whole."""

from __future__ import annotations

import hashlib
import os
import pathlib

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._closure import open_ends
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._source import Seen
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import Caller
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import Own, listed, look, snapshots_of, there
from ansible_collections.distrogate.ci.tests.unit.mirrors.test_states import refused
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import Suite, control, deb


class Repository:
    """Publishes packages by name and version, and looks at the tree around it after each call."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.source = folder / "release"
        self.suite = Suite(self.source / "apt")
        self.seen: Seen | None = None

    def package(self, name: str) -> str:
        path = self.folder / f"{name}.deb"
        path.write_bytes(deb(control(*name.split("="))))
        return str(path)

    def look(self) -> Seen:
        """The state must be the tree's, and foreseen."""
        foreseen = look(self.source, self.seen, write=False)
        self.seen = look(self.source, self.seen)
        assert foreseen.snapshot.id == self.seen.snapshot.id
        assert listed(self.source, self.seen.snapshot) == there(self.source)
        kept, snapshot = snapshots_of(self.source), self.seen.snapshot
        for path, _entry in kept.entries(snapshot):
            if path.endswith((b"/InRelease", b"/Release")):
                text = {path: (self.source / os.fsdecode(path)).read_bytes()}
                assert open_ends(text, lambda paths: kept.find(snapshot, paths)) == []
        return self.seen


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> Repository:
    made = Repository(tmp_path)
    made.suite(made.package("nova=1"), made.package("glance=1"))
    assert made.look().walked == [b"apt/"]
    return made


def test_a_life_of_a_repository(repository: Repository) -> None:
    suite, package = repository.suite, repository.package
    calls = [
        ([package("nova=2")], {}),
        ([package("nova=2")], {}),
        ([package("nova=3")], {"suite": "trixie", "compression": ["gz", "xz"]}),
        ([], {"snapshot": "2026-01"}),
        ([package("cinder=1")], {"snapshot": "2026-02", "keep": 1}),
        (["glance"], {"state": "absent", "keep": 1}),
        ([], {"state": "absent", "snapshot": "2026-01", "keep": 1}),
        ([package("glance=2")], {"keep": 1}),
        ([package("heat=1")], {"state": "prepared", "transaction": "t1"}),
        ([], {"state": "committed", "transaction": "t1"}),
        ([], {"state": "undone", "transaction": "t1"}),
    ]
    ids = []
    for packages, options in calls:
        suite(*packages, **options)
        seen = repository.look()
        assert seen.walked == [], options
        ids.append(seen.snapshot.id)
    assert ids[0] == ids[1] and ids[7] == ids[8] and len(set(ids)) == len(ids) - 2


def test_the_notes_name_the_packages(repository: Repository) -> None:
    repository.suite(repository.package("nova=2"), repository.package("cinder=1"))
    notes = repository.look().notes[b"apt/"]
    assert notes is not None and len(notes) == 1
    assert sorted(one[0] for one in notes[0]["packages"]["added"]) == ["cinder", "nova"]


def test_many_publishes_within_one_second(repository: Repository) -> None:
    ids = set()
    for number in range(10):
        repository.suite(repository.package(f"nova=2.{number}"))
        ids.add(repository.look().snapshot.id)
    assert len(ids) == 10


def test_packages_of_a_first_sync_that_failed_once(tmp_path: pathlib.Path) -> None:
    """They are told against what the mirrors had: nothing."""
    own, mirror = Own(tmp_path / "source"), tmp_path / "mirror"
    transaction = own.stage("one")
    place = transaction.place("pool/hello_1_all.deb", hashlib.sha256(b"hello").hexdigest())
    pathlib.Path(place).write_bytes(b"hello")
    transaction.commit()
    sync = Caller(own.root, [mirror])
    with refused("quorum_not_met"):
        sync()
    mirror.mkdir()
    assert [(row["name"], row["change"]) for row in sync()["packages"]] == [("hello", "added")]
