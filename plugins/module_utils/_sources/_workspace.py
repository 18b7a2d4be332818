# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workspace: every project, merged as the queue would merge it, with the same commits every time."""

from __future__ import annotations

import os
import shutil
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._sources._freeze import cached
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import Git
from ansible_collections.distrogate.ci.plugins.module_utils._sources._resolve import bring_all

Heads = dict[str, tuple[Git, str]]  # each project's repository and commit


def merge(git: Git, head: str, change: dict[str, str]) -> str:
    """Merge one change onto ``head`` without a work tree; returns the new head.

    The identity and the date (the later of both parents) are fixed, so the
    same queue gives the same commits. Error ``merge_conflict`` names the files.
    """
    commit = change["commit"]
    if git.contains(head, commit):
        return head
    done = git.call(
        "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", head, commit, check=False
    )
    tree, *files = done.text.rstrip("\0").split("\0")
    if done.status == 1:
        raise DistrogateError(
            "merge_conflict",
            f"Change {change['change_id']} does not merge into {change['project']} {change['branch']}:"
            f" conflict in {', '.join(files) or 'unknown files'}. Rebase the change.",
            files=files,
            change=change,
        )
    if done.status:
        raise DistrogateError(
            "merge_failed", f"Change {change['change_id']} could not be merged: {done.tail(3)}", change=change
        )
    date = max(git.date(head), git.date(commit))
    message = f"Merge change {change['change_id']},{change['patch_set']} into {change['branch']}\n"
    return git.call(
        "commit-tree", tree, "-p", head, "-p", commit, date=date, stdin=message.encode()
    ).text.strip()


def merged_heads(frozen: dict[str, t.Any], cache: str, log: str) -> Heads:
    """Each project's repository and the head that the queue gives it."""
    heads: Heads = {}
    bring_all(frozen, cache, frozen.get("fetched_from") or {})  # it may have been frozen on another machine
    for name, project in frozen["projects"].items():
        git = cached(cache, project["url"])
        git.log = log
        heads[name] = (git, project["base_commit"])
    for change in frozen["queue"]:
        git, head = heads[change["project"]]
        heads[change["project"]] = (git, merge(git, head, change))
    return heads


def describe(git: Git, head: str, project: dict[str, t.Any], path: str) -> dict[str, t.Any]:
    """What a stage needs to know of one checkout; ``count`` rises with every merge."""
    date = git.date(head)
    if not 0 <= date < 1 << 32:
        raise DistrogateError(
            "bad_date", f"Commit {head} has the date {date} (seconds since 1970), which no archive can hold."
        )
    return {
        "path": path,
        "branch": project["branch"],
        "base_commit": project["base_commit"],
        "commit": head,
        "tree": git.tree(head),
        "date": date,
        "count": int(git.value("rev-list", "--count", "--first-parent", head)),
        "packages": project["packages"],
    }


def check_out(git: Git, head: str, target: str) -> None:
    """A checkout of ``head`` at ``target``, which shares objects with the cache; appears by rename."""
    folder, name = os.path.split(target)
    new = os.path.join(folder, f".new-{name}")  # no project's name begins with a dot
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(folder, exist_ok=True)
    git.call("update-ref", f"refs/distrogate/workspaces/{head}", head)  # keeps it from being collected
    git.call(
        "clone", "--quiet", "--shared", "--no-checkout", "--no-tags", "--template=", "--", git.directory, new
    )
    copy = Git(new, git.log)
    copy.call("checkout", "--quiet", "--detach", head)
    shutil.rmtree(target, ignore_errors=True)
    os.rename(new, target)


def prepared_heads(frozen: dict[str, t.Any], cache: str, prepared: str | None, log: str) -> Heads:
    """The heads of checkouts that another system merged; each must hold its changes."""
    heads: Heads = {}
    for name, project in frozen["projects"].items():
        if prepared:
            git = Git(os.path.join(inside(prepared, name), ".git"), log)
            heads[name] = (git, git.value("rev-parse", "--verify", "HEAD^{commit}"))
        else:  # freezing brought them into the cache: the checkouts may be gone
            git = cached(cache, project["url"])
            git.log = log
            heads[name] = (git, frozen["prepared"][name]["commit"])
    for change in frozen["queue"]:
        git, head = heads[change["project"]]
        if not git.contains(head, change["commit"]):
            raise DistrogateError(
                "not_prepared",
                f"The checkout of {change['project']} in {prepared or 'the cache'} does not contain change"
                f" {change['change_id']}.",
            )
    return heads


def prepare(
    frozen: dict[str, t.Any],
    root: str,
    cache: str,
    log: str,
    prepared: str | None = None,
    *,
    source: str | None = None,
) -> dict[str, dict[str, t.Any]]:
    """Check out every project below ``root``; returns project name to its description.

    With ``source`` merge they are merged here. With ``prepared`` the heads are those
    of the checkouts there, or those that were frozen; these are the default where there are any.
    """
    projects = {}
    if prepared and (os.path.realpath(prepared) + "/").startswith(os.path.realpath(root) + "/"):
        raise DistrogateError(
            "bad_prepared", f"{prepared} is the workspace itself, which is made anew. Give another folder."
        )
    if prepared or (source != "merge" and frozen.get("prepared")):
        heads = prepared_heads(frozen, cache, prepared, log)
    else:
        heads = merged_heads(frozen, cache, log)
    for name, (git, head) in heads.items():
        target = inside(root, name)
        check_out(git, head, target)
        projects[name] = describe(git, head, frozen["projects"][name], f"workspace/{name}")
    return projects


def checked_out(root: str, projects: dict[str, dict[str, t.Any]]) -> bool:
    """Whether each project that ``prepare`` described lies at its commit; ``root``: the run directory."""
    for project in projects.values():
        path = inside(root, project["path"])
        if not os.path.isdir(os.path.join(path, ".git")):
            return False
        git = Git(path)
        head = git.call("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False)
        if head.status or head.text.strip() != project["commit"]:
            return False
        if git.call("status", "--porcelain", "--no-renames", check=False).stdout:
            return False
    return True
