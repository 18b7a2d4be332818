# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A few seconds of what ``make faults`` does to mirrors, so that every change sees some of each."""

from __future__ import annotations

import pathlib
import random
import shutil
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.kill import end_agent
from ansible_collections.distrogate.ci.tests.faults.mirrors import Daemons
from ansible_collections.distrogate.ci.tests.faults.mirrors_bad import KINDS, BadMirror
from ansible_collections.distrogate.ci.tests.faults.mirrors_hostile import REFUSALS, Hostile
from ansible_collections.distrogate.ci.tests.faults.mirrors_kill import VICTIMS, Outages
from ansible_collections.distrogate.ci.tests.faults.mirrors_moving import Changing
from ansible_collections.distrogate.ci.tests.faults.mirrors_planted import Planted
from ansible_collections.distrogate.ci.tests.faults.mirrors_readers import MirrorContest
from ansible_collections.distrogate.ci.tests.faults.siege import Budget, Siege, worlds

_WAITING = ("silent", "slow")  # kinds that take as long as the run's patience


@pytest.fixture
def seed() -> int:
    number = random.SystemRandom().randrange(1 << 32)
    print(f"DISTROGATE_FAULTS_SEED={number}")  # shown when it fails
    return number


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> t.Iterator[pathlib.Path]:
    yield tmp_path
    end_agent(tmp_path)


@pytest.mark.faults
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_a_few_calls(seed: int) -> None:
    operation = random.Random(seed).choice(Daemons.operations)
    print(f"operation {operation}")
    with worlds(Daemons, 1) as subjects:
        assert Siege(subjects, Budget(seed=seed, attacks=2), operations=(operation,)).run().effective


@pytest.mark.faults
def test_a_few_deaths(folder: pathlib.Path, seed: int) -> None:
    with Outages(folder, seed) as outages:
        for victim in random.Random(seed).sample(VICTIMS, 2):
            outages.round(victim)
        assert not outages.readers.end()


@pytest.mark.faults
def test_a_few_bad_mirrors(folder: pathlib.Path, seed: int) -> None:
    kinds = sorted(KINDS.keys() - set(_WAITING))
    with BadMirror(folder, seed) as world:
        world.attempt(random.Random(seed).choice(kinds))
        assert not world.readers.end()


@pytest.mark.faults
def test_a_few_readers_of_mirrors(folder: pathlib.Path) -> None:
    contest = MirrorContest("apt", folder, syncs=2).run((0, 0.05))
    assert not contest.problems, contest.problems[:5]
    assert min(seen.polls for seen in contest.readers.seen.values()) > 1


@pytest.mark.faults
def test_strange_names(tmp_path: pathlib.Path, seed: int) -> None:
    with Hostile(tmp_path, seed) as world:
        world.every_name()
        world.refusal(random.Random(seed).choice(sorted(REFUSALS)))
        world.grow(40)
        world.same("a strange tree")


@pytest.mark.faults
def test_a_few_strange_mirrors(tmp_path: pathlib.Path, seed: int) -> None:
    with Planted(tmp_path, seed) as world:
        for name, what in world.cases()[:2]:
            print(f"{what} as {name}")
            world.attempt(name, what)


@pytest.mark.faults
def test_a_source_that_changes(tmp_path: pathlib.Path) -> None:
    with Changing(tmp_path, 0) as world:
        world.attempt(2, 0.1)
        world.twins(1)
