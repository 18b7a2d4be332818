# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site whose playbooks are started to be killed, and what may be left on it afterwards."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time
import typing as t

from ansible_collections.distrogate.ci.tests.demo import outside, tiny
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, shared_rootfs
from ansible_collections.distrogate.ci.tests.demo.upstream import Project
from ansible_collections.distrogate.ci.tests.faults import pipeline_processes as processes

TTL = 5  # seconds that a lease lasts when nobody renews it
_HANGS = 600.0  # seconds after which a playbook is said to hang
_LATE = 60.0  # seconds until what was left is said to stay
# Ansible's folders of temporary files, all below the site's, so that one can look into them.
_ANSIBLE = ("ANSIBLE_HOME", "ANSIBLE_LOCAL_TEMP", "ANSIBLE_REMOTE_TEMP", "ANSIBLE_ASYNC_DIR", "TMPDIR")
_ALL = ["workspace", "build", "lint", "publish_test", ["install_test", "system_test"], "seal"]
FULL: dict[str, t.Any] = {"check": {"stages": _ALL}, "gate": {"stages": _ALL}}
SHORT: dict[str, t.Any] = {
    "gate": {"stages": ["workspace", "build", "seal"]},
    "post": {
        "stages": ["workspace", "build", "seal", "promote", "mirror_release"],
        "when_tested": ["promote", "mirror_release"],
    },
}


class KilledSite(Site):
    """The local profile, with leases that end soon and pipelines of our own."""

    def __init__(self, root: pathlib.Path) -> None:
        super().__init__(root, shared_rootfs())
        for name in _ANSIBLE:
            (root / "ansible" / name.lower()).mkdir(parents=True, exist_ok=True)
            self.environment[name] = str(root / "ansible" / name.lower())
        self.output = root / "output.log"
        self.promoted = Project(root / "upstream", "promoted")  # what post releases: its main moves

    def variables(self, pipelines: dict[str, t.Any], **more: t.Any) -> dict[str, t.Any]:
        known = tiny.variables(self)["distrogate_projects"]
        url = {"url": str(self.promoted.bare)}
        return {
            "distrogate_projects": {**known, "promoted": {**known[tiny.NAME], **url}},
            "distrogate_pipelines": pipelines,
            "distrogate_te_ttl": TTL,
            "distrogate_promote_policy": {"verdicts": ["build"]},
            "distrogate_lint_suppress": {"lintian": [], "rpmlint": ["info-files-without-install-info"]},
            **more,
        }

    def start(self, name: str, **variables: t.Any) -> subprocess.Popen[bytes]:
        """A playbook in a session of its own; what it says goes to ``output``."""
        path = self.root / "variables.json"
        path.write_text(json.dumps(variables))
        argv = [str(REPOSITORY / ".venv/bin/ansible-playbook"), "-i", str(REPOSITORY / "inventories/local")]
        argv += [f"distrogate.ci.{name}", "-e", f"@{path}"]
        with self.output.open("wb") as output:
            return subprocess.Popen(
                argv,
                env=self.environment,
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def finish(self, process: subprocess.Popen[bytes]) -> int:
        """Its status, once it has ended."""
        try:
            return process.wait(_HANGS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it hangs: {processes.of_site(self.root)}\n{self.said()}") from None

    def must(self, name: str, **variables: t.Any) -> None:
        status = self.finish(self.start(name, **variables))
        assert status == 0, f"{name} ended with status {status}:\n{self.said()}"

    def said(self) -> str:
        return self.output.read_text(errors="replace")[-4000:]

    def folders(self) -> set[pathlib.Path]:
        """All folders of runs, also those in which nothing was written yet."""
        runs = self.root / "runs"
        return set(runs.iterdir()) if runs.is_dir() else set()

    def wait_for_processes(self) -> None:
        """Until all that the killed playbooks left has ended by itself."""
        end = time.monotonic() + _LATE
        while found := processes.of_site(self.root):
            assert time.monotonic() < end, f"these still run: {found}"
            time.sleep(0.1)

    def end(self) -> None:
        """Leave nothing, whatever happened."""
        processes.kill_site(self.root)
        self.remove()


def digest(run: pathlib.Path) -> str:
    return str(json.loads((run / "bundle.json").read_text())["digest"])


def shape(run: pathlib.Path) -> set[str]:
    """What lies in a run directory, without the contents of its workspace, and what each try has anew."""
    found = set()
    for folder, folders, files in os.walk(run):
        relative = pathlib.Path(folder).relative_to(run)
        if relative == pathlib.Path("workspace"):
            folders.clear()
        if relative.parts[:1] not in (("statements",), ("scratch",)):
            found |= {str(relative / name) for name in [*folders, *files]}
    return {name for name in found if name != "scratch" and not name.endswith(".before.log")}


def temporary(site: Site) -> list[str]:
    """Temporary files and folders that nobody removed."""
    root = site.root
    inside = ("ansible/*/*", "runs/*/scratch/*/*", "runs/*/under_way/*.json", "leases/*", "te/*/*")
    found = [path for pattern in inside for path in root.glob(pattern)]
    found += [path for path in root.rglob(".tmp-*") if "mirrors" not in path.parts]
    locks = [path for pattern in ("tmp_*", "*.lock") for path in (root / "git").rglob(pattern)]
    found += [path for path in locks if path.name != "distrogate.lock"]  # of ours, which stays
    found += [path for path in (root / "runs").glob("*") if not (path / "run.json").exists()]
    for entry in (root / "shared").glob("*"):
        known = entry.suffix == ".json" and json.loads(entry.read_text())["run"]
        found += [] if known and pathlib.Path(known).is_dir() else [entry]
    return sorted(str(path.relative_to(root)) for path in found)


def left(site: KilledSite) -> list[str]:
    """All that the janitor should have found, one line each."""
    found = [f"TE {te} is not free" for te in ["te1"] if te not in outside.free_tes(site)]
    found += [f"mounted: {line}" for line in processes.mounts(site.root)]
    return found + [f"left: {name}" for name in temporary(site)]
