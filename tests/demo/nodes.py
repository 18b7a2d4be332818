# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stages as nodes of an AWX workflow: each in an execution environment of its own, which ends with it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo import tiny
from ansible_collections.distrogate.ci.tests.demo.runner_smoke import layout, repository
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site

CHANGE = 4712


class Workflow:
    """Nodes that share nothing but the folder ``kept``, and their run's name."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.root = site.root / "nodes"
        self.kept = self.root / "kept"
        self.source = self.root / "site"
        self.run = ""

    def start(self, playbook: str, name: str, **variables: Any) -> subprocess.Popen[bytes]:
        """One node, with a private data directory, a git cache and a run directory of its own."""
        folder = self.root / name
        folder.mkdir(parents=True)
        if self.run:
            variables["run_dir"] = str(folder / "runs" / self.run)
        more = {
            "run_store": str(self.kept),
            "workspace_cache": str(folder / "git"),
            "freeze_root": str(folder),
        }
        layout(self.site, self.source, folder, {**tiny.variables(self.site), **more, **variables})
        environment = {k: v for k, v in self.site.environment.items() if not k.startswith("ANSIBLE_")}
        runner = str(REPOSITORY / ".venv/bin/ansible-runner")
        argv = [runner, "run", str(folder), "--playbook", f"{playbook}.yml", "--ident", "node"]
        return subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, env=environment)

    def end(self, process: subprocess.Popen[bytes], name: str) -> None:
        """The node must succeed; nothing of its machine stays."""
        status = process.wait()
        assert status == 0, f"the node {name} ended with {status}"
        shutil.rmtree(self.root / name)


def artifact_data(folder: Path) -> dict[str, Any]:
    """What a node hands to the next ones in AWX."""
    events = [json.loads(path.read_text()) for path in (folder / "artifacts/node/job_events").glob("*.json")]
    (last,) = [event for event in events if event["event"] == "playbook_on_stats"]
    data: dict[str, Any] = last["event_data"]["artifact_data"]
    return data


def nodes(site: Site) -> None:
    """freeze, then stages one by one, two of them at once; the kept run has them all."""
    flow = Workflow(site)
    shutil.rmtree(flow.root, ignore_errors=True)
    repository(site, flow.source)
    project = tiny.project_of(site)
    if not project.bare.exists():
        project = tiny.make_project(site)
    change = project.propose(CHANGE, "Run as nodes", {"nodes": "1\n"})
    process = flow.start("freeze", "freeze", pipeline="check", distrogate_queue=[change])
    assert process.wait() == 0
    handed = artifact_data(flow.root / "freeze")
    flow.run = Path(handed["run_dir"]).name
    flow.end(process, "freeze")
    for group in (["workspace"], ["build"], ["lint", "publish_test"], ["seal"]):
        started = [(flow.start("stage", stage, stage=stage), stage) for stage in group]
        for node, stage in started:
            flow.end(node, stage)
    run = flow.kept / flow.run
    stages = {path.stem: json.loads(path.read_text()) for path in (run / "stages").glob("*.json")}
    assert set(stages) == {"freeze", "workspace", "build", "lint", "publish_test", "seal"}, sorted(stages)
    assert all(record["verdict"] == "success" for record in stages.values())
    assert (run / "bundle.json").exists()
    assert not (run / "workspace").exists()
    shutil.rmtree(flow.root)
