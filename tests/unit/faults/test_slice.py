# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A few seconds of ``make faults``, so that every change sees some kills, errors, readers and full disks."""

from __future__ import annotations

import pathlib
import random
import shutil

import pytest

from ansible_collections.distrogate.ci.tests.faults.errors import can_fail, fail
from ansible_collections.distrogate.ci.tests.faults.files import Files
from ansible_collections.distrogate.ci.tests.faults.full_disk import OPERATIONS, shrink
from ansible_collections.distrogate.ci.tests.faults.full_disk import SUBJECTS as ON_DISK
from ansible_collections.distrogate.ci.tests.faults.kill import Subject, end_agent
from ansible_collections.distrogate.ci.tests.faults.mirrors import Mirrors
from ansible_collections.distrogate.ci.tests.faults.readers import Contest
from ansible_collections.distrogate.ci.tests.faults.repositories import Repository
from ansible_collections.distrogate.ci.tests.faults.siege import Budget, Siege, worlds
from ansible_collections.distrogate.ci.tests.faults.tags import Tags

traced = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def some(attacks: int) -> Budget:
    budget = Budget(seed=random.SystemRandom().randrange(1 << 32), attacks=attacks)
    print(f"DISTROGATE_FAULTS_SEED={budget.seed}")  # shown when it fails
    return budget


def one_of(subject: Subject) -> tuple[str, ...]:
    operation = random.choice(subject.operations)
    print(f"operation {operation}")
    return (operation,)


@pytest.mark.faults
@traced
def test_a_few_kills(repository: Repository) -> None:
    tally = Siege([repository], some(4), operations=one_of(repository)).run()
    assert tally.effective and tally.tried == 4


@pytest.mark.faults
@traced
def test_a_few_kills_of_mirrors() -> None:
    with worlds(Mirrors, 1) as subjects:
        assert Siege(subjects, some(2)).run().effective


@pytest.mark.faults
@traced
@pytest.mark.parametrize("kind", [Files, Tags])
def test_a_few_kills_of_what_is_no_package(kind: type[Subject]) -> None:
    with worlds(kind, 1) as subjects:
        assert Siege(subjects, some(4), operations=one_of(subjects[0])).run().effective


@pytest.mark.faults
@traced
def test_a_few_errors(repository: Repository) -> None:
    siege = Siege([repository], some(3), fail, can_fail, operations=one_of(repository))
    assert siege.run().tried == 3


@pytest.mark.faults
@pytest.mark.parametrize("name", sorted(ON_DISK))
def test_a_few_full_disks(name: str, tmp_path: pathlib.Path) -> None:
    assert all(shrink(name, tmp_path, 16, OPERATIONS[name][0]).values())


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["apt", "rpm"])
def test_a_few_readers(kind: str, tmp_path: pathlib.Path) -> None:
    try:
        result = Contest(kind, tmp_path, publishers=2, each=6).run((0, 0.05))
    finally:
        end_agent(tmp_path)
    assert min(result.polls.values()) > 1
    assert (result.mismatches, result.lost, len(result.published)) == ([], set(), 13)
