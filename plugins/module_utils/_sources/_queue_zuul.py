# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Zuul job's queue: zuul.items, the checkouts that Zuul merged, and zuul.artifacts of the changes ahead.

As "Job Content" in Zuul's documentation has them. An item is a change (``change``
and ``patchset``) or a branch (``newrev``); Gerrit's patchset is a number, that of
GitHub, GitLab and Pagure a commit.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_change
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue_gerrit import (
    branch_change,
    change_ref,
)

Json = dict[str, t.Any]

KIND = "distrogate.ci run"  # metadata.type of what we hand on
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")
_PART = re.compile(r"(?!\.)[A-Za-z0-9._+%@~-]{1,200}")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REFS = {"/pull/": "refs/pull/{}/head", "/merge_requests/": "refs/merge-requests/{}/head"}


def change_of(item: t.Any, projects: t.Collection[str]) -> dict[str, str]:
    """One item in our form; what we do not use, such as its message, is not looked at."""
    if not isinstance(item, dict) or not isinstance(item.get("project"), dict):
        raise DistrogateError("bad_queue", "An item of zuul.items has no project.")
    project = project_name(item["project"], projects)
    if not item.get("change"):
        return _branch(item, project)
    number, patch_set = _plain(item, "change"), _plain(item, "patchset")
    change = {"project": project, "branch": _plain(item, "branch")}
    if _COMMIT.fullmatch(patch_set):
        # Numbers of pull requests begin with 1 in each project; they meet in one queue.
        ref = next((ref for mark, ref in _REFS.items() if mark in str(item.get("change_url", ""))), "")
        change.update(change_id=f"{project}~{number}", patch_set=patch_set[:12], commit=patch_set)
        return normal_change({**change, "ref": ref.format(number)})
    if not _NUMBER.fullmatch(number) or not _NUMBER.fullmatch(patch_set):
        raise DistrogateError(
            "bad_change",
            f"Zuul's change {number!r},{patch_set!r} of {project} is neither Gerrit's nor a commit.",
        )
    commit = item.get("commit_id") or ""
    change.update(change_id=number, patch_set=patch_set, ref=change_ref(number, patch_set), commit=commit)
    return normal_change(change)


def _plain(item: Json, key: str) -> str:
    value = item.get(key)
    if not isinstance(value, (str, int)) or len(str(value)) > 200:
        raise DistrogateError("bad_change", f"An item of zuul.items has no plain {key}.")
    return str(value)


def _branch(item: Json, project: str) -> dict[str, str]:
    """A branch after a push, or as a timer found it."""
    if not item.get("branch"):
        raise DistrogateError(
            "no_branch", f"Zuul's item of {project} is neither a change nor a branch; a tag is not tested."
        )
    branch = _plain(item, "branch")
    if item.get("newrev") or item.get("oldrev"):
        return branch_change(project, branch, item.get("newrev") or "0" * 40, "zuul.newrev")
    return normal_change(
        {
            "project": project,
            "branch": branch,
            "ref": f"refs/heads/{branch}",
            "change_id": f"periodic-{project}",
        }
    )


def project_name(project: Json, projects: t.Collection[str]) -> str:
    """The profile's name of a project of Zuul's: the canonical one where the profile has it."""
    canonical, name = project.get("canonical_name"), project.get("name")
    if isinstance(canonical, str) and canonical in projects:
        return canonical
    if not isinstance(name, str) or len(name) > 300:
        raise DistrogateError("bad_change", "An item of zuul.items has a project without a name.")
    return name


def refuse_strange(zuul: Json, items: t.Sequence[Json]) -> None:
    """The job's own change is among the items; else the queue is that of something else."""
    own = zuul.get("change")
    if own and not any(str(item.get("change")) == str(own) for item in items):
        raise DistrogateError(
            "unclear_queue",
            f"zuul.change is {str(own)[:80]!r}, which is not among zuul.items. Which queue is it?",
        )


def checkouts(items: t.Iterable[Json], zuul: Json, projects: t.Collection[str]) -> dict[str, str]:
    """Where each project was checked out, below the home of the builder's user."""
    known = zuul.get("projects") if isinstance(zuul.get("projects"), dict) else {}
    found: dict[str, str] = {}
    for item in items:
        project = item["project"]
        listed = t.cast("dict[str, t.Any]", known).get(str(project.get("canonical_name")))
        path = project.get("src_dir") or (listed.get("src_dir") if isinstance(listed, dict) else None)
        if not isinstance(path, str):
            raise DistrogateError(
                "bad_queue", f"Zuul does not say where {project.get('name')!r} is (src_dir)."
            )
        if not all(_PART.fullmatch(part) for part in path.split("/")):
            raise DistrogateError(
                "bad_queue", f"Zuul's src_dir {path[:200]!r} is not a path below a home folder."
            )
        name = project_name(project, projects)
        if found.setdefault(name, path) != path:
            raise DistrogateError(
                "bad_queue",
                f"Two projects of the queue are called {name}: {found[name]} and {path}. Give them their"
                " canonical"
                " names in distrogate_projects.",
            )
    return found


def layers(artifacts: t.Any, items: t.Sequence[Json]) -> list[str] | None:
    """``KEY/RUN`` of each change ahead that handed its test repository on; None when nobody handed on any."""
    if not isinstance(artifacts, (list, tuple)):
        return None
    ours = [one for one in artifacts[:10000] if _ours(one)]
    if not ours:
        return None
    places: dict[tuple[str, ...], str] = {}
    for one in ours:
        key, run = str(one["metadata"].get("queue_key")), str(one["metadata"].get("run_id"))
        if not _KEY.fullmatch(key) or not _KEY.fullmatch(run) or ".." in key + run:
            raise DistrogateError(
                "bad_artifact",
                f"What change {str(one.get('change'))[:80]!r} handed on has no good queue_key or run_id.",
            )
        places[_change(one.get("project"), one)] = f"{key}/{run}"
    ahead = [_change(item["project"].get("name"), item) for item in items[:-1]]
    return [places[change] for change in ahead if change in places]


def _ours(artifact: t.Any) -> bool:
    metadata = artifact.get("metadata") if isinstance(artifact, dict) else None
    return isinstance(metadata, dict) and metadata.get("type") == KIND


def _change(project: t.Any, one: Json) -> tuple[str, ...]:
    return (str(project), str(one.get("change")), str(one.get("patchset")))
