# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that the action does itself, or runs in a child, gives what it gives anywhere."""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import as_sent

BIN = pathlib.Path(sys.executable).parent
# A task with an environment is left to the module.
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - block: &tasks
        - distrogate.ci.stage:
            run_dir: {run}
            stage: "{{{{ name }}}}"
            state: started
            settings: {{since: 2026-11-22, 8: eight}}
            reusable: true
          register: began
        - distrogate.ci.stage: {{run_dir: {run}, stage: "{{{{ name }}}}", state: success, facts: {{one: 1}}}}
          register: ended
        - distrogate.ci.run_info: {{run_dir: {run}}}
          register: known
        - distrogate.ci.run_info: {{run_dir: {run}/none}}
          register: no_run
          ignore_errors: true
        - distrogate.ci.sandbox: {{directory: {run}}}
          register: sandbox
          ignore_errors: true
        - distrogate.ci.freeze: {{runs: {run}, pipeline: check, queue: [], projects: {{}}, cache: {run}}}
          register: no_queue
          ignore_errors: true
        - distrogate.ci.package_lint: {{run_dir: {run}, rootfs: {run}/none, stage: lint}}
          register: no_build
          ignore_errors: true
        - distrogate.ci.workspace: {{run_dir: {run}, cache: {run}/cache, unknown: 1}}
          register: bad_option
          ignore_errors: true
        - distrogate.ci.preflight: {{files: {{"{run}/none": make it}}}}
          register: looked
          ignore_errors: true
        - ansible.builtin.copy:
            content: >-
              {{{{ [began, ended, known, no_run, sandbox, no_queue, no_build, bad_option, looked]
              | to_json }}}}
            dest: "{run}/{{{{ name }}}}"
            mode: "0600"
      vars: {{name: near}}
    - block: *tasks
      vars: {{name: far}}
      environment: {{ANY: "1"}}
"""


def test_arguments_are_as_a_module_gets_them() -> None:
    given = {"day": datetime.date(2026, 11, 22), "map": {8: ("a", 1.5, None, True)}}
    assert as_sent(given) == {"day": "2026-11-22", "map": {"8": ["a", 1.5, None, True]}}


def told(run: pathlib.Path, name: str) -> list[dict[str, t.Any]]:
    """The results, without what names the stage, the moment or the process."""
    text = (run / name).read_text().replace(f'"{name}"', '"stage"').replace(f"stage {name}", "stage stage")
    results: list[dict[str, t.Any]] = json.loads(text)
    for result in results:
        for aside in ("invocation", "started_ns", "exception", "stages"):
            result.pop(aside, None)
        for moment in ("seconds", "msg"):
            result.get("stage", {}).pop(moment, None)
        result["msg"] = re.sub(r"[a-z]+ succeeded in [0-9.]+ s", "", result.get("msg", ""))
    return results


def test_near_and_far(tmp_path: pathlib.Path) -> None:
    run = Run(str(tmp_path / "run"))
    run.create({"queue": [1]})
    play = tmp_path / "play.yml"
    play.write_text(PLAY.format(run=run.path))
    argv = [str(BIN / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(play)]
    argv += ["-e", f"ansible_python_interpreter={sys.executable}"]
    given = {**os.environ, "HOME": str(tmp_path), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp")}
    done = subprocess.run(argv, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = pathlib.Path(run.path)
    records = {path.stem: json.loads(path.read_text()) for path in (folder / "stages").glob("*.json")}
    assert records["near"]["facts"] == records["far"]["facts"]
    near, far = told(folder, "near"), told(folder, "far")
    for one, other in zip(near, far):
        assert one == other
    assert near[3]["reason"] == far[3]["reason"] == "no_run"
    assert [result.get("reason") for result in near[4:7]] == ["no_sandbox", "no_queue", "no_rootfs"]
    assert "Unsupported parameters" in near[7]["msg"]
    assert near[8]["reason"] == "preflight" and "make it" in near[8]["missing"][0]
