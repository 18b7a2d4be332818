# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers poll, on disk and over HTTP, with a pause before they read on, while four publishers compete.

200 publishes, or as many as DISTROGATE_FAULTS_SECONDS allow for; see test_kill.py.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.apt_client import AptClient
from ansible_collections.distrogate.ci.tests.faults.dnf_client import DnfClient
from ansible_collections.distrogate.ci.tests.faults.kill import end_agent
from ansible_collections.distrogate.ci.tests.faults.readers import Contest
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

_PAUSES = (0, 0.05, 0.5)
KINDS = ("apt", "rpm")


def real_clients(contest: Contest, url: str) -> list[t.Callable[[], None]]:
    """A real client that has never seen the repository, one that has, and one of a snapshot."""
    return [_CLIENTS[contest.kind](contest, url, name) for name in ("fresh", "regular", "snapshot")]


def _where(contest: Contest, url: str, name: str) -> tuple[pathlib.Path, pathlib.Path, str, str]:
    place, suite = contest.address(url, "begin" if name == "snapshot" else "")
    return contest.folder / name, contest.root / "key.asc", place, suite


def _apt(contest: Contest, url: str, name: str) -> t.Callable[[], None]:
    folder, key, place, suite = _where(contest, url, name)
    client = AptClient(folder, place, suite, key)

    def work() -> None:
        if name == "fresh":
            client.forget()
        client.download(set(sorted(client.update())[-3:]))

    return work


def _dnf(contest: Contest, url: str, name: str) -> t.Callable[[], None]:
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
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("real", [False, True], ids=["pollers", "clients"])
def test_readers(kind: str, real: bool, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment(share=2 * len(KINDS))
    each = 10 if real else 50
    try:
        contest = Contest(kind, tmp_path, publishers=4, each=each)
        if real:
            result = contest.run([], budget.seconds, real_clients)
        else:
            result = contest.run(_PAUSES, budget.seconds)
    finally:
        end_agent(tmp_path)
    with capsys.disabled():
        print(f"\nreaders, {kind}: {result}", end=" ", flush=True)
    assert not result.mismatches, "\n".join(result.mismatches[:20])
    assert not result.lost
