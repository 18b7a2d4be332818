# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the repository of a checkout lies, and where it has objects that are not its own."""

from __future__ import annotations

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._inputs import git_of

_DEEPEST = 5  # alternates of alternates, as git(1) reads them
_LIMIT = 1 << 16  # bytes of such a file


def git_folder(checkout: str) -> str:
    """What can be cloned wherever it is seen: the checkout, or the repository that a worktree belongs to.

    Error ``bad_source``.
    """
    if not os.path.isfile(os.path.join(checkout, ".git")):
        return checkout
    said = git_of(checkout, "rev-parse", "--git-common-dir").text.rstrip("\n")
    return os.path.realpath(os.path.join(checkout, said))


def borrowed(checkout: str) -> list[str]:
    """Folders of objects that a checkout shares; one of a workspace has those of the git cache.

    Error ``bad_source``: one that a build could not find.
    """
    folder = git_folder(checkout)
    for inside in (".git/objects", "objects"):
        objects = os.path.join(folder, inside)
        if os.path.isdir(objects):
            return _alternates(checkout, objects, 0)
    return []


def _alternates(checkout: str, objects: str, depth: int) -> list[str]:
    try:
        with open(os.path.join(objects, "info/alternates"), encoding="utf-8", errors="replace") as stream:
            lines = stream.read(_LIMIT).splitlines()
    except FileNotFoundError:
        return []
    found: list[str] = []
    for line in lines:
        if not line or line.startswith("#"):
            continue
        # Nothing but objects may be shown to a build, whatever is written there.
        if not line.startswith("/") or os.path.basename(line) != "objects" or not os.path.isdir(line):
            raise DistrogateError(
                "bad_source",
                f"The checkout {checkout} borrows objects of {line[:200]!r}, which is no absolute path of a"
                f" folder of objects. Run there: git repack -a -d && rm {objects}/info/alternates",
            )
        found.append(line)
        if depth < _DEEPEST:
            found += _alternates(checkout, line, depth + 1)
    return found
