# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site would do by hand: the same tools, in the same sandboxes and order, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.tests.benchmarks import by_hand_repositories as repositories
from ansible_collections.distrogate.ci.tests.demo.site import Site

USER = 1000
DATE = "1767225600"
# git sets times in any order, and make would run autoconf again.
MTIME = f"--mtime=@{DATE}"
VERSION = "2.10-3+dg2.hand"
ENTRY = f"""\
hello ({VERSION}) unstable; urgency=medium

  * Built by hand.

 -- A Developer <developer@example.org>  Thu, 01 Jan 2026 00:00:00 +0000

"""
RPM_MACROS = {
    "_topdir": "/build/rpm",
    "_sourcedir": "/build/sources",
    "_srcrpmdir": "/build/out",
    "_rpmdir": "/build/out",
    "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
    "_buildhost": "distrogate",
    "dist": ".dg2.hand",
}


class ByHand:
    """One passage of a change through the stages; ``folder`` keeps everything of it."""

    def __init__(self, site: Site, change: dict[str, str], folder: Path) -> None:
        self.site = site
        self.change = change
        self.folder = folder
        self.tree = folder / "hello"
        self.artifacts = folder / "artifacts"
        self.log = str(folder / "log")
        self.fingerprint = (site.root / "keys/fingerprint").read_text().strip()
        self.gnupg = {**os.environ, "GNUPGHOME": str(site.root / "keys/gnupg")}
        self.artifacts.mkdir(parents=True)

    def stages(self) -> dict[str, Callable[[], None]]:
        """In the order of the pipeline; sealing has no counterpart."""
        return {
            "freeze": self.freeze,
            "workspace": self.workspace,
            "build": self.build,
            "lint": self.lint,
            "publish_test": self.publish,
            "install_test": self.install_test,
            "system_test": self.system_test,
        }

    def box(self, name: str, rootfs: str) -> Sandbox:
        return Sandbox(str(self.folder / name), str(self.site.rootfs / rootfs / "current/rootfs"))

    def call(self, *argv: str, folder: Path | None = None) -> None:
        with open(self.log, "ab") as log:
            subprocess.run(argv, check=True, cwd=folder, env=self.gnupg, stdout=log, stderr=log)

    def freeze(self) -> None:
        """The project's branch and the change, into the repository that is kept from run to run."""
        url = str(self.site.root / "upstream/hello.git")
        refs = ["+refs/heads/main:refs/hand/main", f"+{self.change['ref']}:refs/hand/change"]
        self.call("git", "fetch", "--quiet", "--no-tags", url, *refs, folder=self.cache())

    def cache(self) -> Path:
        """That repository; it is there before the clock runs."""
        path = self.folder.parent / "hello.git"
        if not path.exists():
            subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
        return path

    def workspace(self) -> None:
        """A checkout of the branch with the change merged."""
        self.call("git", "clone", "--quiet", "--shared", "--no-checkout", str(self.cache()), str(self.tree))
        git = ["git", "-c", "user.name=Hand", "-c", "user.email=hand@example.org", "-C", str(self.tree)]
        self.call(*git, "fetch", "--quiet", "origin", "refs/hand/main", "refs/hand/change:refs/hand/change")
        self.call(*git, "checkout", "--quiet", "--detach", "FETCH_HEAD")
        self.call(*git, "merge", "--quiet", "--no-edit", "refs/hand/change")

    def build(self) -> None:
        """Both kinds of packages, the rpm ones signed."""
        changelog = self.tree / "debian/changelog"
        changelog.write_text(ENTRY + changelog.read_text())
        options = {"SOURCE_DATE_EPOCH": DATE, "DEB_BUILD_OPTIONS": f"parallel={os.cpu_count() or 1}"}
        with self.box("deb", "build") as box:
            self.unpack(box, "/build/source", "--create", "--file=-")
            box.run(
                ["dpkg-buildpackage", "--build=binary", "--no-sign", "--sanitize-env"],
                directory="/build/source",
                user=USER,
                environment=options,
                log=self.log,
            )
            box.collect("/build", ["*.deb"], str(self.artifacts))
        with self.box("rpm", "build") as box:
            self.build_rpm(box)
        rpms = [str(path) for path in self.artifacts.glob("*.rpm")]
        defined = ["--define", f"_gpg_name {self.fingerprint}", "--define", "__gpg /usr/bin/gpg"]
        self.call("rpmsign", *defined, "--addsign", *rpms)

    def unpack(self, box: Sandbox, target: str, *options: str) -> None:
        """Bring the checkout into a sandbox."""
        box.run(["install", "--directory", f"--owner={USER}", f"--group={USER}", "/build", target])
        tar = ["tar", MTIME, "--exclude=.git", "--directory", str(self.tree), *options, "."]
        extract = ["tar", "--extract", "--no-same-owner", f"--directory={target}", "--file=-"]
        with subprocess.Popen(tar, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            box.run(extract, user=USER, stdin=process.stdout)

    def build_rpm(self, box: Sandbox) -> None:
        """A source package first, then that rebuilt."""
        macros = [word for name, value in RPM_MACROS.items() for word in ("--define", f"{name} {value}")]
        owner = [f"--owner={USER}", f"--group={USER}"]
        box.run(["install", "--directory", *owner, "/build", "/build/sources", "/build/out"])
        archive = self.folder / "hello-2.10.tar.gz"
        name = "--transform=s,^\\.,hello-2.10,"
        self.call("tar", MTIME, "-C", str(self.tree), "--exclude=.git", name, "-czf", str(archive), ".")
        for source, target in ((archive, archive.name), (self.tree / "rpm/hello.spec", "hello.spec")):
            with source.open("rb") as stream:
                box.run(["dd", f"of=/build/sources/{target}", "status=none"], user=USER, stdin=stream)
        rpmbuild = ["rpmbuild", *macros]
        for argv in (
            ["-bs", "/build/sources/hello.spec"],
            ["--rebuild", "/build/out/hello-2.10-3.dg2.hand.src.rpm"],
        ):
            box.run(
                [*rpmbuild, "--nodeps", *argv],
                user=USER,
                environment={"SOURCE_DATE_EPOCH": DATE},
                log=self.log,
            )
        box.collect("/build/out", ["*.rpm"], str(self.artifacts))

    def lint(self) -> None:
        """lintian and rpmlint, with nobody's own settings."""
        packages = {"lintian": ("--no-cfg", "*.deb"), "rpmlint": ("--verbose", "*.rpm")}
        with self.box("lint", "build") as box:
            for tool, (option, pattern) in packages.items():
                files = [f"/packages/{path.name}" for path in sorted(self.artifacts.glob(pattern))]
                bound = {"/packages": str(self.artifacts)}
                box.run([tool, option, *files], user=USER, binds=bound, check=False, log=self.log)

    def publish(self) -> None:
        """A signed repository of each kind."""
        repositories.publish_apt(self)
        repositories.publish_rpm(self)

    def install_test(self) -> None:
        """Install, run, remove and purge, in a clean root filesystem of each kind."""
        with self.box("install-deb", "install-deb") as box:
            repositories.try_apt(
                self, box, f"hello={VERSION}", [["hello", "--version"], ["hello", "-g", "tested"]], True
            )
        with self.box("install-rpm", "install-rpm") as box:
            repositories.try_dnf(self, box, "hello", [["hello", "--version"], ["hello", "-g", "tested"]])

    def system_test(self) -> None:
        """Install and run on what serves as a TE."""
        with self.box("te", "te") as box:
            repositories.try_apt(self, box, f"hello={VERSION}", [["hello"]], False)

    def remove(self) -> None:
        """Only plain files are left when every sandbox is gone."""
        shutil.rmtree(self.folder)
