# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second real input: an OpenStack library's Debian source package through ``check``."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.demo import upstream
from ansible_collections.distrogate.ci.tests.demo.site import (
    REPOSITORY,
    Site,
    must,
    say,
    shared_rootfs,
    stage_rows,
    timed,
)

SOURCE = "stevedore"
VERSION = "4.0.2"  # as in Debian 12
TESTS = [["python3", "-c", "from stevedore import driver, extension, named; print(extension.__file__)"]]
RAN = re.compile(r"^Ran (\d+) tests? in", re.MULTILINE)
TITLE = "An OpenStack library through `check`"


def make_project(site: Site) -> tuple[upstream.Project, str]:
    """The source package as a git project, and where its sources come from."""
    folder = site.root / "upstream"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (f"{SOURCE}.git", f"{SOURCE}-work"):
        shutil.rmtree(folder / name, ignore_errors=True)
    project = upstream.Project(folder, SOURCE)
    try:
        tree, origin = upstream.fetch_source(SOURCE, folder), "Debian's source package, fetched by apt"
    except subprocess.CalledProcessError:
        print(f"This machine's mirror does not keep the sources of {SOURCE}: taking upstream's release.")
        tree, origin = released(folder), f"upstream's release {VERSION}, with packaging of our own"
    project.create({}, tree)
    return project, origin


def released(folder: Path) -> Path:
    """Upstream's source distribution, by pip from its configured index, with our own ``debian/``."""
    tree = folder / "released"
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(tree), f"{SOURCE}=={VERSION}"], check=True)
    tar = ["tar", "--extract", "--no-same-owner", f"--directory={tree}"]  # refuses names that would leave
    subprocess.run([*tar, f"--file={tree / f'{SOURCE}-{VERSION}.tar.gz'}"], check=True)
    unpacked = tree / f"{SOURCE}-{VERSION}"
    shutil.copytree(Path(__file__).parent / SOURCE / "debian", unpacked / "debian")
    return unpacked


def settings(site: Site) -> dict[str, Any]:
    """What the profile says of this project."""
    return {
        "distrogate_projects": {
            SOURCE: {
                "url": str(site.root / "upstream" / f"{SOURCE}.git"),
                "packages": {"deb": True},
                "install_test": TESTS,
                "system_test": TESTS,
            }
        },
    }


def figures(run: Path, origin: str) -> str:
    """Seconds a stage, and what the build did."""
    log = (run / "logs" / "build.log").read_text(errors="replace")
    tests = sum(int(number) for number in RAN.findall(log))
    if not tests:
        raise SystemExit(f"No unit test ran: see {run / 'logs/build.log'}")
    rows = stage_rows(run)
    packages = [
        f"{item['package']} {item['package_version']}"
        for row in rows
        for item in row["artifacts"]
        if "package" in item
    ]
    lines = [[row["stage"], row["verdict"], f"{row['seconds']:.1f}"] for row in rows]
    return f"""\
{SOURCE}, built with its build dependencies, which apt installs into the sandbox, and its unit tests, without
a network. Sources: {origin}.
{report.machine()}. Again: `make test-real`.

{report.table(("stage", "verdict", "seconds"), lines)}

{tests} unit tests ran in the build. Built: {", ".join(packages)}.
"""


def main() -> None:
    """Run check on the library, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY / ".cache/real", help="the folder for everything"
    )
    parser.add_argument("--write", action="store_true", help="write the figures into docs/benchmarks.md")
    options = parser.parse_args()
    site = Site(options.root.resolve(), shared_rootfs())
    site.root.mkdir(parents=True, exist_ok=True)
    say(f"The source package {SOURCE} becomes a git project")
    project, origin = timed(f"imported {SOURCE}", make_project, site)
    change = project.propose(
        1, "Say where this was built", {"README.distrogate": "Tested before it was merged.\n"}
    )
    must(site.playbook("prepare"))
    say("check, with its own build dependencies and unit tests")
    must(site.playbook("check", distrogate_queue=[change], **settings(site)))
    text = figures(site.runs()[-1], origin)
    say("Figures")
    print(text)
    if options.write:
        report.write_section(TITLE, text)


if __name__ == "__main__":
    main()
