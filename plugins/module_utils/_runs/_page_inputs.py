# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bundle that the run made, and what the run was frozen with."""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_html import (
    Html,
    code,
    digest,
    facts,
    markup,
    table,
    tag,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_model import (
    Json,
    Report,
    items,
    mapping,
    text,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._page_stages import artifact_table, plain

_DEEP = 4


def bundle_section(report: Report) -> Html:
    """Its digest and its artifacts, or that there is none."""
    found = text(report.index.get("bundle")) or text(report.bundle.get("digest"))
    if not found:
        return tag(
            "p", "The run made no bundle: that is the last stage of a run that succeeds.", class_="quiet"
        )
    artifacts = items(report.bundle.get("artifacts"))
    return markup([facts([("Digest", code(found))]), artifact_table("Artifacts of the bundle", artifacts)])


def _queue(frozen: Json) -> Html:
    rows = []
    for one in map(mapping, items(frozen.get("queue"))):
        change = "/".join(text(one.get(key)) for key in ("change_id", "patch_set") if one.get(key))
        commit = digest(one.get("commit"))
        rows.append(
            (text(one.get("project")), text(one.get("branch")), change, commit, text(one.get("subject")))
        )
    return table("The queue", ["Project", "Branch", "Change", "Commit", "Subject"], rows)


def _projects(frozen: Json) -> Html:
    rows = []
    for name, one in mapping(frozen.get("projects")).items():
        known = mapping(one)
        rows.append(
            (
                name,
                text(known.get("branch")),
                digest(known.get("base_commit")),
                digest(known.get("base_tree")),
                text(known.get("url")),
            )
        )
    return table("Projects as they were", ["Project", "Branch", "Commit", "Tree", "From"], rows)


def _leaves(value: object, name: str = "", depth: int = 0) -> list[tuple[str, object]]:
    """A tree of JSON as names with dots, and their values."""
    if isinstance(value, dict) and value and depth < _DEEP:
        return [
            row
            for key in value
            for row in _leaves(value[key], f"{name}.{key}" if name else str(key), depth + 1)
        ]
    if isinstance(value, list) and depth < _DEEP and any(isinstance(one, (dict, list)) for one in value):
        return [
            row for number, one in enumerate(value) for row in _leaves(one, f"{name}[{number}]", depth + 1)
        ]
    return [(name, plain(value))] if value not in ({}, [], None, "") else []


def inputs_section(report: Report) -> Html:
    """Everything that run.json names, with a table for each kind."""
    frozen = report.frozen
    if not frozen:
        return tag("p", "The report has no run.json.", class_="quiet")
    shown = {"queue", "projects", "version", "stages", "id", "ahead"}
    parts: list[object] = [tag("h3", "Commits"), _queue(frozen), _projects(frozen)]
    titles = {
        "tools": "Tools",
        "images": "Images",
        "repositories": "Repositories",
        "parameters": "Parameters",
    }
    for key, title in titles.items():
        rows = _leaves(frozen.get(key))
        parts.append([tag("h3", title), table(title, ["Name", "Value"], rows)] if rows else None)
        shown.add(key)
    rest = [row for key in frozen if key not in shown for row in _leaves(frozen[key], key)]
    return markup([parts, tag("h3", "Other"), table("Other inputs", ["Name", "Value"], rest)])
