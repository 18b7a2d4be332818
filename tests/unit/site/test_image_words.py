# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stage image says: which image it is, why it is that one, and where it lies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROLE = Path(__file__).resolve().parents[3] / "roles/image"
MANY = [f"package:{number}" for number in range(12)]
CASES: dict[str, dict[str, Any]] = {
    "first": {"image_done": {"from": "built", "changed_inputs": []}},
    "changed": {
        "image_done": {"from": "built", "changed_inputs": MANY},
        "image_when_unchanged": "use latest",
    },
    "reused": {"image_done": {"from": "reused", "changed_inputs": []}},
    "taken": {"image_done": {"from": "3.0.0", "changed_inputs": []}, "image_projects": ["other"]},
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """For each case, the line of the output."""
    folder = tmp_path_factory.mktemp("words")
    defaults = {"image_name": "web", "image_projects": ["service"], "image_published": "https://a:pw@host/x"}
    defaults |= {"image_when_unchanged": "build", "ansible_connection": "local"}
    defaults |= {"ansible_python_interpreter": sys.executable}
    defaults["image_begun"] = {"run": {"queue": [{"project": "service"}]}, "stages": {}}
    where = {"image": "/images/web/1f", "files": [{"name": "web.qcow2"}, {"name": "root"}]}
    hosts = {
        name: {**defaults, **case, "image_done": {**where, **case["image_done"]}}
        for name, case in CASES.items()
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    tasks = (ROLE / "tasks/main.yml").read_text()
    says = next(line for line in tasks.splitlines() if "msg:" in line).partition("msg:")[2].strip()
    copy = {"content": json.loads(says), "dest": f"{folder}/{{{{ inventory_hostname }}}}"}
    play = {"hosts": "all", "gather_facts": False, "vars_files": [str(ROLE / "vars/main.yml")]}
    play["tasks"] = [{"ansible.builtin.copy": copy}]
    (folder / "play.yml").write_text(json.dumps([play]))
    argv = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(folder / "hosts.json")]
    done = subprocess.run([*argv, str(folder / "play.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return {name: (folder / name).read_text() for name in CASES}


def test_which_image_it_is_and_why(said: dict[str, str]) -> None:
    where = "It is in /images/web/1f: web.qcow2, root."
    assert said["first"] == f"web was built, since this builder had none of this name. {where}"
    assert said["reused"] == f"web was there already, made of the same inputs. {where}"
    assert "differ from the newest one on this builder: package:0, " in said["changed"]
    assert "package:9 and 2 more. The queue changes service, so that no" in said["changed"]
    assert said["taken"] == (
        f"web is the one that 3.0.0 names at https://host/x: the queue changes none of other. {where}"
    )
