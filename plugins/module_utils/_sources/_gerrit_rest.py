# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open changes of a branch, from Gerrit's REST interface.

"/changes/ REST API" in Gerrit's documentation: an answer begins with the line ``)]}'``, the last
change of a page that is not the last has ``_more_changes``, and ``S`` skips so many changes.
"""

from __future__ import annotations

import re
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._sources._git import checked_ref, well_formed
from ansible_collections.distrogate.ci.plugins.module_utils._sources._http import LIMIT, Server, shown
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_change

Json = dict[str, t.Any]

MOST = 2000  # open changes of one branch that are retested
_PAGE = 100
_MAGIC = b")]}'"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")


def open_changes(
    server: Server, prefix: str, project: str, branch: str, *, query: str
) -> tuple[list[Json], list[Json]]:
    """Changes in our form, by number; and what was refused, each with its reason.

    ``prefix`` is ``/a`` for one who logs in.
    """
    for name in (project, branch):
        if not _NAME.fullmatch(name) or not well_formed(name):
            raise DistrogateError("bad_change", f"{shown(name)!r} is not the name of a project or branch.")
    words = f"status:open project:{project} branch:{branch} {query}".strip()
    found: dict[str, Json] = {}
    refused: list[Json] = []
    skip = 0
    while True:
        page = _page(server, prefix, words, skip)
        for one in page:
            _take(one, (project, branch), found, refused)
        skip += len(page)
        if not page or not _more(page[-1]):
            return sorted(found.values(), key=_number), refused
        if skip >= MOST:
            raise DistrogateError(
                "many_changes",
                f"{project} {branch} has more than {MOST} open changes. Narrow them down (query).",
            )


def _number(change: Json) -> int:
    return int(change["change_id"])


def _more(change: t.Any) -> bool:
    return isinstance(change, dict) and change.get("_more_changes") is True


def _page(server: Server, prefix: str, words: str, skip: int) -> list[t.Any]:
    asked = urllib.parse.urlencode({"q": words, "o": "CURRENT_REVISION", "n": _PAGE, "S": skip})
    answer = server.ask("GET", f"{prefix}/changes/?{asked}")
    if answer.status in (401, 403):
        raise DistrogateError("not_allowed", f"Gerrit refuses the user or the password: {answer.said()}")
    if answer.status != 200:
        raise DistrogateError("gerrit_failed", f"Gerrit answered {answer.status}: {answer.said()}")
    magic, _line, rest = answer.data.partition(b"\n")
    if magic.strip() != _MAGIC:
        raise DistrogateError(
            "gerrit_failed", f"{server.host} does not answer as Gerrit's REST interface does: {answer.said()}"
        )
    page = parse_json(rest, "Gerrit's answer", LIMIT)
    if not isinstance(page, list):
        raise DistrogateError("gerrit_failed", f"Gerrit's answer is not a list of changes: {answer.said()}")
    return page


def _take(one: t.Any, wanted: tuple[str, str], found: dict[str, Json], refused: list[Json]) -> None:
    """One change; a strange one does not lose the others."""
    try:
        change = _change(one)
        if (change["project"], change["branch"]) != wanted:
            raise DistrogateError("bad_change", f"It is of {change['project']} {change['branch']}.")
    except DistrogateError as error:
        number = one.get("_number") if isinstance(one, dict) else ""
        refused.append({"change_id": shown(str(number)), "reason": error.reason, "msg": shown(error.message)})
        return
    found[change["change_id"]] = change


def _change(one: t.Any) -> dict[str, str]:
    revisions = one.get("revisions") if isinstance(one, dict) else None
    current = one.get("current_revision") if isinstance(one, dict) else None
    revision = revisions.get(current) if isinstance(revisions, dict) and isinstance(current, str) else None
    number = one.get("_number") if isinstance(one, dict) else None
    if not isinstance(revision, dict) or not isinstance(number, int) or number < 1:
        raise DistrogateError("bad_change", "Gerrit's answer has a change without a number or revision.")
    return normal_change(
        {
            "project": one.get("project"),
            "branch": one.get("branch"),
            "change_id": number,
            "patch_set": revision.get("_number"),
            "ref": checked_ref(str(revision.get("ref"))),
            "commit": current,
        }
    )
