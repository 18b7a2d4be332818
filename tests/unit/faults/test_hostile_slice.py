# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Some seconds of hostile packages, so that every change meets a few of each kind."""

from __future__ import annotations

import pathlib
import random
import subprocess

import pytest

from ansible_collections.distrogate.ci.tests.faults.hostile.expected import CAUSES, lost, sorted_out
from ansible_collections.distrogate.ci.tests.faults.hostile.rpm_writer import good_tags, rpm
from ansible_collections.distrogate.ci.tests.faults.hostile.siege import Tally, siege, unable


@pytest.mark.faults
@pytest.mark.skipif(bool(unable()), reason=unable())
def test_some_hostile_packages() -> None:
    seed, tally = random.SystemRandom().randrange(1 << 32), Tally()
    print(f"--seed {seed}")  # shown when it fails
    siege(("apt", "rpm", "contents"), tally, "--seed", str(seed), "--shuffle", seconds=7)
    new, _known = sorted_out(tally.problems)
    assert not new
    assert tally.tried


def test_a_lost_cause_is_seen() -> None:
    assert len(lost({}, whole=True)) == len(CAUSES)


@pytest.mark.skipif(bool(unable()), reason=unable())
def test_rpm_takes_an_rpm_that_does_not_lie(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "good.rpm"
    path.write_bytes(rpm(good_tags("good")))
    argv = ["rpm", "--dbpath", str(tmp_path), "-qp", "--qf", "%{nevra} %{filenames}", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("good-1.0-1.noarch /usr/share/x/a", "")
    subprocess.run(["rpmkeys", "--dbpath", str(tmp_path), "-K", str(path)], capture_output=True, check=True)
