# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``check`` under ansible-runner, with the layout that AWX uses: a project that the playbook init wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo import tiny
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, must

CHANGE = 4711


def repository(site: Site, folder: Path) -> Path:
    """A site's repository, as init writes it."""
    must(site.playbook("init", dest=str(folder), profile="local"))
    return folder


def layout(site: Site, source: Path, folder: Path, variables: dict[str, Any]) -> None:
    """The private data directory: project/ as if checked out from ``source``, inventory/, env/."""
    shutil.copytree(source, folder / "project")
    shutil.move(folder / "project/inventory", folder / "inventory")  # AWX keeps inventories in its database
    (folder / "env").mkdir()
    venv = REPOSITORY / ".venv"
    names = ("PATH", "HOME", "LANG", "DISTROGATE_ROOT", "DISTROGATE_ROOTFS")
    environment = {name: site.environment[name] for name in names if name in site.environment}
    environment["PATH"] = f"{venv / 'bin'}:{environment['PATH']}"
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(venv / "collections")  # an execution environment has it
    environment["ANSIBLE_CONFIG"] = str(folder / "project/ansible.cfg")
    environment["ANSIBLE_STDOUT_CALLBACK"] = "distrogate.ci.pipeline"  # the runner makes its own of this one
    for name, value in {
        "envvars": environment,
        "extravars": variables,
        "settings": {"idle_timeout": 300, "job_timeout": 600, "suppress_ansible_output": False},
    }.items():
        (folder / "env" / name).write_text(json.dumps(value))


def smoke(site: Site) -> None:
    """A wrapper playbook of a site runs under ansible-runner and ends with a sealed bundle."""
    project = tiny.project_of(site)
    if not project.bare.exists():
        project = tiny.make_project(site)
    change = project.propose(CHANGE, "Run under ansible-runner", {"runner": "1\n"})
    folder = site.root / "runner"
    for old in (folder, site.root / "runner-site"):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(parents=True)
    layout(
        site,
        repository(site, site.root / "runner-site"),
        folder,
        {"distrogate_queue": [change], **tiny.variables(site)},
    )
    before = site.runs()
    runner = str(REPOSITORY / ".venv/bin/ansible-runner")
    argv = [runner, "run", str(folder), "--playbook", "check.yml", "--ident", "smoke"]
    environment = {key: value for key, value in site.environment.items() if not key.startswith("ANSIBLE_")}
    done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, env=environment, check=False)
    status = (folder / "artifacts/smoke/status").read_text()
    assert (done.returncode, status) == (0, "successful"), f"the runner says {status}"
    said = (folder / "artifacts/smoke/stdout").read_text()
    assert "seal             success" in said and "succeeded: " in said, said
    run = next(run for run in site.runs() if run not in before)
    assert json.loads((run / "bundle.json").read_text())["digest"].startswith("sha256:")
    assert json.loads((run / "run.json").read_text())["queue"][0]["change_id"] == str(CHANGE)
    shutil.rmtree(folder)
