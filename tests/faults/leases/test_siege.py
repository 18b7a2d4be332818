# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""50 clients on each store, for 10 minutes or DISTROGATE_FAULTS_SECONDS; then their history is checked.

DISTROGATE_FAULTS_SEED repeats the order of what is done to them, not its timing.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.leases.etcd_place import EtcdPlace
from ansible_collections.distrogate.ci.tests.faults.leases.siege import Place, Siege, judged, summary
from ansible_collections.distrogate.ci.tests.faults.leases.sqlite_place import SqlitePlace
from ansible_collections.distrogate.ci.tests.faults.siege import Budget

PLACES: dict[str, t.Callable[[pathlib.Path], t.ContextManager[Place]]] = {
    "sqlite": SqlitePlace,
    "etcd": lambda _folder: EtcdPlace(),
}


@pytest.mark.faults
@pytest.mark.parametrize("name", sorted(PLACES))
def test_siege(name: str, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    budget = Budget.from_environment(seconds=600 * len(PLACES), share=len(PLACES))
    with PLACES[name](tmp_path) as place:
        siege = Siege(place, tmp_path, budget.seed, budget.seconds)
        history, faults = judged(siege)
    with capsys.disabled():
        print(f"\nleases, {name}: {summary(siege, history)}", end=" ", flush=True)
    assert not faults, "\n".join(faults[:20])
