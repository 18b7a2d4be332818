# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers poll, on disk and over HTTP, with a pause before they read on, while four publishers compete.

200 publishes, or as many as DISTROGATE_FAULTS_SECONDS allow for; see test_kill.py.
"""

from __future__ import annotations

import functools
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.apt_client import AptClient
from ansible_collections.distrogate.ci.tests.faults.dnf_client import DnfClient
from ansible_collections.distrogate.ci.tests.faults.kill import end_agent
from ansible_collections.distrogate.ci.tests.faults.readers import SUITE, Contest
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

_PAUSES = (0, 0.05, 0.5)
KINDS = ("apt", "rpm")


def real_clients(contest: Contest, url: str) -> list[t.Callable[[], None]]:
    """A real client that has never seen the repository, and one that has."""
    key = contest.root / "key.asc"
    if contest.kind == "apt":
        return [
            functools.partial(_apt, AptClient(contest.folder / name, url, SUITE, key), name == "fresh")
            for name in ("fresh", "regular")
        ]
    return [
        functools.partial(_dnf, DnfClient(contest.folder / name, url, key, signed=False), name == "fresh")
        for name in ("fresh", "regular")
    ]


def _apt(client: AptClient, fresh: bool) -> None:
    if fresh:
        client.forget()
    client.download(set(sorted(client.update())[-3:]))


def _dnf(client: DnfClient, fresh: bool) -> None:
    """repomd.xml and its signature are two files: their pair is promised at rest, and in snapshots, alone."""
    if fresh:
        client.forget()
    assert client.download(metadata_signed=False)


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
