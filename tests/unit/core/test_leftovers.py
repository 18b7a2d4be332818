# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What killed runs leave goes when nobody needs it; what is in use, or another's, stays."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _process, _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import DAY, Rules, apply, find_runs
from ansible_collections.distrogate.ci.plugins.module_utils._core._leftovers import (
    find_killed,
    find_shared,
    find_temporary,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run

NOBODY = {"world": "another boot", "pid": 1, "start_ticks": 1}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(str(tmp_path / "runs" / "one"))
    made.create({"queue": [1]})
    return made


def aged(path: Path, days: float = 2) -> Path:
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def removed(findings: t.Iterable[t.Any]) -> set[str]:
    gone, _kept, errors = apply(findings, check_mode=False)
    assert not errors
    return {os.path.basename(finding.path) for finding in gone}


def test_notes_and_unfinished_files(run: Run) -> None:
    _under_way.begin(run, "build", {"controller": NOBODY}, alone=False)
    _under_way.begin(run, "lint", {"controller": NOBODY}, alone=False)
    _under_way.begin(run, "seal", {"controller": _process.identity(os.getpid())}, alone=False)
    folder = Path(run.path)
    for name in ("build.json", "seal.json"):
        aged(folder / "under_way" / name)
    for name in (".tmp-old", ".tmp-new", "stages/.tmp-a", "workspace/.tmp-a-projects-own"):
        (folder / name).touch()
        if "new" not in name:
            aged(folder / name)
    (folder / "logs/.tmp-link").symlink_to("/etc/passwd")
    rules = Rules(14, 1)
    assert removed(find_killed(str(folder.parent), rules)) == {"build.json", ".tmp-old", ".tmp-a"}
    assert _under_way.names(run) == ["lint", "seal"]
    assert (folder / "workspace/.tmp-a-projects-own").exists() and (folder / "logs/.tmp-link").is_symlink()


def test_a_run_that_was_never_frozen(tmp_path: Path) -> None:
    for name in ("frozen", "not", "else"):
        (tmp_path / name / ("mine" if name == "else" else "stages")).mkdir(parents=True)
    (tmp_path / "frozen/run.json").write_text("{}")
    for path in [*tmp_path.glob("*/*"), *tmp_path.glob("*")]:
        aged(path)
    assert removed(find_runs(str(tmp_path), Rules(14, 1))) == {"not"}


def test_results_of_runs_that_are_gone(tmp_path: Path, run: Run) -> None:
    entries = {"gone": tmp_path / "runs/none", "there": run.path}
    for name, path in entries.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"version": 1, "run": str(path)}))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "link.json").symlink_to("gone.json")
    for name in ("gone", "there", "broken"):
        aged(tmp_path / f"{name}.json")
    assert removed(find_shared(str(tmp_path), Rules(14, 1))) == {"gone.json", "broken.json"}


def test_temporary_files_of_dead_playbooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    dead = 4194305  # more than any process has
    task = f"ansible-tmp-17.5-{dead}-99"
    gone = [
        f"ansible-local-{dead}1234ab_c",
        task,
        "tmp/ansible_x.y.z_payload_ab1_5678",
        "tmp/distrogate-ab1_5678",
        "tmp/distrogate-clean-ab1_5678",
    ]
    results = ["j123.456", "j123.456.tmp", f"progress-{'a' * 16}.json", f"progress-{'a' * 16}.json.heard"]
    stays = [f"ansible-local-{os.getpid()}1234wxyz", f"ansible-tmp-17.5-{os.getpid()}-99", "others"]
    used = f"ansible-tmp-18.5-{dead}-1"
    own = f"ansible-tmp-19.5-{dead}-1"
    for name in (*gone, *stays, used, own):
        (tmp_path / name).mkdir()
        aged(tmp_path / name)
    for name in (*results, "j7.8", "1234", "progress.json"):
        (tmp_path / name).touch()
        aged(tmp_path / name)
    (tmp_path / f"ansible-local-{dead}linklink").symlink_to("/etc")
    (tmp_path / f"ansible-local-{dead}newnewne").mkdir()
    command = ["sh", "-c", "read line", f"{tmp_path}/{used}/module.py", "7.8"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        found = list(find_temporary([str(tmp_path)], Rules(14, 1), f"{tmp_path}/{own}/inner"))
        process.kill()
    assert removed(found) == {os.path.basename(name) for name in (*gone, *results)}


def test_what_python_tries_a_folder_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that was killed in tempfile.gettempdir() leaves it: seen after a kill -9."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name, text in {
        "ggdo2nbr": "blat",
        "abcd_123": "",
        "wxyz5678": "mine",
        "ssh_lock": "",
        "abcdefgh": "blat and more",
    }.items():
        (tmp_path / name).write_text(text)
        aged(tmp_path / name)
    (tmp_path / "linklink").symlink_to("ggdo2nbr")
    assert removed(find_temporary([str(tmp_path)], Rules(14, 1))) == {"ggdo2nbr", "abcd_123"}
