# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task asks for, and what became of it."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._package_changes import PackageChanges
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._retire import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Delta


@dataclasses.dataclass(frozen=True)
class Request:
    """A task's options, checked."""

    source: str
    name: str
    mirrors: list[Mirror]
    needed: int
    state: str
    transaction: str | None
    snapshot: str | None
    deep: bool
    allow_older: bool
    allow_rolled_back: bool
    max_delete_ratio: float
    reports: bool
    limits: Limits
    access: Access

    @property
    def addresses(self) -> list[str]:
        return [mirror.address for mirror in self.mirrors]


@dataclasses.dataclass
class Outcome:
    """What was done, or would be. ``held``: by mirror, the state before and after.

    ``packages`` is None where that would be a long list that nobody asked for.
    """

    snapshot: str | None
    delta: Delta
    rows: list[dict[str, t.Any]]
    held: tuple[dict[str, str | None], dict[str, str | None]]
    transferred: int = 0
    opened: bool = False
    retired: int = 0
    walked: list[bytes] = dataclasses.field(default_factory=list)
    packages: PackageChanges | None = None
    found: dict[str, t.Any] = dataclasses.field(default_factory=dict)
