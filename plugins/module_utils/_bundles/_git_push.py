# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looking at remotes, pushing one tag after the other, and taking them back; nothing is done twice."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_remote import Scratch
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_tags import Wanted, taken
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json

Json = dict[str, t.Any]


def row_of(one: Wanted, moment: int) -> Json:
    """A tag to be pushed, as a transaction keeps it."""
    return {**one._asdict(), "text": one.object_text(moment), "object": one.object_name(moment)}


class Remotes:
    """All remotes of one call; git works in ``folder``."""

    def __init__(self, folder: str, access: Access) -> None:
        self._folder = folder
        self._access = access

    def _scratch(self, url: str) -> Scratch:
        return Scratch(os.path.join(self._folder, digest_json(url).rpartition(":")[2]), self._access)

    def has(self, one: Wanted) -> bool:
        """Whether the tag is there; ``tag_taken`` when it is something else."""
        there, commit = self._scratch(one.url).remote_tag(one.url, one.tag)
        if there and commit != one.commit:
            raise taken(one, there, commit)
        return bool(there)

    def check(self, one: Wanted) -> None:
        """Whether the remote has the commit, with its tree."""
        scratch = self._scratch(one.url)
        scratch.fetch(one.url, one.commit)
        tree = scratch.tree(one.commit)
        if tree != one.tree:
            said = f"the tree {tree}" if tree else "no such commit"
            raise DistrogateError(
                "digest_mismatch" if tree else "bad_commit",
                f"{one.url} has {said} for the commit {one.commit} of {one.name}; the bundle says {one.tree}."
                " Nothing was tagged. Push that commit, or seal what is there.",
                url=one.url,
                commit=one.commit,
            )

    def make_ready(self, row: Json) -> None:
        """Write the tag's object here."""
        scratch = self._scratch(row["url"])
        scratch.fetch(row["url"], row["commit"])
        if scratch.write_tag(row["url"], row["text"]) != row["object"]:
            raise DistrogateError("git_failed", f"git gave the tag {row['tag']} another name than expected.")

    def push(self, row: Json) -> None:
        """Push one tag, if it is not there."""
        one = Wanted(*(row[name] for name in Wanted._fields))
        if self.has(one):
            return
        scratch = self._scratch(one.url)
        done = scratch.push(one.url, one.tag, row["object"], "")
        if not self.has(one):  # whatever git said: another may have pushed the same
            raise scratch.failed(one.url, f"push the tag {one.tag}", done)

    def remove(self, rows: t.Iterable[Json]) -> None:
        """Remove tags, but none that is not the very object of ours."""
        for row in rows:
            url, tag = row["url"], row["tag"]
            scratch = self._scratch(url)
            if scratch.remote_tag(url, tag)[0] != row["object"]:
                continue
            scratch.make(url, row["commit"])
            done = scratch.push(url, tag, "", row["object"])
            if scratch.remote_tag(url, tag)[0] == row["object"]:
                raise scratch.failed(url, f"remove the tag {tag}", done)
