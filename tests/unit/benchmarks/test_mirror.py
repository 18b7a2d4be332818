# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark of mirrors works, and tells the truth about its bars; its figures are not looked at."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest

from ansible_collections.distrogate.ci.tests.benchmarks import (
    mirror,
    mirror_meter,
    mirror_peers,
    mirror_table,
)
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_sizes import Sizes
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_trsync import TrsyncCommands, open_trsync
from ansible_collections.distrogate.ci.tests.benchmarks.publish_figures import Figures
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Step, Used

SIZES = Sizes((20,), 20, 20, 3, 3, 2**22)
COMMANDS = TrsyncCommands.name


def test_a_few_files(tmp_path: pathlib.Path) -> None:
    text, _missed = mirror.run(tmp_path, SIZES, 1, settle=False)
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    for what in (
        "| 20 files, nothing changed",
        "| 20 files, 10 changed ",
        "| first copy of 3 files, not verified",
    ):
        assert any(row.startswith(what) and " - |" not in row.split("|")[2] for row in rows), what
    assert "trsync was not there" in text.replace("\n", " ") and COMMANDS in text
    assert "not shown" not in text
    assert not (tmp_path / "work").exists()


def figures(**cpu: float) -> Figures:
    """One run of everyone with nothing changed in 20 files."""
    found = Figures()
    for who, seconds in cpu.items():
        found.add("nothing changed", who.replace("_", " "), 20, Used(1.0, seconds, 2**20))
    return found


@pytest.mark.parametrize(
    ("cpu", "met"),
    [
        ({"ours": 0.4, "rsync -a": 1.0}, "yes"),
        ({"ours": 0.41, "rsync -a": 1.0}, "NO"),
        ({"rsync -a": 1.0}, "not shown"),
    ],
)
def test_a_bar(cpu: dict[str, float], met: str) -> None:
    row = mirror_table.rows(figures(**cpu), SIZES, COMMANDS)[0]
    assert (row.limit, row.met) == (0.4, met)
    assert bool(mirror_table.missed([row])) == (met == "NO")


def test_trsync_is_called_what_it_is(tmp_path: pathlib.Path) -> None:
    """Without Python 2, or without a checkout, its commands are measured; a Python 3 does not count."""
    for checkout in (None, tmp_path / "none"):
        found = open_trsync(tmp_path, checkout, sys.executable)
        found.end()
        assert found.name == COMMANDS


def test_the_daemon_counts(tmp_path: pathlib.Path) -> None:
    """A client that does nothing, and a daemon that compares: what is measured is the daemon's work."""
    meter = mirror_meter.MirrorMeter(tmp_path / "log", settle=False)
    peer = mirror_peers.Peer(tmp_path)
    try:
        (peer.daemon.path / "file").write_bytes(os.urandom(1 << 20) * 60)
        environment = {"PATH": os.environ["PATH"]}
        look = ["rsync", "--checksum", "--checksum-choice=md5", "--list-only", peer.daemon.address() + "file"]
        both = meter.both([Step(look)], environment, [peer.daemon])
        alone = meter.both([Step(look)], environment)
    finally:
        peer.end()
    assert both.cpu > alone.cpu + 0.02
