# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real git repositories to make queues of."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._sources import _resolve, _workspace

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


class Project:
    """A repository under review: ``main``, and changes under refs/changes/."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._clock = 1_700_000_000
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.base = self.commit({"file": "one\n" * 9, "other": "x\n"})

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        date = f"@{self._clock} +0000"
        environment = {**ENVIRONMENT, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            env=environment,
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def commit(self, files: t.Mapping[str, str | None]) -> str:
        self._clock += 60
        for name, text in files.items():
            path = self.path / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def tree(self, entries: str) -> str:
        """A commit of a tree that no ``git add`` would make; ``entries`` as git-mktree(1) takes them."""
        made = self.git("mktree", "--missing", "-z", stdin=entries.encode())
        return self.git("commit-tree", made, "-p", self.base, stdin=b"x")

    def blob(self, text: str) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=text.encode())

    def propose(self, number: int, commit: str) -> dict[str, str]:
        """Put a commit under review; ``main`` goes back."""
        ref = f"refs/changes/{number:02}/{number}/1"
        self.git("update-ref", ref, commit)
        self.git("reset", "-q", "--hard", self.base)
        return {"project": self.path.name, "branch": "main", "ref": ref, "change_id": str(number)}

    def change(self, number: int, files: t.Mapping[str, str | None]) -> dict[str, str]:
        return self.propose(number, self.commit(files))


class Machine:
    """A builder: its cache and its runs."""

    def __init__(self, folder: pathlib.Path, *projects: Project, packages: t.Any = None) -> None:
        self.folder = folder
        folder.mkdir()
        self.projects = {p.path.name: {"url": f"file://{p.path}", "packages": packages} for p in projects}
        self.cache = str(folder / "cache")

    def freeze(self, *queue: dict[str, str]) -> dict[str, t.Any]:
        return _resolve.resolve("gate", queue, _resolve.Sources(self.projects, self.cache))

    def workspace(self, *queue: dict[str, str], prepared: str | None = None) -> dict[str, dict[str, t.Any]]:
        return self.prepare(self.freeze(*queue), prepared)

    def prepare(self, frozen: dict[str, t.Any], prepared: str | None = None) -> dict[str, dict[str, t.Any]]:
        log = str(self.folder / "log")
        return _workspace.prepare(frozen, str(self.folder / "workspace"), self.cache, log, prepared)
