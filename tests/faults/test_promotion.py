# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Promotions of a bundle of all types with real hosts, repositories and a registry, killed at random.

Eight deaths with each store, and one before and after each step of the journal, or as many as
DISTROGATE_FAULTS_SECONDS allow for; DISTROGATE_FAULTS_SEED repeats their order.
"""

from __future__ import annotations

import collections
import os
import pathlib
import random
import signal
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.promotion import Promotions
from ansible_collections.distrogate.ci.tests.faults.siege import Budget
from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster

_DEATHS = 8


@pytest.fixture(params=["sqlite", "etcd"])
def site(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> t.Iterator[Promotions]:
    """A site with each store, on which the first bundle and then the second was promoted."""
    if request.param == "sqlite":
        (tmp_path / "store").mkdir()
        with promoted(Promotions(tmp_path, f"sqlite://{tmp_path}/store/store.db")) as made:
            yield made
    else:
        with EtcdCluster(1) as cluster, promoted(Promotions(tmp_path, cluster.url("promotions"))) as made:
            yield made


class promoted:  # noqa: N801  # it reads as what it does
    """That site."""

    def __init__(self, site: Promotions) -> None:
        self._site = site

    def __enter__(self) -> Promotions:
        site = self._site.__enter__()
        for run in ("first", "second"):
            done(site, run)
            assert site.check() == run
        return site

    def __exit__(self, *exc: object) -> None:
        self._site.__exit__(*exc)


def done(site: Promotions, run: str | None, **more: t.Any) -> str:
    """Promote, or roll back; what was said."""
    code = site.finish(site.play([site.promote(run, **more)]))
    said = (site.folder / "log").read_text()
    assert code == 0, said[-5000:]
    return said


@pytest.mark.faults
def test_killed_at_random(site: Promotions, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment(share=2)
    chance = random.Random(budget.seed)
    began = time.monotonic()
    done(site, None)
    whole = time.monotonic() - began
    left = {"recovered": 0, "killed": 0}
    for number in range(_DEATHS):
        if budget.seconds and time.monotonic() - began > budget.seconds:
            break
        run = "second" if site.check() == "first" else None
        killed = site.kill(site.play([site.promote(run)]), chance.uniform(0.2, 1.0) * whole)
        left["killed"] += killed
        # The next run is the same one, or the opposite; either finds one bundle everywhere.
        said = done(site, run if number % 2 else "second")
        left["recovered"] += "found the promotion of" in said
        site.check()
    with capsys.disabled():
        print(f"\npromotions die: DISTROGATE_FAULTS_SEED={budget.seed} {left}", end=" ", flush=True)
    assert left["killed"]


@pytest.mark.faults
def test_two_at_once(site: Promotions) -> None:
    """One order; the one that waits, or will not wait, is told for whom."""
    back = site.play([site.promote(None)], "back")
    again = site.play([site.promote("second")], "again")
    impatient = site.play([site.promote("second", timeout=0)], "impatient")
    codes = [site.finish(process) for process in (back, again, impatient)]
    said = [(site.folder / name).read_text() for name in ("back", "again", "impatient")]
    assert codes[:2] == [0, 0], said
    assert codes[2] == 0 or "lock_timeout" in said[2]
    assert "is being promoted by" in "".join(said)
    assert site.check() in ("first", "second")


PHASES = ("preparing", "committing", "pointed")


@pytest.mark.faults
@pytest.mark.parametrize("back", [False, True])
def test_killed_at_every_step(site: Promotions, back: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Before and after each write of a promotion, and of a roll back, to the store."""
    budget = Budget.from_environment(share=6)
    began = time.monotonic()
    start, goes = ("second", None) if back else ("first", "second")

    def return_to_start() -> str:
        # The older packages come back by a roll back alone: to promote them takes no newer ones away.
        return done(site, "second") if back else done(site, None, bundle=site.digest("first"))

    return_to_start()
    steps = listed(site, goes)
    return_to_start()
    found: collections.Counter[str] = collections.Counter()
    cases = [(when, number) for number in range(1, len(steps) + 1) for when in ("before", "after")]
    random.Random(budget.seed).shuffle(cases)
    for case in cases:
        if budget.seconds and time.monotonic() - began > budget.seconds:
            break
        assert site.finish(site.play([site.promote(goes)], death=case)) == -signal.SIGKILL, case
        site.forget_dead()
        said = return_to_start()
        phase = [word for word in PHASES if f"left in phase {word}" in said]
        found[phase[0] if phase else "nothing left"] += 1
        assert site.check() == start, (case, steps[case[1] - 1])
    with capsys.disabled():
        print(f"\n{len(steps)} steps, DISTROGATE_FAULTS_SEED={budget.seed}, found {dict(found)}", end=" ")
    assert budget.seconds or set(found) == {*PHASES, "nothing left"}


def listed(site: Promotions, goes: str | None) -> list[str]:
    """The steps of a promotion that nobody kills."""
    assert site.finish(site.play([site.promote(goes)], death=("never", 0))) == 0
    return site.steps()


@pytest.mark.faults
def test_a_late_owner_changes_nothing(site: Promotions) -> None:
    """It sleeps where it is about to prepare, or to commit those of a rank; others end it and go on."""
    for fence in (1, 2, 3, 4):
        late = site.play([site.promote(None)], "late", ("late", fence))
        with site.asleep(late) as sleeper:
            site.forget_dead()
            assert "found the promotion of" in done(site, "second")
            assert site.check() == "second"
            os.kill(sleeper, signal.SIGCONT)
            assert site.finish(late) == 2
        assert "promotion_lost" in (site.folder / "late").read_text(), fence
        assert set(site.found().values()) == {"second"}, fence
        done(site, "second")
        assert site.check() == "second"
