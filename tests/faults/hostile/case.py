# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One input that nobody should have to trust, and what may become of it."""

from __future__ import annotations

import dataclasses
import pathlib
import random
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile.values import NAMES

REFUSED, PUBLISHED, EITHER = "refused", "published", "either"

Data = t.Union[bytes, t.Callable[[], bytes]]


@dataclasses.dataclass(frozen=True)
class Case:
    """``make`` writes the input into a folder and returns the option ``packages``.

    ``kind`` is the row of the table that it counts for, ``note`` tells it from
    the others of its kind. ``heavy`` ones cost seconds or hundreds of megabytes:
    they are left out of short runs.
    """

    kind: str
    note: str
    make: t.Callable[[pathlib.Path], list[str]]
    expect: str = EITHER
    heavy: bool = False


def written(
    kind: str, note: object, name: str, data: Data, expect: str = EITHER, heavy: bool = False
) -> Case:
    """A case that is one file; ``data`` may be made only when it is needed."""

    def make(folder: pathlib.Path) -> list[str]:
        (folder / name).write_bytes(data() if callable(data) else data)
        return [str(folder / name)]

    return Case(kind, str(note)[:200], make, expect, heavy)


class Source:
    """Where generators get chance and fresh names from: the same seed gives the same cases."""

    def __init__(self, seed: int, outside: str = "/nonexistent") -> None:
        self.chance = random.Random(seed)
        self.number = 0
        self.outside = outside.encode()

    def fresh(self) -> str:
        """A package name that no other case has."""
        self.number += 1
        return f"hostile{self.number}"

    def names(self) -> list[bytes]:
        """Names that try to leave their folder, some for the folder ``outside``."""
        return [value.replace(b"@", self.outside) for value in NAMES]
