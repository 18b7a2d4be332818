# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion needs from outside, provided by Ansible."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_history import stated
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_targets import (
    Answer,
    Call,
    side_by_side,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import now
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_files import add_files
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
        archive: str | None = None,
    ) -> None:
        self._hosts = hosts
        self._key = key
        self._archive = Archive(archive) if archive else None
        self.progress = progress
        # Of the bundle that is being promoted, what the archive may lack: its text, and what was said of it.
        self.kept: tuple[str | None, dict[str, str]] = (None, {})

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
        name = f"promotion-{journal['channel']}-{journal['serial']:06d}-{journal['transaction'][:8]}.json"
        origin = journal["origin"]
        try:
            self._add_to_archive(journal, name)
        finally:
            add_files(
                self._hosts,
                origin["host"],
                origin["run_dir"],
                {f"statements/{name}": journal["statement"]},
            )

    def _add_to_archive(self, journal: Json, name: str) -> None:
        """With the bundle itself and what else was said of it, when this promotion has read them."""
        if self._archive is None:
            return
        bundle, statements = self.kept
        try:
            self._archive.add(journal["digest"], bundle, {**statements, name: journal["statement"]})
        except DistrogateError as error:
            if error.reason != "unknown_bundle":
                raise
            self.progress(f"the statement is not archived: {error.message}")

    def now(self) -> str:
        return now()
