# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commits under test, as artifacts: a bundle says what they are called, and promotion can tag them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._git_address import GIT_ADDRESS
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import Git

_PASSWORD = re.compile(r"^([a-z]+://[^/@:\s]*):[^/@\s]*@")
_LONGEST = 200  # characters of a subject; people are shown it in one line

Json = dict[str, t.Any]


def subject_of(git: Git, commit: str) -> str:
    """The first line of what its author wrote, as one that can be shown anywhere."""
    # Anybody proposes a change, and a bundle with a control character in it is refused.
    text = git.value("show", "--no-patch", "--format=%s", commit)
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def address(url: str) -> str:
    """Where others find a repository: without a password. Empty for what only this host can read."""
    public = f"file://{url}" if url.startswith("/") else _PASSWORD.sub(r"\1@", url)
    return public if GIT_ADDRESS.fullmatch(public) else ""


def commit_artifacts(
    queue: t.Iterable[t.Mapping[str, str]], projects: t.Mapping[str, t.Mapping[str, t.Any]]
) -> list[Json]:
    """The newest commit of each project in a resolved queue: a version is one tag in each repository."""
    newest = {change["project"]: change for change in queue}
    return [
        {
            "type": "git_commit",
            "name": name,
            "url": address(projects[name]["url"]),
            "commit": change["commit"],
            "tree": change["tree"],
            "subject": change["subject"],
            "origin": {"project": name, "commit": change["commit"]},
        }
        for name, change in sorted(newest.items())
        if address(projects[name]["url"])
    ]
