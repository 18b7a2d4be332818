# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive that root filesystems begin with: made once in some minutes, and never half."""

from __future__ import annotations

import os
import pathlib
import threading
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._images import _minimal


class Maker:
    """Makes archives, and knows how many it made."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.made = 0

    def make(self, path: str) -> None:
        self.made += 1
        pathlib.Path(path).write_text(f"half of {self.made}")
        time.sleep(0.05)
        pathlib.Path(path).write_text(f"{self.made}")

    def take(self, key: str, make: t.Callable[[str], None] | None = None) -> str:
        into = self.folder / f"taken-{time.monotonic_ns()}"
        _minimal.take(str(self.folder), key, str(into), make or self.make, 5)
        return into.read_text()

    def kept(self) -> list[str]:
        return sorted(name for name in os.listdir(self.folder / ".minimal") if name != "lock")


@pytest.fixture
def maker(tmp_path: pathlib.Path) -> Maker:
    return Maker(tmp_path)


def test_made_once(maker: Maker) -> None:
    assert [maker.take("a"), maker.take("a"), maker.take("b"), maker.take("a")] == ["1", "1", "2", "1"]
    assert maker.kept() == ["a.tar", "b.tar"]


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_anew_after_some_minutes(maker: Maker, seconds: int) -> None:
    """Also when the clock was set back; whoever took the old one still has it."""
    maker.take("a")
    then = time.time() + seconds
    os.utime(maker.folder / ".minimal/a.tar", (then, then))
    assert maker.take("b") == "2" and maker.kept() == ["b.tar"]
    assert maker.take("a") == "3"
    assert sorted(path.read_text() for path in maker.folder.glob("taken-*")) == ["1", "2", "3"]


def test_two_at_once(maker: Maker) -> None:
    """The second waits rather than doing the same work."""
    threads = [threading.Thread(target=maker.take, args=("a",)) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert maker.made == 1 and len(list(maker.folder.glob("taken-*"))) == 4


def test_one_that_failed(maker: Maker) -> None:
    """What it left is neither taken nor kept."""

    def fail(path: str) -> None:
        pathlib.Path(path).write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        maker.take("a", fail)
    assert maker.take("a") == "1" and maker.kept() == ["a.tar"]
