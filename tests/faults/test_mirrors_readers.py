# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers and real clients of three mirrors, while a publisher and two runs of mirror_sync compete.

100 runs, or as many as DISTROGATE_FAULTS_SECONDS allow for.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.apt_client import AptClient
from ansible_collections.distrogate.ci.tests.faults.dnf_client import DnfClient
from ansible_collections.distrogate.ci.tests.faults.kill import end_agent
from ansible_collections.distrogate.ci.tests.faults.mirrors_moving import Changing, Quick
from ansible_collections.distrogate.ci.tests.faults.mirrors_readers import FIRST, MirrorContest
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

_PAUSES = (0, 0.05, 0.5)
_KINDS = ("apt", "rpm")


def real_clients(contest: MirrorContest, urls: list[str]) -> list[t.Callable[[], None]]:
    """One that has never seen its mirror, one that has, and one of a snapshot: each of another mirror."""
    return [_CLIENTS[contest.kind](contest, url, name) for name, url in zip(_NAMES, urls)]


_NAMES = ("fresh", "regular", "snapshot")


def _where(contest: MirrorContest, url: str, name: str) -> tuple[pathlib.Path, pathlib.Path, str, str]:
    place, suite = contest.address(url, FIRST if name == "snapshot" else "")
    return contest.folder / name, contest.release.root / "key.asc", place, suite


def _apt(contest: MirrorContest, url: str, name: str) -> t.Callable[[], None]:
    folder, key, place, suite = _where(contest, url, name)
    client = AptClient(folder, place, suite, key)

    def work() -> None:
        if name == "fresh":
            client.forget()
        client.download(set(sorted(client.update())[-3:]))

    return work


def _dnf(contest: MirrorContest, url: str, name: str) -> t.Callable[[], None]:
    """repomd.xml and its signature are two files: their pair is promised in snapshots, and at rest, alone."""
    folder, key, place, _suite = _where(contest, url, name)
    client = DnfClient(folder, place, key, signed=False)

    def work() -> None:
        if name == "fresh":
            client.forget()
        assert client.download(metadata_signed=name == "snapshot")

    return work


_CLIENTS = {"apt": _apt, "rpm": _dnf}


@pytest.mark.faults
@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("real", [False, True], ids=["pollers", "clients"])
def test_readers_of_mirrors(
    kind: str, real: bool, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budget = Budget.from_environment(share=2 * len(_KINDS))
    contest = MirrorContest(kind, tmp_path, syncs=30 if real else 100)
    try:
        contest.run([] if real else _PAUSES, budget.seconds, real_clients if real else None)
    finally:
        end_agent(tmp_path)
    with capsys.disabled():
        print(f"\nreaders of mirrors, {kind}: {contest}", end=" ", flush=True)
    assert not contest.problems, "\n".join(contest.problems[:20])


@pytest.mark.faults
def test_two_publishes_within_a_second(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = Quick(tmp_path)
    while quick.rounds < 40 and quick.crossed < 10:
        quick.attempt()
    with capsys.disabled():
        print(f"\ntwo publishes within a second: {quick.crossed} of {quick.rounds} crossed a run", end=" ")
    assert quick.crossed


@pytest.mark.faults
def test_a_source_that_changes(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Changing(tmp_path, 0) as world:
        found = [world.attempt(10, pause, rude) for pause in (0.3, 0.02) for rude in (False, True)]
        for nanoseconds in (0, 1, 999_999_999):
            world.twins(nanoseconds)
    with capsys.disabled():
        print(f"\na source that changes: {found} of 10 runs each found a state", end=" ", flush=True)
    assert sum(found)
