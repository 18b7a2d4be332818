# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""git_publish under attack: a tag is of its commit or not there, and after the next run all are or none."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import typing as t

from ansible_collections.distrogate.ci.tests.faults.kill import Subject
from ansible_collections.distrogate.ci.tests.faults.repositories import copy_tree
from ansible_collections.distrogate.ci.tests.faults.run import Outcome

REMOTES = ("one", "two")
_RELEASE = {"transaction": "release"}


@dataclasses.dataclass(frozen=True)
class _Operation:
    saved: str
    before: bool  # whether 2.0.0 is there
    after: bool
    options: dict[str, t.Any]
    asked: bool = False


_OPERATIONS = {
    "new": _Operation("whole", False, True, {}, True),
    "named": _Operation("whole", False, True, _RELEASE, True),
    "prepare": _Operation("whole", False, False, {"state": "prepared", **_RELEASE}, True),
    "commit": _Operation("prepared", False, True, {"state": "committed", **_RELEASE}),
    "forget": _Operation("prepared", False, False, {"state": "undone", **_RELEASE}),
    "undo": _Operation("released", True, False, {"state": "undone", **_RELEASE}),
}


def git(folder: pathlib.Path, *arguments: str, date: int = 1_700_000_000) -> str:
    """git as nobody has configured it; its output."""
    person = {
        f"GIT_{who}_{what}": "test@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    dates = {f"GIT_{who}_DATE": f"@{date} +0000" for who in ("AUTHOR", "COMMITTER")}
    alone = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull}
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **alone, **person, **dates}
    argv = ["git", "-C", str(folder), *arguments]
    return subprocess.run(argv, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def make_remote(folder: pathlib.Path, *contents: str) -> list[dict[str, str]]:
    """A bare repository, and an artifact for each of its commits, the oldest first."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
    found, parent = [], ()
    for text in contents:
        path = folder / "text"
        path.write_text(f"{folder.name} {text}")
        blob = git(folder, "hash-object", "-w", "text")
        path.unlink()
        git(folder, "update-index", "--add", "--cacheinfo", f"100644,{blob},text")
        tree = git(folder, "write-tree")
        commit = git(folder, "commit-tree", tree, *parent, "-m", f"Have {text}")
        parent = ("-p", commit)
        git(folder, "update-ref", "refs/heads/main", commit)
        found.append({"name": folder.name, "url": folder.as_uri(), "commit": commit, "tree": tree})
    return found


class Tags(Subject):
    """Two repositories, both of which have the tag 1.0.0, of the first of three commits."""

    module = "git_publish"
    operations = tuple(_OPERATIONS)
    where = "tags"

    def prepare(self) -> None:
        self.root = self.folder / self.where
        self.remotes = self.folder / "remotes"
        self.made = [make_remote(self.remotes / name, "first", "second", "third") for name in REMOTES]
        self.options: dict[str, t.Any] = {}
        self._publish(0, version="1.0.0")
        self._save("whole")
        self._publish(1, **_RELEASE)
        self._save("released")
        self._load("whole")
        self._publish(1, state="prepared", ttl=1 << 30, **_RELEASE)
        self._save("prepared")

    def _publish(self, number: int, **options: t.Any) -> None:
        self.options = {"artifacts": [one[number] for one in self.made], **options}
        self.call()

    def _save(self, name: str) -> None:
        copy_tree(self.root, self.folder / f"saved-{name}")
        copy_tree(self.remotes, self.folder / f"saved-{name}-remotes")

    def _load(self, name: str) -> None:
        copy_tree(self.folder / f"saved-{name}", self.root)
        copy_tree(self.folder / f"saved-{name}-remotes", self.remotes)

    def reset(self, operation: str) -> None:
        it = _OPERATIONS[operation]
        self.before, self.after = (set(REMOTES) if one else set() for one in (it.before, it.after))
        self.options = {"artifacts": [one[1] for one in self.made] if it.asked else [], **it.options}
        self._load(it.saved)

    def arguments(self) -> dict[str, t.Any]:
        return {
            "root": str(self.root),
            "version": "2.0.0",
            "protocols": ["file"],
            "timeout": 20,
            **self.options,
        }

    def look(self) -> set[str]:
        """The remotes that have the tag, which leads to its commit, and to no other object."""
        found = set()
        for number, name in enumerate(REMOTES):
            remote = self.remotes / name
            tags = git(
                remote, "for-each-ref", "--format=%(refname:short) %(objecttype) %(*objectname)", "refs/tags"
            )
            expected = {f"{tag}.0.0 tag {one['commit']}" for tag, one in enumerate(self.made[number], 1)}
            assert set(tags.splitlines()) <= expected, tags
            assert f"1.0.0 tag {self.made[number][0]['commit']}" in tags.splitlines()
            found |= {name} if "2.0.0 " in tags else set()
        return found

    def client(self, seen: set[str], at_rest: bool) -> None:
        """``look`` is by git itself; here the repositories are looked at as a whole."""
        for name in REMOTES if at_rest else ():
            git(self.remotes / name, "fsck", "--connectivity-only")

    def survived(self, done: Outcome) -> None:
        """Remotes are not one: some may have their tag before the others do, until the next run."""
        seen = self.look()
        assert done.status or seen == self.after, f"success, but readers see {sorted(seen)}"
        self.call()
        assert self.look() == self.after, f"after the next run readers see {sorted(self.look())}"
        self.at_rest()
        self.client(seen, at_rest=True)

    def at_rest(self) -> None:
        private = self.root / ".distrogate"
        assert not (private / "scratch").exists()
        waiting = os.listdir(private / "transactions")
        assert waiting == (["release"] if self.options.get("state") == "prepared" else []), waiting
