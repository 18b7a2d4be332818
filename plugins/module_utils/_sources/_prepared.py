# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checkouts that Zuul has merged already: what they are made of, without asking the review system.

Zuul says that a job must not use git's remotes: the checkouts hold the state that is
tested. So the base, too, is found in the checkout: the newest commit of its first parents
that has none of the queue's changes.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import Git

_FARTHEST = 10000  # first parents that are looked at for the base
_MERGED = ("post", "periodic")  # pipelines whose branch has the change already: the base is what is there

Change = t.Mapping[str, str]


def checkout_path(home: str, relative: str, project: str) -> str:
    """The folder of a project's checkout, which must be there."""
    path = inside(os.path.realpath(os.path.expanduser(home)), relative)
    if not os.path.isdir(os.path.join(path, ".git")):
        raise DistrogateError(
            "not_prepared",
            f"There is no checkout of {project} at {path} on the builder. Zuul's role prepare-workspace"
            " brings it there: have the builder in the job's nodeset, or set freeze_prepared to the"
            " folder that has it. To merge here instead, set freeze_checkouts to an empty dictionary.",
        )
    return path


def bring(git: Git, path: str) -> str:
    """Bring what is checked out at ``path`` into the cache; returns that commit."""
    head = Git(path).value("rev-parse", "--verify", "HEAD^{commit}")
    with file_lock(os.path.join(git.directory, "distrogate.lock")):
        wanted = f"+HEAD:refs/distrogate/prepared/{head}"
        git.call("fetch", "--quiet", "--no-tags", "--end-of-options", path, wanted)
    return head


def base_of(git: Git, head: str, pipeline: str, changes: t.Sequence[Change]) -> str:
    """The branch as it was before Zuul merged ``changes``; every one of them must be in ``head``."""
    for change in changes:
        if change["commit"] and not git.contains(head, change["commit"]):
            raise DistrogateError(
                "not_prepared",
                f"The checkout of {change['project']} does not contain change {change['change_id']}, commit"
                f" {change['commit']}. Zuul must merge (merge-mode merge or merge-resolve): commits that it"
                " picks or squashes are not those that were reviewed.",
            )
    if pipeline in _MERGED or not changes:
        return head
    line = git.call("rev-list", "--first-parent", f"--max-count={_FARTHEST}", head).text.split()
    older, newer = len(line), 0  # line[newer] has changes; what has none lies behind it
    while older - newer > 1:
        middle = (older + newer) // 2
        if _has_any(git, line[middle], changes):
            newer = middle
        else:
            older = middle
    if older == len(line):
        raise DistrogateError(
            "not_prepared",
            f"The checkout of {changes[0]['project']} has no commit without the changes of the queue.",
        )
    return line[older]


def _has_any(git: Git, commit: str, changes: t.Sequence[Change]) -> bool:
    return any(git.contains(commit, change["commit"]) for change in changes if change["commit"])
