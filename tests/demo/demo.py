# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One change through every stage on this machine, from a real source package to a mirrored release."""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path

from ansible_collections.distrogate.ci.tests.demo import proof, services, upstream
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, must, say, stage_rows, timed
from ansible_collections.distrogate.ci.tests.tools.ports import free_port

GREETING = "src/hello.c"


def make_project(site: Site) -> upstream.Project:
    """Debian's hello as a git project, with fully unpacked sources, and a spec of the same sources."""
    folder = site.root / "upstream"
    shutil.rmtree(folder / "hello.git", ignore_errors=True)
    shutil.rmtree(folder / "hello-work", ignore_errors=True)
    project = upstream.Project(folder, "hello")
    project.create({"rpm/hello.spec": upstream.SPEC}, upstream.fetch_source("hello", folder))
    return project


def edited(project: upstream.Project, line: str) -> dict[str, str]:
    """A change that a user can see: one more line in the NEWS."""
    return {"NEWS": f"{line}\n\n{project.read('NEWS')}"}


def authors(project: upstream.Project, line: str) -> dict[str, str]:
    """A change of another file, so that it merges with the first."""
    return {"AUTHORS": f"{project.read('AUTHORS')}\n{line}\n"}


def run_demo(site: Site) -> None:
    """check, gate of two changes, post of both, and once with a tree that differs."""
    say("A real source package becomes a git project")
    project = timed("fetched and imported hello", make_project, site)
    first = project.propose(1, "Say in the news what is new", edited(project, "Tested before it was merged."))
    second = project.propose(2, "Thank the reviewers", authors(project, "Reviewed by many."))
    third = project.propose(3, "Explain the demo", {"README-demo": "A change that meets another one.\n"})

    say("This machine becomes builder, repository host, TE host and two mirrors")
    must(site.playbook("prepare"))
    with site.mirrors():
        say("check: change 1 alone")
        must(site.playbook("check", distrogate_queue=[first]))
        say("gate: change 1, then change 2 on top of it")
        must(site.playbook("gate", distrogate_queue=[first]))
        must(site.playbook("gate", distrogate_queue=[first, second]))
        say("post: change 1 is merged; then change 2; the gate tested exactly these trees")
        for change in (first, second):
            project.merge(change)
            must(site.playbook("post", distrogate_queue=[change]))
        say("post: change 3 is merged without a gate, so it is built and tested again")
        project.merge(third)
        must(site.playbook("post", distrogate_queue=[third]))
    prove(site)


def prove(site: Site) -> None:
    """Install from both mirrors, as a user does."""
    say("Real apt-get and real dnf install from the mirrors, signatures checked")
    for number in (1, 2):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        with services.web_server(site.mirror(number), port, site.root / "mirrors" / "web.log"):
            key = (site.mirror(number) / "apt" / "key.asc").read_text()
            deb = timed(
                f"apt-get from mirror {number}", proof.apt_installs, site, url, "bookworm", key, "hello"
            )
            rpm = timed(f"dnf from mirror {number}", proof.dnf_installs, site, url, "hello")
            print(f"         mirror {number} gave hello {deb} (deb) and {rpm} (rpm)")


def table(site: Site, runs: list[Path], seconds: float) -> None:
    """All runs, and where they lie."""
    say("What was done")
    print(f"{'run':42}  {'stage':15} {'verdict':8} {'seconds':>8}")
    for run in runs:
        name = run.name
        for row in stage_rows(run):
            print(f"{name:42}  {row['stage']:15} {row['verdict']:8} {row['seconds']:8.1f}")
            name = ""
    print(f"\n{len(runs)} runs, {seconds:.0f} s in all")
    print(f"run directories: {site.root / 'runs'}")
    print(f"logs:            {site.root / 'runs'}/*/logs")
    print(f"repositories:    {site.root / 'repositories'}")
    print(f"mirrors:         {site.root / 'mirrors'}")


def main() -> None:
    """Run the demo, or remove what it made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=REPOSITORY / ".demo", help="the folder for everything")
    parser.add_argument("--clean", action="store_true", help="remove what the demo made")
    options = parser.parse_args()
    site = Site(options.root.resolve())
    if options.clean:
        site.remove()
        return
    site.root.mkdir(parents=True, exist_ok=True)
    before = set(site.runs())
    began = time.monotonic()
    run_demo(site)
    table(site, [run for run in site.runs() if run not in before], time.monotonic() - began)


if __name__ == "__main__":
    main()
