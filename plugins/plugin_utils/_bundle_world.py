# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion needs from outside, provided by Ansible."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import (
    Archive,
    archive_name,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_history import stated
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_targets import (
    Answer,
    Call,
    failure,
    side_by_side,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import now
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_files import add_files
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_judge import Judge, Texts
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_targets import HostTarget
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts

Json = dict[str, t.Any]
_STATED = ("channel", "version", "series", "serial", "state", "previous", "at", "by")


class World:
    """Hosts, a key, and perhaps an archive."""

    def __init__(
        self,
        hosts: Hosts,
        key: _statements.SigningKey,
        progress: t.Callable[[str], None],
        archive: str | None,
        judge: Judge,
    ) -> None:
        self._hosts = hosts
        self._key = key
        self._archive = Archive(archive) if archive else None
        self._judge = judge
        self._read: dict[str, Texts | None] = {}
        self.progress = progress

    def know(self, digest: str, texts: Texts) -> None:
        """What was read of the bundle that is being promoted."""
        self._read = {digest: texts}

    def _texts(self, journal: Json) -> Texts | None:
        """What lies there of a journal's bundle; None when nobody has it any more."""
        digest = journal["digest"]
        if digest not in self._read:  # another process began this promotion
            try:
                self._read[digest] = self._judge.read_again(digest, journal["origin"])
            except DistrogateError as error:
                self._read[digest] = None
                self.progress(f"{digest} is not read again: {error.message}")
        return self._read[digest]

    def target(self, plan: Json, journal: Json, transaction: str, index: int) -> HostTarget:
        return HostTarget(self._hosts.lane(index), plan, journal, transaction)

    def together(self, calls: t.Sequence[Call]) -> list[Answer]:
        return side_by_side(calls)

    def statement(self, journal: Json, states: list[Json]) -> str:
        predicate = {**{name: journal[name] for name in _STATED}, "targets": stated(states)}
        value = _statements.statement(journal["digest"], _statements.PROMOTION, predicate)
        return _statements.sign(value, self._key)

    def publish_statement(self, journal: Json) -> None:
        """Beside the bundle, and into the archive; the one may fail without the other."""
        name, origin, texts = _name(journal), journal["origin"], self._texts(journal)
        try:
            self._add_to_archive(journal, name, texts)
        finally:
            if texts is None or not texts.only_archived:
                said = {f"statements/{name}": journal["statement"]}
                add_files(self._hosts, origin["host"], origin["run_dir"], said)

    def _add_to_archive(self, journal: Json, name: str, texts: Texts | None) -> None:
        """With the bundle itself and what else was said of it, where these can be read."""
        if self._archive is None:
            return
        statements, bundle = {}, None
        if texts is not None:  # nothing leaves it, so only what a known key signed may enter
            said = self._judge.trusted(journal["digest"], texts)
            statements, bundle = {archive_name(name, text): text for name, text in said.items()}, texts.bundle
        try:
            self._archive.add(journal["digest"], bundle, {**statements, name: journal["statement"]})
        except DistrogateError as error:
            if error.reason != "unknown_bundle":
                raise
            self.progress(f"the statement is not archived: {error.message}")

    def attach_statements(self, journal: Json, plans: t.Sequence[Json]) -> None:
        indexes = [index for index, plan in enumerate(plans) if plan.get("attach")]
        if not indexes:
            return
        texts = self._texts(journal)
        said = self._judge.trusted(journal["digest"], texts) if texts is not None else {}
        said[_name(journal)] = journal["statement"]
        targets = [self.target(plans[index], journal, "", index) for index in indexes]
        answers = self.together([functools.partial(target.attach, said) for target in targets])
        failed = failure(answers)
        if failed is not None:
            raise failed

    def now(self) -> str:
        return now()


def _name(journal: Json) -> str:
    return f"promotion-{journal['channel']}-{journal['serial']:06d}-{journal['transaction'][:8]}.json"
