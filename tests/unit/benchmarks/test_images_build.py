# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark of root filesystems: no case pays for what another one left."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator

import pytest

from ansible_collections.distrogate.ci.tests.benchmarks import images_build


class Seen(images_build.Rounds):
    """Writes a file where a command would, instead of running it."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = str(folder)
        self.suite, self.mirror, self.sources = "bookworm", "", ""
        self.said: list[tuple[str, str, list[str]]] = []

    def measure(self, disk: str, case: str, *commands: list[str]) -> None:
        self.said.append((case, disk, os.listdir(disk)))
        assert all(disk in " ".join(argv) for argv in commands)
        pathlib.Path(disk, case).touch()


@pytest.fixture
def rounds(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Seen:
    made: list[pathlib.Path] = []

    @contextlib.contextmanager
    def disk(_folder: str) -> Iterator[str]:
        made.append(tmp_path / f"disk-{len(made)}")
        made[-1].mkdir()
        yield str(made[-1])

    monkeypatch.setattr(images_build, "fresh_disk", disk)
    return Seen(tmp_path)


def test_what_is_compared_begins_on_disks_of_its_own(rounds: Seen) -> None:
    rounds.round(pair=True)
    found = {case: (os.path.basename(disk), before) for case, disk, before in rounds.said}
    assert found == {
        "by hand": ("disk-0", []),
        "ours": ("disk-1", []),
        "one package differs": ("disk-1", ["ours"]),
        "two at once": ("disk-2", []),
    }


def test_neither_is_always_the_first(rounds: Seen) -> None:
    rounds.round(pair=False)
    rounds.round(pair=False, ours_first=True)
    cases = [case for case, _disk, _before in rounds.said if case != "one package differs"]
    assert cases == ["by hand", "ours", "ours", "by hand"]
