# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each branch and change of a queue is now; or what it was, for a run that is done again."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources._commits import subject_of
from ansible_collections.distrogate.ci.plugins.module_utils._sources._freeze import (
    bring,
    cached,
    fetch,
    has_commit,
)
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import Git
from ansible_collections.distrogate.ci.plugins.module_utils._sources._prepared import base_of
from ansible_collections.distrogate.ci.plugins.module_utils._sources._prepared import bring as bring_checkout
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import (
    normal_queue,
    queue_key,
    refuse_nested,
)

Json = dict[str, t.Any]


class Sources:
    """Where the projects of a run come from.

    ``bases`` are the commits that their branches had, for a run that is done again;
    ``addresses`` are where this site fetches a project that its run knows under another url;
    ``checkouts`` are paths of what another system has merged: with any, all projects have one, that is
    what is tested, and nobody is asked for more. ``prepared`` then says what was there.
    """

    def __init__(
        self,
        projects: t.Mapping[str, t.Any],
        cache: str,
        bases: t.Mapping[str, str] | None = None,
        addresses: t.Mapping[str, str] | None = None,
        checkouts: t.Mapping[str, str] | None = None,
    ) -> None:
        self._projects = projects
        self.cache = cache
        self._bases = dict(bases or {})
        self._addresses = dict(addresses or {})
        self._checkouts = dict(checkouts or {})
        self.prepared: dict[str, dict[str, str]] = {}

    def settings(self, name: str) -> Json:
        """What the profile says of a project."""
        if name not in self._projects:
            raise DistrogateError(
                "unknown_project", f"The profile knows no project {name!r}. Add it to projects."
            )
        settings = self._projects[name]
        if not isinstance(settings, dict) or not isinstance(settings.get("url"), str):
            raise DistrogateError("bad_project", f"The project {name} has no url. Add projects.{name}.url.")
        return settings

    def branch_itself(self, name: str, branch: str) -> Json:
        """A project that no change belongs to, in the form of a change."""
        ref = f"refs/heads/{branch}"
        return {"project": name, "branch": branch, "ref": ref, "commit": self._bases.get(name, "")}

    def git(self, change: Json) -> Git:
        """The cache of the change's project, with what the change needs."""
        name, url = change["project"], self.settings(change["project"])["url"]
        git, address = cached(self.cache, url), str(self._addresses.get(name, url))
        if self._checkouts:
            self._check_out(git, change)
        if name in self.prepared and change["commit"]:
            return git
        if name in self._bases and change["commit"]:
            wanted = (self._bases[name], change["commit"])
            bring(git, address, wanted, change["branch"], [change["ref"]])
        else:
            fetch(git, address, change["branch"], [change["ref"]])
        return git

    def _check_out(self, git: Git, change: Json) -> None:
        name = change["project"]
        if name not in self._checkouts:
            raise DistrogateError("not_prepared", f"There is no checkout of {name}, as there is of others.")
        if name not in self.prepared:
            path = self._checkouts[name]
            self.prepared[name] = {"path": path, "commit": bring_checkout(git, path)}
        if not change["commit"] and change["ref"].startswith("refs/heads/"):
            change["commit"] = self.prepared[name]["commit"]  # the branch as it is checked out

    def base(self, git: Git, change: Json) -> str:
        """The commit that the change's branch has, or had; for a checkout, what it has now."""
        name = change["project"]
        if name in self.prepared:
            return self.prepared[name]["commit"]
        if name not in self._bases:
            return git.value("rev-parse", "--verify", f"refs/distrogate/heads/{change['branch']}^{{commit}}")
        if not has_commit(git, self._bases[name]):
            raise DistrogateError(
                "no_commit",
                f"{name} has no commit {self._bases[name]}, on which the run was made. Was it deleted?",
            )
        return git.value("rev-parse", "--verify", f"{self._bases[name]}^{{commit}}")


def _settle(git: Git, change: Json) -> None:
    """Give a change its commit, tree and subject."""
    if not change["commit"]:
        change["commit"] = git.value(
            "rev-parse", "--verify", f"refs/distrogate/changes/{change['ref'][5:]}^{{commit}}"
        )
    if not has_commit(git, change["commit"]):
        raise DistrogateError(
            "no_commit",
            f"{change['project']} has no commit {change['commit']} (change {change['change_id']})."
            " Was it deleted?",
        )
    change["commit"] = git.value("rev-parse", "--verify", f"{change['commit']}^{{commit}}")  # not a tag
    change.update(tree=git.tree(change["commit"]), subject=subject_of(git, change["commit"]))


def _described(sources: Sources, git: Git, change: Json) -> Json:
    base = sources.base(git, change)
    settings = sources.settings(change["project"])
    return {
        "url": settings["url"],
        "branch": change["branch"],
        "base_commit": base,
        "base_tree": git.tree(base),
        "packages": settings.get("packages") or {},
    }


def _beside(sources: Sources, more: t.Iterable[str], branch: str) -> dict[str, Json]:
    """Projects that the queue does not change, as their branch is."""
    found = {}
    for name in more:
        itself = sources.branch_itself(name, branch)
        found[name] = _described(sources, sources.git(itself), itself)
    return found


def resolve(
    pipeline: str, queue: t.Sequence[Json], sources: Sources, more_projects: t.Sequence[str] = ()
) -> Json:
    """Fetch every project of the queue and say what each branch and change is now.

    ``more_projects`` are in the workspace whether the queue changes them or not.

    Returns ``queue`` (each change with its commit, tree and subject), ``queue_key``,
    ``ahead`` (the keys of the changes ahead), ``projects`` (name to url, branch,
    base_commit, base_tree and packages) and, with checkouts, ``prepared``.
    """
    changes: list[Json] = [dict(change) for change in normal_queue(queue)]
    frozen: dict[str, Json] = {}
    for change in changes:
        name = change["project"]
        sources.settings(name)
        if name in frozen and frozen[name]["branch"] != change["branch"]:
            raise DistrogateError(
                "two_branches", f"The queue has changes of two branches of {name}; that has no one tree."
            )
        git = sources.git(change)
        _settle(git, change)
        if name not in frozen:
            frozen[name] = _described(sources, git, change)
    more = [name for name in dict.fromkeys(more_projects) if name not in frozen]
    frozen.update(_beside(sources, more, changes[-1]["branch"]))
    refuse_nested(list(frozen))
    for name, tested in sources.prepared.items():
        git = cached(sources.cache, frozen[name]["url"])
        own = [change for change in changes if change["project"] == name]
        base = base_of(git, tested["commit"], pipeline, own)
        frozen[name].update(base_commit=base, base_tree=git.tree(base))
    keys = [queue_key(pipeline, changes[: position + 1]) for position in range(len(changes))]
    resolved = {"queue": changes, "queue_key": keys[-1], "ahead": keys[:-1], "projects": frozen}
    return {**resolved, "prepared": sources.prepared} if sources.prepared else resolved


def bring_all(
    frozen: Json, cache: str, addresses: t.Mapping[str, str], ask: bool = True
) -> list[tuple[str, str, str]]:
    """Have every commit of a frozen run in the cache; returns those that cannot be had.

    Each as project, commit, and what it is. Without ``ask`` no server is asked.
    """
    gone = []
    for name, project in frozen["projects"].items():
        git, address = cached(cache, project["url"]), addresses.get(name, project["url"])
        changes = [change for change in frozen["queue"] if change["project"] == name]
        wanted = {project["base_commit"]: "base"}
        wanted.update((change["commit"], f"change {change['change_id']}") for change in changes)
        refs = [change["ref"] for change in changes if change.get("ref")]
        if ask:
            bring(git, address, wanted, project["branch"], refs)
        gone += [(name, commit, what) for commit, what in wanted.items() if not has_commit(git, commit)]
    return gone
