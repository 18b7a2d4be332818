# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A build of some minutes says which script it is at."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_progress import Progress

STAMP = "2026-11-22 15:05:08.297 | "
RUNNING = STAMP + "dib-run-parts Running /build/tmp/hooks/{}.d/{}\n"
COMPLETED = STAMP + "dib-run-parts {} completed\n"


class Place:
    """What is looked at, and what was said."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.log = str(folder / "log")
        self.told: list[str] = []
        self.say = self.told.append
        self.write("")

    def write(self, text: str) -> None:
        with open(self.log, "a", encoding="utf-8") as stream:
            stream.write(text)


def test_each_script_that_takes_time_is_named_once(tmp_path: pathlib.Path) -> None:
    element = tmp_path / "debootstrap"
    (element / "root.d").mkdir(parents=True)
    (element / "root.d/08-debootstrap").touch()
    place = Place(tmp_path)
    progress = Progress(t.cast(t.Any, place), "appliance", {"debootstrap": str(element)})
    progress.look()
    place.write(RUNNING.format("root", "00-quick") + COMPLETED.format("00-quick"))
    progress.look()
    place.write(RUNNING.format("root", "08-debootstrap"))
    progress.look()
    assert not place.told
    for _time in range(3):
        place.write(STAMP + "I: Retrieving\n")
        progress.look()
    assert place.told == ["appliance: root.d/08-debootstrap of debootstrap"]
    place.write(COMPLETED.format("08-debootstrap") + RUNNING.format("install", "01-packages"))
    for _time in range(3):
        progress.look()
    assert place.told[1:] == ["appliance: install.d/01-packages"]


def test_what_an_element_writes_itself(tmp_path: pathlib.Path) -> None:
    place = Place(tmp_path)
    progress = Progress(t.cast(t.Any, place), "appliance", {})
    place.write(RUNNING.format("install", "x" * 5000) + "\x1b[31m\x00\n")
    for _time in range(3):
        progress.look()
    assert len(place.told) == 1 and len(place.told[0]) < 200
