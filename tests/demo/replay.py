# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run is done again on another site, from its log bundle alone, and gives the same bundle."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo import tiny
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, must


def log_bundle(run: Path, target: Path) -> Path:
    """What a person downloads; made by hand where the run has no report."""
    if (run / "report.tar.gz").exists():
        shutil.copy(run / "report.tar.gz", target)
    else:
        with tarfile.open(target, "w:gz") as archive:
            archive.add(run / "logs", f"{run.name}/logs")
            archive.add(run / "run.json", f"{run.name}/run.json")
    return target


def inventory(site: Site, variables: dict[str, Any]) -> Path:
    """The local profile of another site, which tests the project in another way."""
    folder = site.root / "inventory"
    shutil.copytree(REPOSITORY / "inventories/local", folder, dirs_exist_ok=True)
    variables["distrogate_projects"]["tiny"]["install_test"] = [["false"]]
    (folder / "group_vars/builders.yml").write_text(json.dumps(variables))
    return folder


def refused(done: subprocess.CompletedProcess[str], *lines: str) -> None:
    assert done.returncode, "a replay with other inputs began"
    assert all(line in done.stdout for line in ("[drift]", *lines)), done.stdout
    assert "freeze" not in done.stdout.replace("was frozen", ""), done.stdout


def replay(site: Site, run: Path) -> str:
    """Do ``run`` again below another root; returns what was said."""
    other = Site(site.root.with_name(f"{site.root.name}-again"), site.rootfs)
    other.remove()
    other.root.mkdir(parents=True)
    try:
        said = must(other.playbook("prepare")).stdout
        folder = inventory(other, tiny.variables(site))
        report = str(log_bundle(run, other.root / "report.tar.gz"))
        drifted = other.playbook("replay", inventory=folder, run=report, distrogate_suite="trixie")
        refused(
            drifted, "parameters.distrogate_suite is trixie here, it was bookworm", "-e accept_drift=true"
        )
        gone = other.playbook("replay", run=report, accept_drift=True)
        refused(gone, "projects.tiny is gone", "add it to distrogate_projects")
        assert other.runs() == []
        done = must(other.playbook("replay", inventory=folder, run=report))
        (again,) = other.runs()
        digests = [json.loads((each / "bundle.json").read_text())["digest"] for each in (run, again)]
        assert digests[0] == digests[1], digests
        frozen = json.loads((again / "run.json").read_text())
        assert frozen["replay_of"] == run.name
        assert frozen["parameters"]["distrogate_root"] == str(other.root)
        return said + drifted.stdout + gone.stdout + done.stdout
    finally:
        other.remove()
