# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Freezing a run: what each name meant at this moment, before any stage begins."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._sources._commits import subject_of
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import Git, checked_ref
from ansible_collections.distrogate.ci.plugins.module_utils._sources._prepared import base_of, bring
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import (
    normal_queue,
    queue_key,
    refuse_nested,
)

_TOOLS = (
    ("git", "--version"),
    ("mmdebstrap", "--version"),
    ("rpm", "--version"),
    ("gpg", "--version"),
)


def cached(cache: str, url: str) -> Git:
    """The bare repository that keeps what was fetched from ``url``."""
    path = os.path.join(cache, hashlib.sha256(url.encode()).hexdigest()[:16] + ".git")
    if not os.path.isdir(path):
        os.makedirs(cache, exist_ok=True)
        with file_lock(os.path.join(cache, "lock")):
            if not os.path.isdir(path):
                shutil.rmtree(path + ".new", ignore_errors=True)  # of a caller that was killed
                Git(cache).call("init", "--quiet", "--bare", path + ".new")
                os.rename(path + ".new", path)
    return Git(path)


def fetch(git: Git, url: str, branch: str, refs: t.Iterable[str]) -> None:
    """Bring a branch and the refs of changes into the cache."""
    if url.startswith("-") or "::" in url:
        raise DistrogateError("bad_url", f"{url!r} is not an address that is fetched from.")
    wanted = [f"+refs/heads/{branch}:refs/distrogate/heads/{branch}"]
    wanted += [f"+{checked_ref(ref)}:refs/distrogate/changes/{ref[5:]}" for ref in refs if ref]
    with file_lock(os.path.join(git.directory, "distrogate.lock")):
        git.call("fetch", "--quiet", "--no-tags", "--end-of-options", url, *wanted)


def tools() -> dict[str, str]:
    """Versions of the tools that a build's result may depend on; absent ones are left out."""
    found = {"python": platform.python_version()}
    for name, option in _TOOLS:
        if shutil.which(name):
            found[name] = _command.run([name, option], timeout=60).text.splitlines()[0].strip()
    return found


def new_path(runs: str, pipeline: str, queue: t.Sequence[dict[str, t.Any]]) -> str:
    """A path for a new run directory: sortable by time, and never used twice."""
    change = normal_queue(queue)[-1]
    name = re.sub(r"[^A-Za-z0-9.-]", "-", f"{change['change_id']}-{change['patch_set']}")[:60]
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    return os.path.join(runs, f"{pipeline}-{name}-{stamp}-{os.urandom(2).hex()}")


def refuse_others(
    frozen: dict[str, t.Any],
    queue: t.Sequence[dict[str, t.Any]],
    projects: dict[str, dict[str, t.Any]],
    settings: dict[str, t.Any],
) -> None:
    """Refuse a run that was frozen with other inputs (reason ``run_frozen``).

    What a branch or ref means now does not matter: it was frozen.
    """
    changes = normal_queue(queue)
    kept = [
        {key: value for key, value in old.items() if key in new and (key != "commit" or new["commit"])}
        for old, new in zip(frozen["queue"], changes)
    ]
    asked = [{key: value for key, value in new.items() if key != "commit" or value} for new in changes]
    differing = [name for name, value in settings.items() if frozen.get(name) != value]
    if kept != asked or len(frozen["queue"]) != len(changes):
        differing.append("queue")
    for name, old in frozen["projects"].items():
        new = projects.get(name) or {}
        if (old["url"], old["packages"]) != (new.get("url"), new.get("packages") or {}):
            differing.append(f"projects.{name}")
    if differing:
        raise DistrogateError(
            "run_frozen",
            f"The run {frozen.get('id')} is frozen with other inputs ({', '.join(differing)})."
            " Give the new run its own run_dir.",
            differing=differing,
        )


def images(rootfs: str | None) -> dict[str, str]:
    """The key of each root filesystem that stages are going to find as ``current``."""
    if not rootfs or not os.path.isdir(rootfs):
        return {}
    links = {name: os.path.join(rootfs, name, "current") for name in sorted(os.listdir(rootfs))}
    return {name: os.readlink(link) for name, link in links.items() if os.path.islink(link)}


def _obtain(git: Git, url: str, change: dict[str, str], checkout: t.Mapping[str, str] | None) -> None:
    """Have a change's commit in the cache, and its id in ``commit``."""
    if checkout and not change["commit"] and change["ref"].startswith("refs/heads/"):
        change["commit"] = checkout["commit"]  # the branch as it is checked out
    if not checkout or not change["commit"]:
        fetch(git, url, change["branch"], [change["ref"]])
    if not change["commit"]:
        change["commit"] = git.value(
            "rev-parse", "--verify", f"refs/distrogate/changes/{change['ref'][5:]}^{{commit}}"
        )


def resolve(
    pipeline: str,
    queue: t.Sequence[dict[str, t.Any]],
    projects: dict[str, dict[str, t.Any]],
    cache: str,
    checkouts: t.Mapping[str, str] | None = None,
) -> dict[str, t.Any]:
    """Fetch every project of the queue and say what each branch and change is now.

    Of a project in ``checkouts`` (name to path) the checkout there is what is tested.

    Returns ``queue`` (each change with its commit, tree and subject), ``queue_key``,
    ``ahead`` (the keys of the changes ahead), ``projects`` (name to url, branch,
    base_commit, base_tree and packages) and, with checkouts, ``prepared``.
    """
    changes = normal_queue(queue)
    frozen: dict[str, dict[str, t.Any]] = {}
    prepared: dict[str, dict[str, str]] = {}
    for change in changes:
        name = change["project"]
        if name not in projects:
            raise DistrogateError(
                "unknown_project", f"The profile knows no project {name!r}. Add it to projects."
            )
        settings = projects[name]
        if name in frozen and frozen[name]["branch"] != change["branch"]:
            raise DistrogateError(
                "two_branches", f"The queue has changes of two branches of {name}; that has no one tree."
            )
        if not isinstance(settings, dict) or not isinstance(settings.get("url"), str):
            raise DistrogateError("bad_project", f"The project {name} has no url. Add projects.{name}.url.")
        git = cached(cache, settings["url"])
        checkout = (checkouts or {}).get(name)
        if checkouts and not checkout:
            raise DistrogateError("not_prepared", f"There is no checkout of {name}, as there is of others.")
        if checkout and name not in prepared:
            prepared[name] = {"path": checkout, "commit": bring(git, checkout)}
        _obtain(git, settings["url"], change, prepared.get(name))
        if git.call("cat-file", "-e", f"{change['commit']}^{{commit}}", check=False).status:
            raise DistrogateError(
                "no_commit",
                f"{name} has no commit {change['commit']} (change {change['change_id']}). Was it deleted?",
            )
        change["commit"] = git.value("rev-parse", "--verify", f"{change['commit']}^{{commit}}")  # not a tag
        change.update(tree=git.tree(change["commit"]), subject=subject_of(git, change["commit"]))
        if name not in frozen:
            head = f"refs/distrogate/heads/{change['branch']}^{{commit}}"
            base = prepared[name]["commit"] if checkout else git.value("rev-parse", "--verify", head)
            frozen[name] = {
                "url": settings["url"],
                "branch": change["branch"],
                "base_commit": base,
                "base_tree": git.tree(base),
                "packages": settings.get("packages") or {},
            }
    refuse_nested(list(frozen))
    for name, tested in prepared.items():
        git = cached(cache, projects[name]["url"])
        own = [change for change in changes if change["project"] == name]
        base = base_of(git, tested["commit"], pipeline, own)
        frozen[name].update(base_commit=base, base_tree=git.tree(base))
    keys = [queue_key(pipeline, changes[: position + 1]) for position in range(len(changes))]
    resolved = {"queue": changes, "queue_key": keys[-1], "ahead": keys[:-1], "projects": frozen}
    return {**resolved, "prepared": prepared} if prepared else resolved
