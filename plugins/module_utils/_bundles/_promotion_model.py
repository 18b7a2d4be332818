# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion is made of: its keys in the store, its targets, and the world around it."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

UNKNOWN_TRANSACTION = "unknown_transaction"  # the reason of a target that does not know a transaction's id
VERSION_COUNTER = "promotion/version"
_CHANNEL = re.compile(r"^[a-z][a-z0-9_.-]{0,63}$")

Json = dict[str, t.Any]


class Target(t.Protocol):
    """A release repository that takes part in a promotion. Every method may be called again."""

    def prepare(self) -> Json:
        """Bring the artifacts and make ready; nothing that users see changes."""

    def commit(self) -> Json:
        """Publish what was prepared; succeeds when it is published already."""

    def undo(self) -> Json:
        """Forget what was prepared; succeeds when nothing was."""


class World(t.Protocol):
    """What a promotion needs from outside; the action plugin provides it with Ansible, tests without."""

    def target(self, plan: Json, origin: Json, transaction: str) -> Target:
        """The target that a plan (one of the journal's) describes, for the bundle that lies at ``origin``."""

    def statement(self, journal: Json) -> str:
        """The signed promotion statement."""

    def publish_statement(self, journal: Json) -> None:
        """Write the journal's ``statement`` beside the bundle; succeeds when it lies there already."""

    def now(self) -> str:
        """The time as RFC 3339."""

    def progress(self, line: str) -> None:
        """Tell whoever looks on."""


def checked_channel(name: str) -> str:
    """A channel's name; version numbers are given out, not chosen."""
    if not _CHANNEL.match(name):
        raise DistrogateError(
            "bad_name",
            f"{name!r} cannot be promoted to: a channel's name begins with a letter, of a-z, 0-9 and _.-"
            " (versions such as 4.0.0 are given out by promotion).",
        )
    return name


def channel_key(channel: str) -> str:
    return f"channel/{channel}"


def journal_key(channel: str) -> str:
    """Among the journals of all kinds, so that a janitor sees what was left open."""
    return f"journal/promotion/{checked_channel(channel)}"


def lock_key(channel: str) -> str:
    return f"promotion/{checked_channel(channel)}/lock"


@dataclasses.dataclass
class Outcome:
    """What a promotion did."""

    version: str
    previous: str | None
    serial: int
    targets: list[Json]
    changed: bool = True
