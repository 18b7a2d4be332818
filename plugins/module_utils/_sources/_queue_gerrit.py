# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The change that Jenkins' Gerrit Trigger put into the environment of a build.

The names are those of its class GerritTriggerParameters. Subjects, names and
messages may be in base64 there, as the job's administrator chose; nothing of
that kind is read here.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_change

NEEDED = (
    "GERRIT_PROJECT",
    "GERRIT_BRANCH",
    "GERRIT_CHANGE_NUMBER",
    "GERRIT_PATCHSET_NUMBER",
    "GERRIT_REFSPEC",
)
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_NUMBER = re.compile(r"[1-9][0-9]{0,11}")

Environment = t.Mapping[str, str]


def change_of(environment: Environment) -> dict[str, str]:
    """The change, or the branch that a merge or a push moved."""
    if environment.get("GERRIT_EVENT_TYPE") == "ref-updated":
        return _moved(environment)
    missing = [name for name in NEEDED if not environment.get(name)]
    if missing:
        raise DistrogateError(
            "unclear_queue",
            f"The environment names a change of Gerrit, but not {', '.join(missing)}. Start the build by"
            " the Gerrit"
            " Trigger, or declare these parameters in the job.",
            missing=missing,
        )
    number, patch_set = environment["GERRIT_CHANGE_NUMBER"], environment["GERRIT_PATCHSET_NUMBER"]
    if not _NUMBER.fullmatch(number) or not _NUMBER.fullmatch(patch_set):
        raise DistrogateError(
            "bad_change",
            f"GERRIT_CHANGE_NUMBER {number[:80]!r} or GERRIT_PATCHSET_NUMBER {patch_set[:80]!r} is not a"
            " number.",
        )
    wanted = change_ref(number, patch_set)
    if environment["GERRIT_REFSPEC"] != wanted:
        raise DistrogateError(
            "unclear_queue",
            f"GERRIT_REFSPEC is {environment['GERRIT_REFSPEC'][:80]!r}, but change {number},{patch_set}"
            f" has {wanted}.",
        )
    return normal_change(
        {
            "project": environment["GERRIT_PROJECT"],
            "branch": environment["GERRIT_BRANCH"],
            "change_id": number,
            "patch_set": patch_set,
            "ref": wanted,
            "commit": _commit(environment),
        }
    )


def change_ref(number: str, patch_set: str) -> str:
    """Where Gerrit keeps a patch set."""
    return f"refs/changes/{int(number) % 100:02}/{number}/{patch_set}"


def _commit(environment: Environment) -> str:
    """What is tested: the patch set, or what the branch got when the change was merged."""
    merged = environment.get("GERRIT_EVENT_TYPE") == "change-merged"
    newest = environment.get("GERRIT_NEWREV", "") if merged else ""
    return newest or environment.get("GERRIT_PATCHSET_REVISION", "")


def _moved(environment: Environment) -> dict[str, str]:
    branch = environment.get("GERRIT_REFNAME", "")
    commit = environment.get("GERRIT_NEWREV", "")
    if branch.startswith("refs/"):
        if not branch.startswith("refs/heads/"):
            raise DistrogateError(
                "no_branch", f"Gerrit says that {branch[:80]!r} was updated, which is not a branch."
            )
        branch = branch[len("refs/heads/") :]
    return branch_change(environment.get("GERRIT_PROJECT", ""), branch, commit, "GERRIT_NEWREV")


def branch_change(project: t.Any, branch: t.Any, commit: t.Any, source: str) -> dict[str, str]:
    """A branch as it is after a push, in a change's place."""
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise DistrogateError("unclear_queue", f"{source} is {str(commit)[:80]!r}, which is not a commit.")
    if not commit.strip("0"):
        raise DistrogateError(
            "no_branch", f"The branch {str(branch)[:80]!r} was deleted; there is nothing to test."
        )
    return normal_change(
        {
            "project": project,
            "branch": branch,
            "change_id": f"{str(branch)[:100]}~{commit[:12]}",
            "patch_set": "1",
            "commit": commit,
        }
    )
