# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not at this site as a run had it."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._runs._drift import GONE, compare, row
from ansible_collections.distrogate.ci.plugins.module_utils._runs._inputs import (
    deciding,
    flat_stages,
    project_settings,
    stages_of,
)

Json = dict[str, t.Any]
SECTIONS = ("code", "collection", "controller", "images", "tools")


class Site(t.NamedTuple):
    """What this site has."""

    here: Json
    projects: Json
    pipelines: Json
    gone: list[list[str]]  # project, commit, what it is


def _projects(frozen: Json, site: Site) -> list[Json]:
    hint = "add it to distrogate_projects"
    rows = [
        row(f"projects.{name}", project["url"], "", GONE, hint)
        for name, project in frozen["projects"].items()
        if not isinstance(site.projects.get(name), dict) or not site.projects[name].get("url")
    ]
    for name, commit, what in site.gone:
        hint = f"push commit {commit} ({what}) to {site.projects[name]['url']} again"
        rows.append(row(f"commits.{name}", commit, "", GONE, hint))
    return rows


def _stages(frozen: Json, site: Site) -> list[Json]:
    known: set[str] = set()
    for pipeline in site.pipelines.values():
        if isinstance(pipeline, dict):
            known.update(flat_stages(pipeline.get("stages") or []))
    hint = "name it in a pipeline of distrogate_pipelines, if this site is to run it"
    return [row(f"stages.{name}", name, "", GONE, hint) for name in stages_of(frozen) if name not in known]


def _parameters(frozen: Json, site: Site) -> list[Json]:
    """Those that decide, and are not as they were although they were taken over: extra variables win."""
    stages = stages_of(frozen)
    old = deciding(frozen.get("parameters") or {}, stages)
    here = site.here.get("parameters") or {}
    rows = compare(
        {"parameters": old}, {"parameters": {name: here.get(name) for name in old}}, ("parameters",)
    )
    current = {"parameters": {"distrogate_projects": site.projects}, "projects": frozen["projects"]}
    for name, settings in project_settings(frozen).items():
        if name in site.projects and project_settings(current).get(name) != settings:
            rows.append(
                row(f"parameters.distrogate_projects.{name}", settings, project_settings(current).get(name))
            )
    return rows


def _repositories(frozen: Json, site: Site) -> list[Json]:
    """The test repositories of the changes ahead; release repositories are not read by a replay."""
    hint = "do the run of that change again first, or accept that there is no layer"
    rows = []
    for name, old in (frozen.get("repositories") or {}).items():
        if not name.startswith("test/") or not isinstance(old, dict):
            continue
        new = site.here["repositories"].get(name) or {}
        if new.get("state_digest", "") != old.get("state_digest", ""):
            digests = (old.get("state_digest", ""), new.get("state_digest", ""))
            rows.append(row(f"repositories.{name}", *digests, hint=hint))
    return rows


def differences(frozen: Json, site: Site) -> list[Json]:
    """Every input that is gone or differs, those that are gone first."""
    rows = _projects(frozen, site) + _stages(frozen, site) + _repositories(frozen, site)
    rows += compare(frozen, site.here, SECTIONS)
    if not frozen.get("code"):
        hint = "what else differs cannot be told: it was frozen by an earlier version"
        rows.append(row("code", "nothing", site.here["code"], hint=hint))
    rows += _parameters(frozen, site)
    return sorted(rows, key=lambda each: each["kind"] != GONE)
