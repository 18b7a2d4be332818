# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""debian-minimal by the module disk_image: with a source, a repository and a package; killed three times.

It takes 10 minutes, and fetches 250 MB from the machine's own mirror.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.distrogate.ci.tests.demo.site import say
from ansible_collections.distrogate.ci.tests.faults.images_builds import Builds

SUITE = "bookworm"
KILLS = 3
OLD = "0.1~test"  # of netbase: older than the distribution's, and yet it comes first
CONTROL = f"""\
Package: netbase
Version: {OLD}
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: a package of a test repository
"""


def call(*argv: str, folder: Path | None = None) -> str:
    who = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")
    identity = {f"GIT_{name}": "x@example.org" for name in who}
    environment = {**os.environ, **identity}
    return subprocess.run(
        argv, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout


def make_source(folder: Path) -> tuple[Path, str]:
    """A checkout whose commit is on no branch, as those of a workspace; then its branch moves on."""
    tree = folder / "group" / "demo"
    tree.mkdir(parents=True)
    call("git", "init", "--quiet", "--initial-branch=main", folder=tree)
    (tree / "file").write_text("old\n")
    call("git", "add", "file", folder=tree)
    call("git", "commit", "--quiet", "--message=old", folder=tree)
    call("git", "checkout", "--quiet", "--detach", folder=tree)
    (tree / "file").write_text("under test\n")
    call("git", "commit", "--quiet", "--all", "--message=new", folder=tree)
    return tree, call("git", "rev-parse", "HEAD", folder=tree).strip()


def make_element(folder: Path) -> None:
    """An element that asks for the source; where it says that it lies must not be asked."""
    element = folder / "elements" / "demo"
    element.mkdir(parents=True)
    (element / "element-deps").write_text("source-repositories\n")
    (element / "source-repository-demo").write_text("demo git /opt/demo https://demo.invalid/demo.git main\n")


def make_repository(folder: Path) -> str:
    """A repository of one package, as deb822 text."""
    package = folder / "repository"
    (package / "tree/DEBIAN").mkdir(parents=True)
    (package / "tree/DEBIAN/control").write_text(CONTROL)
    call("dpkg-deb", "--root-owner-group", "--build", "tree", ".", folder=package)
    shutil.rmtree(package / "tree")
    (package / "Packages").write_text(call("apt-ftparchive", "packages", ".", folder=package))
    (package / "Release").write_text(call("apt-ftparchive", "release", ".", folder=package))
    return f"Types: deb\nURIs: file:{package}\nSuites: ./\nTrusted: yes\n"


def options_of(folder: Path) -> dict[str, t.Any]:
    tree, _commit = make_source(folder)
    make_element(folder)
    return {
        "name": "real",
        "builder": "dib",
        "suite": SUITE,
        "elements": ["debian-minimal", "demo"],
        "element_path": [str(folder / "elements")],
        "packages": ["tree"],
        "sources": [str(tree)],
        "repositories": [make_repository(folder)],
        "formats": ["qcow2", "tar"],
    }


def examine(image: Path, commit: str) -> None:
    """What must be in the image."""
    with tarfile.open(image / "real.tar") as archive:

        def text(name: str) -> str:
            stream = archive.extractfile(f"./{name}")
            assert stream
            return stream.read().decode()

        assert text("opt/demo/file") == "under test\n"
        assert commit in text("etc/distrogate-image.json")
        names = set(archive.getnames())
    packages = (image / "packages.json").read_text()
    for wanted in ('"tree"', f'"{OLD}"', '"linux-image-amd64"'):
        assert wanted in packages, wanted
    left = [name for name in names if "distrogate" in name and name != "./etc/distrogate-image.json"]
    assert not left, left
    assert (image / "real.vmlinuz").stat().st_size > 1 << 20 and (
        image / "real.initrd"
    ).stat().st_size > 1 << 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=None, help="where to work; it needs 6 GB")
    parser.add_argument("--kills", type=int, default=KILLS)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="images-dib-", dir=arguments.folder)).resolve()
    try:
        options = options_of(folder)
        commit = call("git", "rev-parse", "HEAD", folder=folder / "group/demo").strip()
        builds = Builds(folder, options)
        begin = time.monotonic()
        image = Path(builds.run()["image"])
        whole = time.monotonic() - begin
        builds.clean()
        examine(image, commit)
        say(f"built in {whole:.0f} s: {', '.join(sorted(os.listdir(image)))}")
        for number in range(arguments.kills):
            builds.options = {**options, "environment": {"TRY": str(number)}}
            seconds = random.uniform(1, 0.9 * whole)
            say(f"killed after {seconds:.0f} s: {builds.kill(seconds)}")
            builds.survived()
        say("the next build finds nothing of them")
        builds.options = {**options, "packages": ["less", "tree"]}
        begin = time.monotonic()
        builds.run()
        builds.clean()
        say(f"with one package more it takes {(time.monotonic() - begin) / whole:.2f} of the time")
    finally:
        subprocess.run(["rm", "-rf", str(folder)], check=False)


if __name__ == "__main__":
    sys.exit(main())
