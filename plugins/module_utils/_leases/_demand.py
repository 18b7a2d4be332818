# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What someone asks for."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._expression import Expression, parse
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import checked_name

MAXIMUM_PRIORITY = 999
MAXIMUM_COUNT = 32  # One transaction grants all of them, and etcd takes 128 operations in one.
_FIELDS = ("count", "name", "labels", "where", "priority")


@functools.lru_cache(maxsize=4096)
def _parsed(where: str) -> Expression:
    return parse(where)


@dataclasses.dataclass(frozen=True)
class Demand:
    """``count`` TEs of a pool, all at once or none: the one with this name, or those whose labels fit."""

    pool: str
    count: int = 1
    name: str | None = None
    labels: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    where: str = ""
    priority: int = 0

    def __post_init__(self) -> None:
        checked_name(self.pool, "pool")
        if self.name is not None:
            checked_name(self.name, "TE")
        wrong = not 1 <= self.count <= MAXIMUM_COUNT or abs(self.priority) > MAXIMUM_PRIORITY
        if wrong or (self.name and self.count > 1):
            raise DistrogateError(
                "bad_options",
                f"count is from 1 to {MAXIMUM_COUNT} (exactly 1 with a name),"
                f" priority from -{MAXIMUM_PRIORITY} to {MAXIMUM_PRIORITY}.",
            )
        if self.where:
            # Two spellings of one demand stand in one group.
            object.__setattr__(self, "where", _parsed(self.where).text)

    def fits(self, labels: t.Mapping[str, str]) -> bool:
        """Whether TEs with these labels would do, were it not for the name."""
        return all(labels.get(key) == value for key, value in self.labels.items()) and (
            not self.where or _parsed(self.where).matches(labels)
        )

    def matches(self, te: t.Mapping[str, t.Any]) -> bool:
        """Whether this TE (as it is stored) would do."""
        return bool(self.name is None or te["name"] == self.name) and self.fits(te["labels"])

    def value(self) -> dict[str, t.Any]:
        """As it is stored."""
        return {name: getattr(self, name) for name in _FIELDS}

    @classmethod
    def of(cls, pool: str, value: t.Mapping[str, t.Any]) -> Demand:
        """From what is stored."""
        return cls(pool, **{name: value[name] for name in _FIELDS})

    def group(self, came: int | None = None) -> str:
        """Those who ask for the same wait in one group; one who returns to its place, in its own."""
        text = json.dumps([self.value(), came], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        wanted = [f"named {self.name}"] if self.name else []
        wanted += [f"{key}={value}" for key, value in sorted(self.labels.items())]
        wanted += [self.where] if self.where else []
        return f"{self.count} of pool {self.pool}" + (f" ({', '.join(wanted)})" if wanted else "")


def who(owner: t.Mapping[str, t.Any]) -> str:
    """An owner in a few words."""
    words = [f"{key} {owner[key]}" for key in ("job", "change", "url") if owner.get(key)]
    words = words or [f"{key} {value}" for key, value in sorted(owner.items()) if value]
    return ", ".join(words) or "an unnamed owner"
