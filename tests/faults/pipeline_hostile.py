# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes that try to write outside of their workspace: with their tree, their build, and their packages."""

from __future__ import annotations

import hashlib
import os
import pathlib
import stat
import subprocess
import typing as t

from ansible_collections.distrogate.ci.tests.demo import tiny
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, stage_rows
from ansible_collections.distrogate.ci.tests.demo.upstream import Project
from ansible_collections.distrogate.ci.tests.faults.pipeline_site import KilledSite

MADE = "evil-made"  # what every attempt would make
TESTED: dict[str, t.Any] = {
    "check": {"stages": ["workspace", "build", "publish_test", ["install_test", "system_test"]]}
}
# It tries each place, with what a shell can do; RAN shows that it was there.
SCRIPT = """\
#!/bin/sh
echo "RAN: $0 as $(id -u)"
for place in PLACES; do
  echo x 2>/dev/null >"$place/evil-made" || true
  mkdir -p "$place/evil-made.d" 2>/dev/null || true
  ln -sf / "$place/evil-made.link" 2>/dev/null || true
  chmod -R 0777 "$place/canary" 2>/dev/null || true
  rm -rf "$place/canary" 2>/dev/null || true
done
true
"""

Listing = dict[str, tuple[t.Any, ...]]


def listing(folder: pathlib.Path) -> Listing:
    """All that one can see of a folder without changing it."""
    found: Listing = {}
    for path in [folder, *sorted(folder.rglob("*"))] if folder.exists() else []:
        status = path.lstat()
        what: t.Any = ""
        if stat.S_ISLNK(status.st_mode):
            what = os.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            what = hashlib.sha256(path.read_bytes()).hexdigest()
        found[str(path)] = (status.st_mode, status.st_uid, status.st_ino, status.st_mtime_ns, what)
    return found


class Hostile:
    """A site beside a folder that must not change."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.canary = folder / "canary"
        (self.canary / "inner").mkdir(parents=True)
        (self.canary / "file").write_text("mine")
        (self.canary / "inner" / "link").symlink_to("../file")
        self.site = KilledSite(folder / "site")
        self.project = tiny.project_of(self.site)

    def __enter__(self) -> Hostile:
        try:
            self.site.must("prepare", **self.site.variables(TESTED))
            tiny.make_project(self.site)
        except BaseException:
            self.site.end()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.site.end()

    def places(self) -> list[str]:
        """The builder's folders, by every way to them."""
        root = self.site.root
        absolute = [self.folder, self.canary, root, REPOSITORY, self.site.rootfs, pathlib.Path("/")]
        absolute += [root / name for name in ("runs", "store", "keys", "repositories", "leases", "shared")]
        climbing = [f"{'../' * number}." for number in range(1, 12)]
        out = [f"{climb}{self.folder}" for climb in ("../../../..", "/proc/1/root", "/proc/self/root")]
        return [*map(str, absolute), *climbing, *out, "link-out", "debian/link-out"]

    def check(self, change: dict[str, str]) -> tuple[int, pathlib.Path, str]:
        """Status, run directory, and all that the tools said; nothing outside was touched."""
        before, runs = self.outside(), self.site.folders()
        process = self.site.start("check", **self.site.variables(TESTED, distrogate_queue=[change]))
        status = self.site.finish(process)
        (run,) = self.site.folders() - runs
        self.site.wait_for_processes()
        touched = sorted(set(self.outside().items()) ^ set(before.items()))
        assert not touched, f"something outside was touched: {touched}"
        said = "\n".join(path.read_text(errors="replace") for path in sorted((run / "logs").glob("*.log")))
        return status, run, said + self.site.said()

    def outside(self) -> Listing:
        """The canary, what only the site's own playbooks write, and whatever an attempt made anywhere."""
        root = self.site.root
        made = [
            path for path in root.rglob(f"{MADE}*") if not {"workspace", "upper"} & set(path.parts)
        ]  # a sandbox
        made += [path for place in ("/", "/tmp", REPOSITORY, self.folder) for path in _made(place)]
        kept = [self.canary, *(root / name for name in ("repositories/release", "mirrors", "upstream"))]
        found: Listing = {str(path): ("made",) for path in made}
        for folder in [*kept, *(root / "keys").glob("*.pem")]:
            found.update(listing(folder))
        return found

    def by_its_packages(self) -> dict[str, str]:
        """Links in the tree, a build, and maintainer scripts that all try the same."""
        script = SCRIPT.replace("PLACES", " ".join(self.places()))
        work = Project(self.site.root / "upstream", tiny.NAME).work
        for name in ("link-out", "debian/link-out"):
            if not (work / name).is_symlink():
                (work / name).symlink_to(self.canary)
        rules = (
            tiny.RULES + "\noverride_dh_auto_build:\n\tsh ./evil\n\noverride_dh_auto_clean:\n\tsh ./evil\n"
        )
        files = {
            "evil": script,
            "debian/rules": rules,
            "debian/links": f"{self.canary} usr/share/tiny/link-out\n",
            **{
                f"debian/{name}": f"{script}#DEBHELPER#\n"
                for name in ("preinst", "postinst", "prerm", "postrm")
            },
            "tiny": script + tiny.PROGRAM.partition("\n")[2],
        }
        return self.project.propose(1, "Write outside", files)

    def by_its_tree(self, name: str) -> dict[str, str]:
        """A tree with a folder that git itself would not make."""
        git = self.project.git
        git("checkout", "--quiet", "--force", "--detach", "main")
        inner = git("mktree", "--missing").splitlines()[0]
        raw = f"40000 {name}\0".encode() + bytes.fromhex(inner)
        argv = ["git", "hash-object", "-t", "tree", "--literally", "-w", "--stdin"]
        done = subprocess.run(argv, input=raw, cwd=self.project.work, capture_output=True, check=True)
        commit = git("commit-tree", done.stdout.decode().strip(), "-p", "HEAD", "-m", "Evil")
        ref = "refs/changes/02/2/1"
        git("push", "--quiet", "--force", str(self.project.bare), f"{commit}:{ref}")
        return {"project": tiny.NAME, "branch": "main", "ref": ref, "change_id": "2", "patch_set": "1"}


def _made(place: str | pathlib.Path) -> list[pathlib.Path]:
    return sorted(pathlib.Path(place).glob(f"{MADE}*"))


def verdicts(run: pathlib.Path) -> dict[str, str]:
    return {row["stage"]: row["verdict"] for row in stage_rows(run)}
