# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The queue in its one normal form, with every name that a stranger chose checked."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import (
    checked_commit,
    checked_ref,
    well_formed,
)

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~:/+-]{0,127}")
KEYS = ("project", "branch", "ref", "commit", "change_id", "patch_set")


def _text(change: dict[str, t.Any], key: str, pattern: re.Pattern[str]) -> str:
    value = str(change.get(key) or "")
    if not pattern.fullmatch(value) or ".." in value or (key == "branch" and not well_formed(value)):
        raise DistrogateError(
            "bad_change", f"A change's {key} is {value[:200]!r}; expected {pattern.pattern}.", change=change
        )
    return value


def normal_change(change: dict[str, t.Any]) -> dict[str, str]:
    """One change: project, branch, ref, commit, change_id, patch_set; unknown keys are refused."""
    unknown = sorted(set(change) - set(KEYS))
    if unknown:
        raise DistrogateError(
            "bad_change", f"A change has unknown keys: {', '.join(unknown)[:200]}.", change=change
        )
    normal = {
        "project": _text(change, "project", _PROJECT),
        "branch": _text(change, "branch", _BRANCH),
        "change_id": _text(change, "change_id", _IDENTIFIER),
        "patch_set": _text({"patch_set": change.get("patch_set", 1)}, "patch_set", _IDENTIFIER),
        "ref": checked_ref(str(change["ref"])) if change.get("ref") else "",
        "commit": checked_commit(str(change["commit"])) if change.get("commit") else "",
    }
    if not normal["ref"] and not normal["commit"]:
        raise DistrogateError(
            "bad_change", f"Change {normal['change_id']} has neither ref nor commit.", change=change
        )
    return normal


def normal_queue(queue: t.Sequence[dict[str, t.Any]]) -> list[dict[str, str]]:
    """The changes ahead, oldest first, then this one; an empty queue is an error."""
    changes = [normal_change(change) for change in queue]
    if not changes:
        raise DistrogateError(
            "empty_queue", "The queue is empty. Give at least the change itself (option queue)."
        )
    names = [change["change_id"] for change in changes]
    if len(set(names)) != len(names):
        raise DistrogateError("bad_change", f"A change stands twice in the queue: {', '.join(names)}.")
    return changes


def refuse_nested(projects: t.Sequence[str]) -> None:
    """Refuse a project below another: the outer one's tree could say where the inner one is written."""
    for inner in projects:
        for outer in projects:
            if inner.startswith(outer + "/"):
                raise DistrogateError(
                    "nested_projects", f"Project {inner} would lie inside {outer}; they need two runs."
                )


def queue_key(pipeline: str, queue: t.Sequence[dict[str, str]]) -> str:
    """A short name for exactly this queue: where its test repository lies, and who may layer on it."""
    last = queue[-1]
    digest = digest_json([[change["project"], change["branch"], change["commit"]] for change in queue])
    name = re.sub(r"[^A-Za-z0-9.-]", "-", f"{last['change_id']}-{last['patch_set']}")
    return f"{pipeline}-{name[:60]}-{digest.split(':')[1][:10]}"
