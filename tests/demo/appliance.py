# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images on this machine: of the very commits under test, booted and deployed before one becomes latest."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo import appliance_site
from ansible_collections.distrogate.ci.tests.demo.appliance_site import APPLIANCE, CLIENT, SERVICE
from ansible_collections.distrogate.ci.tests.demo.demo import table
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, must, say, stage_rows, timed

Change = dict[str, str]
# A share that no machine offers: systemd cannot mount it, and stops in emergency mode.
MOUNT = """\
[Mount]
What=data
Where=/srv/data
Type=9p
"""
NEEDED = """\
[Unit]
Requires=srv-data.mount
After=srv-data.mount
"""
UNITS = "elements/web-appliance/static/etc/systemd/system"
NO_BOOT = {f"{UNITS}/srv-data.mount": MOUNT, f"{UNITS}/local-fs.target.d/data.conf": NEEDED}


class Appliance:
    """The steps, in order; each leaves behind what the next ones need."""

    def __init__(self, site: Site, more: dict[str, Any]) -> None:
        self.site, self.more = site, more
        self.inventory = Path()
        self.said = ""

    def pipeline(self, name: str, change: Change, fails: bool = False) -> Path:
        """Run a pipeline of a change; its run directory."""
        before = set(self.site.runs())
        done = self.site.playbook(name, inventory=self.inventory, distrogate_queue=[change], **self.more)
        assert (done.returncode != 0) == fails, f"{name} ended with status {done.returncode}"
        self.said = done.stdout
        return next(run for run in self.site.runs() if run not in before)

    def latest(self) -> str:
        """The key of the image that the channel has; empty when there is none."""
        link = self.site.root / "repositories/images" / APPLIANCE / "latest"
        return json.loads((link / f"{APPLIANCE}.image.json").read_text())["key"] if link.is_symlink() else ""

    def prepared(self) -> None:
        """The site and its projects."""
        say("playbook init writes a site of the profile appliance; this machine is all of its hosts")
        self.inventory = appliance_site.write_inventory(self.site)
        self.projects = timed("fetched and imported waitress", appliance_site.make_projects, self.site)
        must(self.site.playbook("prepare", inventory=self.inventory, **self.more))

    def service_changes(self) -> None:
        """A change to the service is tested in an image of its own, which becomes latest."""
        project = self.projects[SERVICE]
        marked = project.read("src/waitress/__init__.py") + '\n__built_by__ = "distrogate"\n'
        change = project.propose(1, "Say who built it", {"src/waitress/__init__.py": marked})
        say("check: a change to the service, so an image is built, booted, and deployed on a TE")
        run = self.pipeline("check", change)
        assert facts(run, "image")["from"] == "built", facts(run, "image")
        say("gate: the same commits, so the image is there already")
        run = self.pipeline("gate", change)
        key = facts(run, "image")["key"]
        assert facts(run, "image")["from"] == "reused", facts(run, "image")
        assert self.latest() != key, "latest moved before the change was merged"
        self.booted_before_latest(run)
        project.merge(change)
        say("post: what the gate tested becomes latest")
        post = self.pipeline("post", change)
        assert [row["stage"] for row in stage_rows(post)] == ["freeze", "reuse", "promote"]
        assert self.latest() == key, f"latest is {self.latest()}, and not {key}"

    def booted_before_latest(self, run: Path) -> None:
        """The verdict about exactly this image is there, and the channel has not moved."""
        row = next(row for row in stage_rows(run) if row["stage"] == "image_boot_test")
        assert row["verdict"] == "success", row
        had = self.latest() or "nothing"
        took = "in the check before" if row["reused"] else f"in {row['seconds']:.1f} s"
        print(f"         booted {took}; until the change is merged, latest is {had}")

    def other_project_changes(self) -> None:
        """A change to another project is tested on the latest image, and says so."""
        before = self.latest()
        change = self.projects[CLIENT].propose(2, "Explain the client", {"README": "Asks an appliance.\n"})
        say("check: a change to the client, which is not in the image, so latest is taken")
        run = self.pipeline("check", change)
        assert facts(run, "image")["key"] == before
        assert facts(run, "image")["from"] == "latest", facts(run, "image")

    def does_not_boot(self) -> None:
        """An image that does not boot stops at the boot test, and latest stays."""
        before = self.latest()
        change = self.projects[APPLIANCE].propose(3, "Need a share for data", NO_BOOT)
        say("check: a change to the appliance that does not boot")
        run = self.pipeline("check", change, fails=True)
        failed = [row["stage"] for row in stage_rows(run) if row["verdict"] == "failure"]
        assert failed == ["image_boot_test"], failed
        self.projects[APPLIANCE].merge(change)
        say("post: merged without a gate by mistake, and refused all the same")
        run = self.pipeline("post", change, fails=True)
        assert not [row for row in stage_rows(run) if row["stage"] == "promote"], "it was promoted"
        assert self.latest() == before, "latest moved to an image that does not boot"
        print(f"         latest is still {before}")


def facts(run: Path, stage: str) -> dict[str, Any]:
    """What a stage said."""
    return next(row["facts"] for row in stage_rows(run) if row["stage"] == stage)


def main() -> None:
    """Run the demonstration, or remove what it made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY / ".cache/appliance", help="the folder for everything"
    )
    parser.add_argument("--clean", action="store_true", help="remove what it made")
    options = parser.parse_args()
    site = Site(options.root.resolve())
    if options.clean:
        site.remove()
        return
    site.root.mkdir(parents=True, exist_ok=True)
    runs, began = set(site.runs()), time.monotonic()
    demo = Appliance(site, {})
    for step in (demo.prepared, demo.service_changes, demo.other_project_changes, demo.does_not_boot):
        step()
    table(site, [run for run in site.runs() if run not in runs], time.monotonic() - began)


if __name__ == "__main__":
    main()
