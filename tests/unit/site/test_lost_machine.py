# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine of a TE that does not answer fails its test; the builder goes on, to a record and a report."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import yaml

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]


def test_the_builder_goes_on(tmp_path: pathlib.Path) -> None:
    tasks = yaml.safe_load((REPOSITORY / "roles/system_test/tasks/machine.yml").read_text())
    block = next(task for task in tasks if "block" in task)["block"]
    block[0]["distrogate.ci.package_test"] = {"trials": []}
    told = "{{ ansible_failed_result.msg }}, failed: {{ system_test_done is failed }}"
    rescue = [{"name": "Tell", "ansible.builtin.copy": {"content": told, "dest": str(tmp_path / "told")}}]
    play = {
        "hosts": "builder",
        "gather_facts": False,
        "vars": {"system_test_machine": {"key": "lost"}},
        "tasks": [{"name": "Use it", "block": block, "rescue": rescue}],
    }
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    local = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
    hosts = f"builder {local}\nlost ansible_host=127.0.0.1 ansible_port=1\n"
    (tmp_path / "hosts").write_text(hosts)
    (tmp_path / "ansible.cfg").touch()
    (tmp_path / "home").mkdir()
    program = pathlib.Path(sys.executable).parent / "ansible-playbook"
    known = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        [str(program), "-i", "hosts", "play.yml"],
        cwd=tmp_path,
        env={**known, "ANSIBLE_CONFIG": "ansible.cfg", "HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    said = (tmp_path / "told").read_text()
    assert said.startswith("lost does not answer any more: ") and said.endswith("failed: True"), said
