# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a transaction: all tags move, or none stays."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_attach import (
    Attached,
    Attachment,
    Envelope,
    attachments,
    read_envelopes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_journal import OURS, Journal
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import Manifest
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_outcome import shaped, tags_of
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_registry import Registry
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_tags import Before, Tags
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference

Json = dict[str, t.Any]


def used(journal: Journal, why: str) -> DistrogateError:
    return DistrogateError(
        "transaction_used",
        f"The transaction {journal.transaction} of {journal.target} {why}. Use another id.",
    )


class Ending:
    """Commits or undoes one transaction; each may be called again after a kill."""

    def __init__(
        self, journal: Journal, registry: Registry, difference: Difference, check_mode: bool
    ) -> None:
        self._journal, self._registry = journal, registry
        self._difference, self._check_mode = difference, check_mode
        record = journal.read()
        if record is None:
            raise DistrogateError(
                "unknown_transaction",
                f"{journal.target} knows no transaction {journal.transaction}: it was never prepared from"
                " this host, or long ago. Prepare it again.",
            )
        self._record = record
        self._tags = tags_of(record["items"])
        self._look = Tags(registry)

    def commit(self) -> Json:
        """``committed``"""
        phase = self._record["phase"]
        if phase == "committed":
            return shaped(self._record, self._registry)
        if phase == "preparing":
            raise DistrogateError(
                "unknown_transaction",
                f"The transaction {self._journal.transaction} of {self._journal.target} is half prepared."
                " Prepare it again.",
            )
        if phase in ("undoing", "undone"):
            raise used(self._journal, f"is {phase}")
        now = self._now(phase)
        before = self._record["before"] if phase == "committing" else now
        self._look.refuse_taken(self._tags, now)
        self._describe(before, "prepared", "committed")
        if self._check_mode:
            return shaped({**self._record, "before": before}, self._registry)
        ours = self._journal.kept(OURS)
        groups = self._groups(ours)
        if phase != "committing":
            self._begin(before, groups)
        try:
            attach = Attached(self._registry).attach
            self._registry.client.each_apart(self._todo(groups), attach, lambda group: group[0].repository)
            self._look.give(self._tags, now, ours)
        except DistrogateError as error:
            raise self._taken_back(error) from error
        self._write("committed")
        return shaped(self._record, self._registry)

    def _now(self, phase: str) -> Before:
        """What the tags have. A channel's belong to promotion, which looked when it prepared."""
        before: Before = self._record["before"]
        if phase == "committing":
            return self._look.look(self._tags)
        name = self._look.reference
        again = [tag for tag in self._tags if not tag.movable or before[name(tag)] == tag.digest]
        return {**before, **self._look.look(again)}

    def _groups(self, ours: t.Mapping[str, Manifest]) -> list[list[Attachment]]:
        given = [{"name": name, "envelope": text} for name, text in self._record["attach"]]
        envelopes: list[Envelope] = read_envelopes(given)
        return attachments(
            ((row["repository"], ours[row["digest"]]) for row in self._record["items"]), envelopes
        )

    def _begin(self, before: Before, groups: list[list[Attachment]]) -> None:
        """Write down all that is needed to take it back, before anything moves."""
        registry = self._registry
        new = registry.client.each(groups, Attached(registry).missing)
        self._record["before"] = before
        self._record["attached"] = [
            [one.repository, one.subject.digest, one.digest] for row in new for one in row
        ]
        self._write("committing")

    def _todo(self, groups: list[list[Attachment]]) -> list[list[Attachment]]:
        """What is to be attached; a thing that was there before is not ours to take away."""
        new = {tuple(row) for row in self._record["attached"]}
        found = [
            [one for one in group if (one.repository, one.subject.digest, one.digest) in new]
            for group in groups
        ]
        return [group for group in found if group]

    def _taken_back(self, error: DistrogateError) -> DistrogateError:
        """Let no half of it be seen, if the registry lets us; else the next call goes on."""
        try:
            left = self._restore()
            self._write("prepared")
            others = f" but {', '.join(left[:20])}, which somebody else moved meanwhile" if left else ""
            end = f"All tags are what they were before{others}; commit it again when that is repaired."
        except (DistrogateError, OSError) as second:
            said = second.message if isinstance(second, DistrogateError) else str(second)
            end = (
                f"Some tags may have moved and could not go back ({said}) Run it again: it goes on from here,"
                " or undo it."
            )
        return DistrogateError(error.reason, f"{error.message} {end}", **error.details)

    def _restore(self) -> list[str]:
        left = self._look.give_back(self._tags, self._record["before"])
        subjects: dict[tuple[str, str], list[str]] = {}
        for repository, subject, digest in self._record["attached"]:
            subjects.setdefault((repository, subject), []).append(digest)
        attached = Attached(self._registry)
        rows = list(subjects.items())
        detach = self._registry.client.each_apart
        detach(rows, lambda row: attached.detach(*row[0], row[1]), lambda row: row[0][0])
        return left

    def undo(self) -> Json:
        """``undone``"""
        phase, left = self._record["phase"], []
        if phase == "undone":
            return shaped(self._record, self._registry)
        if phase in ("preparing", "prepared"):
            self._difference.add("transaction", "prepared", "undone")
        else:
            for name, had in self._record["before"].items():
                ours = next(tag.digest for tag in self._tags if self._look.reference(tag) == name)
                self._difference.add(name, ours, had or "")
            self._difference.add("transaction", "committed", "undone")
        if self._check_mode:
            return shaped({**self._record, "phase": "undone"}, self._registry)
        if phase not in ("preparing", "prepared"):
            self._write("undoing")
            left = self._restore()
        self._write("undone")
        return shaped(self._record, self._registry, left)

    def _write(self, phase: str) -> None:
        self._record["phase"] = phase
        self._journal.write(self._record)

    def _describe(self, before: Before, was: str, becomes: str) -> None:
        for tag in self._tags:
            name = self._look.reference(tag)
            self._difference.add(name, before[name] or "", tag.digest)
        self._difference.add("transaction", was, becomes)
