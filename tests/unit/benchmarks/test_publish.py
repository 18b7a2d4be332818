# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark of publishing works, and tells the truth about its bars; its figures are not looked at."""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.benchmarks import (
    publish,
    publish_debs,
    publish_figures,
    publish_files,
    publish_meter,
    publish_rpms,
    publish_table,
)

SIZES = publish_table.Sizes(4, 6, 8)
TOOLS = ("apt-ftparchive", "createrepo_c", "gpg-connect-agent")


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"{', '.join(TOOLS)}: not all installed")
def test_a_few_packages(tmp_path: t.Any) -> None:
    text, _missed = publish.run(tmp_path, SIZES, 1, settle=False)
    for row in ("| add one to 8 debs ", "| 6 rpms from nothing ", "| memory, 8 debs from nothing "):
        assert row in text
    assert not (tmp_path / "work").exists()


def figures(**cpu: float) -> publish_figures.Figures:
    """One run of everyone who adds one to 6 debs."""
    found = publish_figures.Figures()
    for who, seconds in cpu.items():
        found.add("add one (deb)", who, 6, publish_meter.Used(1.0, seconds, 2**20))
    return found


@pytest.mark.parametrize(
    ("cpu", "met"),
    [
        ({"ours": 1.0, "reprepro": 2.0}, "yes"),
        ({"ours": 1.01, "reprepro": 2.0}, "NO"),
        ({"ours": 1.0}, "not shown"),
    ],
)
def test_a_bar(cpu: dict[str, float], met: str) -> None:
    row = publish_table.rows(figures(**cpu), SIZES)[0]
    assert (row.limit, row.met) == (0.5, met)
    assert publish_table.missed([row]) == (["add one to 6 debs (reprepro)"] if met == "NO" else [])


def test_a_peer_that_is_missing() -> None:
    found = figures(ours=1.0)
    found.missing["reprepro"] = "reprepro"
    row = publish_table.rows(found, SIZES)[0]
    assert row.peer == "reprepro: not installed (apt-get install reprepro)"


def test_bytes_beside_the_format(tmp_path: t.Any) -> None:
    (tmp_path / "stays").write_bytes(b"1" * 7)
    before = publish_files.files(tmp_path)
    (tmp_path / "Packages.gz").write_bytes(b"1" * 30)
    os.link(tmp_path / "Packages.gz", tmp_path / "by-its-digest")
    (tmp_path / "state.json").write_bytes(b"1" * 500)
    assert publish_files.written(before, publish_files.files(tmp_path)) == (30, 500)


def test_a_command_that_fails(tmp_path: t.Any) -> None:
    with subprocess.Popen(["sleep", "60"]) as agent:
        try:
            meter = publish_meter.Meter(tmp_path / "log", agent.pid)
            steps = [
                publish_meter.Step(["cat", str(tmp_path / "none")]),
                publish_meter.Step(["touch", str(tmp_path / "a")]),
            ]
            with pytest.raises(publish_meter.CommandError, match="No such file"):
                meter(steps, {"PATH": os.environ["PATH"], "LC_ALL": "C"})
        finally:
            agent.kill()
    assert not (tmp_path / "a").exists()


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb is not installed")
def test_dpkg_takes_the_debs(tmp_path: t.Any) -> None:
    path = tmp_path / publish_debs.file_name(7)
    path.write_bytes(publish_debs.package(7))
    for option, text in (("--field", "Source: "), ("--contents", "./usr/bin/")):
        assert text in subprocess.check_output(["dpkg-deb", option, path], text=True)


@pytest.mark.skipif(not shutil.which("rpmkeys"), reason="rpm is not installed")
def test_rpm_takes_the_rpms(tmp_path: t.Any) -> None:
    path = tmp_path / publish_rpms.file_name(7)
    path.write_bytes(publish_rpms.package(7))
    assert "digests OK" in subprocess.check_output(["rpmkeys", "--checksig", path], text=True)
    query = ["rpm", "--query", "--package", "--list", "--requires", "--changelog", path]
    said = subprocess.check_output(query, text=True)
    assert (
        "/LICENSE\n" in said and "libc.so.6()(64bit)\n" in said and "- Correct what users have found" in said
    )
