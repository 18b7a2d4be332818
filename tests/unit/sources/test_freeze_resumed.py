# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A freeze that was killed after it wrote run.json, and before its record, is made good."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run

MODULE = pathlib.Path(__file__).resolve().parents[3] / "plugins/modules/freeze.py"


def git(folder: pathlib.Path, *words: str) -> None:
    names = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **names, "HOME": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)


def freeze(folder: pathlib.Path, **more: t.Any) -> dict[str, t.Any]:
    change = {"project": "a", "branch": "main", "ref": "refs/heads/main", "change_id": "1", "patch_set": "1"}
    arguments = {
        "run_dir": str(folder / "run"),
        "pipeline": "check",
        "queue": [change],
        "projects": {"a": {"url": str(folder / "a"), "packages": {"deb": True}}},
        "cache": str(folder / "cache"),
        **more,
    }
    argv = [sys.executable, str(MODULE), json.dumps({"ANSIBLE_MODULE_ARGS": arguments})]
    done = subprocess.run(argv, env=dict(os.environ), capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout
    result: dict[str, t.Any] = json.loads(done.stdout)
    return result


def test_made_good(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").mkdir()
    git(tmp_path / "a", "init", "-q", "-b", "main")
    git(tmp_path / "a", "commit", "-q", "--allow-empty", "-m", "first")
    freeze(tmp_path)
    run = Run(str(tmp_path / "run"))
    whole = run.stage("freeze")
    assert whole is not None and [one["type"] for one in whole["artifacts"]] == ["git_commit"]
    freeze(tmp_path)
    assert run.stage("freeze") == whole  # the first one's stays
    os.unlink(run.file("stages", "freeze.json"))
    freeze(tmp_path, _ansible_check_mode=True)
    assert run.stage("freeze") is None
    assert freeze(tmp_path)["stage"]["verdict"] == "success"
    again = run.stage("freeze")
    assert again is not None and again["artifacts"] == whole["artifacts"]
