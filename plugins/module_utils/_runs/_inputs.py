# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inputs of a run that is done again: their form, and which of them are taken over."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]

RELEASING = ("promote", "mirror_release", "reuse")  # a replay proves something; it releases nothing
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_STAGE = re.compile(r"[a-z][a-z0-9_]{0,63}(\.[a-z][a-z0-9_]{0,63}){0,3}")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_CHANGE = ("project", "branch", "ref", "commit", "change_id", "patch_set")
_DEEPEST, _MOST = 8, 1000

# What a site's machines are called, how they are reached, and where things lie on them: never taken from
# another site. Nor is who gets into a TE that is kept.
_OF_A_SITE = re.compile(
    r"ansible_[a-z0-9_]*|(distrogate|system_test)_hold(_person)?"
    r"|distrogate_(archive|gnupg_home|install|leases|make_keys|pipelines|promote_targets|repositories"
    r"|repositories_url|root|root_filesystems|rootfs|signing_key|statement_key|store|te_pool|tes)"
    r"|distrogate_(mirror|sandbox|replay)[a-z0-9_]*"
    r"|(promote|mirror_release|freeze|preflight|pipeline|replay|run_store)_[a-z0-9_]*"
    r"|[a-z0-9_]*_(archive|bind|cache|dir|file|folder|home|host|key|leases|path|pool|prepared|projects|root|rootfs"
    r"|rootfs_deb|rootfs_rpm|store|url)"
)
_PARAMETER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
ABSENT = "(a secret, never written)"


def _wrong(what: str) -> DistrogateError:
    return DistrogateError("bad_run", f"The run cannot be done again: its run.json has no right {what}.")


def flat_stages(stages: t.Any, depth: int = 0) -> list[str]:
    """The names of stages in order, those of groups one after the other."""
    if not isinstance(stages, list) or len(stages) > _MOST or depth > 2:
        raise _wrong("stages")
    names: list[str] = []
    for stage in stages:
        names.extend(flat_stages(stage, depth + 1) if isinstance(stage, list) else [stage])
    if not all(isinstance(name, str) and _STAGE.fullmatch(name) for name in names):
        raise _wrong("stages")
    return names


def _changes(queue: t.Any) -> list[Json]:
    """The queue as freeze takes it, every change by its commit; freeze looks at the names again."""
    if not isinstance(queue, list) or not 0 < len(queue) <= _MOST:
        raise _wrong("queue")
    for change in queue:
        if not isinstance(change, dict) or not _COMMIT.fullmatch(str(change.get("commit", ""))):
            raise _wrong("queue: each change needs its commit")
        if not all(isinstance(change.get(key, ""), str) for key in _CHANGE):
            raise _wrong("queue")
    return [{key: change[key] for key in _CHANGE if change.get(key)} for change in queue]


def _projects(projects: t.Any, queue: list[Json]) -> Json:
    if not isinstance(projects, dict) or set(projects) != {change.get("project") for change in queue}:
        raise _wrong("projects: they are not those of its queue")
    for project in projects.values():
        texts = isinstance(project, dict) and all(
            isinstance(project.get(key), str) for key in ("url", "branch", "base_commit")
        )
        if not texts or not isinstance(project.get("packages") or {}, dict) or not bounded(project):
            raise _wrong("projects")
        if not _COMMIT.fullmatch(project["base_commit"]):
            raise _wrong("projects: a base_commit is no commit id")
    return dict(projects)


def bounded(value: t.Any, depth: int = 0) -> bool:
    """Whether a value is neither deep nor large."""
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        return len(value) <= _MOST and all(bounded(item, depth + 1) for item in value.values())
    if isinstance(value, list):
        return len(value) <= _MOST and all(bounded(item, depth + 1) for item in value)
    return not isinstance(value, str) or len(value) <= 1 << 16


def checked(frozen: Json) -> Json:
    """The inputs of a run in their right form, or an error with the reason ``bad_run``."""
    if frozen.get("version") != 1:
        raise _wrong("version: this code reads 1")
    for name in ("pipeline", "id"):
        if not isinstance(frozen.get(name), str) or not _WORD.fullmatch(frozen[name]):
            raise _wrong(name)
    queue = _changes(frozen.get("queue"))
    for name in ("parameters", "tools", "images", "controller", "repositories"):
        value = frozen.get(name) or {}
        if not isinstance(value, dict) or not bounded(value):
            raise _wrong(name)
    for name in ("profile", "code", "collection"):
        if not isinstance(frozen.get(name, ""), str):
            raise _wrong(name)
    projects = _projects(frozen.get("projects"), queue)
    return {**frozen, "queue": queue, "projects": projects, "stages": flat_stages(frozen.get("stages") or [])}


def stages_of(frozen: Json) -> list[str]:
    """The stages that a replay has: those that only look and make, one after the other."""
    return [stage for stage in dict.fromkeys(frozen["stages"]) if stage not in RELEASING]


def deciding(parameters: Json, stages: t.Iterable[str]) -> Json:
    """The parameters that decide what is done; not those that say where things lie at a site."""
    prefixes = ("distrogate_", *(f"{stage.rpartition('.')[2]}_" for stage in stages))
    return {
        name: value
        for name, value in parameters.items()
        if name.startswith(prefixes)
        and _PARAMETER.fullmatch(name)
        and name not in ("distrogate_projects", "distrogate_profile", "distrogate_queue")
        and not _OF_A_SITE.fullmatch(name)
        and not (isinstance(value, str) and (value.startswith("/") or "://" in value))
        and not _has_note(value)
    }


def _has_note(value: t.Any) -> bool:
    if isinstance(value, dict):
        return any(_has_note(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_note(item) for item in value)
    return bool(value == ABSENT)


def project_settings(frozen: Json) -> Json:
    """How each project of the run is tested, without where it is fetched from."""
    everything = (frozen.get("parameters") or {}).get("distrogate_projects")
    known = everything if isinstance(everything, dict) else {}
    return {
        name: {key: value for key, value in known[name].items() if key != "url" and not _has_note(value)}
        for name in frozen["projects"]
        if isinstance(known.get(name), dict)
    }


def taken_over(frozen: Json, here: Json) -> Json:
    """The variables of a replay: what decided then, and the run's projects, each from this site's address."""
    variables = deciding(frozen.get("parameters") or {}, stages_of(frozen))
    projects = dict(here)
    for name, settings in project_settings(frozen).items():
        if isinstance(here.get(name), dict):
            projects[name] = {**settings, "url": here[name].get("url")}
    return {**variables, "distrogate_projects": projects}
