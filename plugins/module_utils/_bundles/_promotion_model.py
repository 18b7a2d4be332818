# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion is made of: its keys in the store, its targets, and the world around it."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import Reason
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

UNKNOWN_TRANSACTION = "unknown_transaction"  # the reason of a target that does not know a transaction's id
FORMAT = 2  # of the journal
MAIN = "main"  # the series of versions when none is named
PROMOTED, ROLLED_BACK = "promoted", "rolled_back"
NUMBERED = ("major", "minor")
_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")

T = t.TypeVar("T")
Json = dict[str, t.Any]


class Target(t.Protocol):
    """Where artifacts are published. Every method may be called again, and beside those of other targets."""

    def prepare(self) -> Json:
        """Bring the artifacts and make ready; nothing that users see changes."""

    def commit(self) -> Json:
        """Publish what was prepared; succeeds when it is published already."""

    def undo(self) -> Json:
        """Forget what was prepared; succeeds when nothing was."""


class World(t.Protocol):
    """What a promotion needs from outside; the action plugin provides it with Ansible, tests without."""

    def target(self, plan: Json, journal: Json, transaction: str, index: int) -> Target:
        """The target that a plan describes, for the promotion that the journal describes."""

    def together(self, calls: t.Sequence[t.Callable[[], Json]]) -> list[Json | DistrogateError]:
        """Make these calls side by side, each to its end; what each returned, or why it failed."""

    def statement(self, journal: Json, states: list[Json]) -> str:
        """The signed promotion statement; ``states`` is what each target has now."""

    def publish_statement(self, journal: Json) -> None:
        """Write the journal's ``statement`` beside the bundle; succeeds when it lies there already."""

    def attach_statements(self, journal: Json, plans: t.Sequence[Json]) -> None:
        """Attach what is said of the bundle to its images; succeeds when all of it is attached already."""

    def now(self) -> str:
        """The time as RFC 3339."""

    def progress(self, line: str) -> None:
        """Tell whoever looks on."""


def _checked(name: str, what: str) -> str:
    if not _NAME.fullmatch(name):
        raise DistrogateError(
            "bad_name",
            f"{name!r} cannot be {what}: its name begins with a letter, of a-z, 0-9 and _.-"
            " (versions such as 4.0.0 are given out by promotion).",
        )
    return name


def checked_channel(name: str) -> str:
    """A channel's name; version numbers are given out, not chosen."""
    return _checked(name, "promoted to")


def checked_series(name: str) -> str:
    """The name of a series of versions."""
    return _checked(name, "a series of versions")


def channel_key(channel: str) -> str:
    return f"channel/{channel}"


def version_key(series: str, version: str) -> str:
    """A version is a channel too; that of another series has a slash in its name, which no channel has."""
    return channel_key(version if series == MAIN else f"{series}/{version}")


def journal_key(channel: str) -> str:
    """Among the journals of all kinds, so that a janitor sees what was left open."""
    return f"journal/promotion/{checked_channel(channel)}"


def lock_key(channel: str) -> str:
    return f"promotion/{checked_channel(channel)}/lock"


def immutable_reason(channel: str, digest: str, current: Json | None) -> Reason | None:
    """Why a channel that was once declared immutable does not move to this bundle."""
    if current is None or current["digest"] == digest or not current.get("immutable"):
        return None
    message = f"{channel} is immutable and points to {current['digest']} since {current['at']}."
    return Reason("immutable", message, "Promote to another channel.")


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked of a channel. ``origin`` is where the bundle lies, ``plans`` are the targets."""

    digest: str
    plans: list[Json]
    origin: Json
    by: str
    version: str = "major"  # or minor, or none
    series: str = MAIN
    immutable: bool = False
    state: str = PROMOTED
    known: str | None = None  # a roll back's version, which it had


@dataclasses.dataclass
class Outcome:
    """What a promotion did."""

    version: str | None
    previous: str | None
    serial: int
    targets: list[Json]
    changed: bool = True
