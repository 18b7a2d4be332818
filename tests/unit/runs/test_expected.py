# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long stages are going to take, and what may not be believed."""

from __future__ import annotations

import json
import os
import pathlib

from ansible_collections.distrogate.ci.plugins.module_utils._runs._expected import NEWEST, expected_seconds

FROZEN = {"pipeline": "check", "queue": [{"project": "tiny"}]}


def run(
    folder: pathlib.Path, number: int, seconds: object, project: str = "tiny", **more: object
) -> pathlib.Path:
    path = folder / f"check-{number}"
    (path / "stages").mkdir(parents=True)
    (path / "run.json").write_text(json.dumps({"queue": [{"project": "ahead"}, {"project": project}]}))
    record = {"verdict": "success", "seconds": seconds, **more}
    (path / "stages/build.json").write_text(json.dumps(record))
    os.utime(path, (number, number))
    return path


def expected(folder: pathlib.Path) -> dict[str, float]:
    return expected_seconds(str(folder), FROZEN, str(folder / "check-999"))


def test_the_median_of_the_newest(tmp_path: pathlib.Path) -> None:
    assert expected(tmp_path) == {}
    assert expected(tmp_path / "none") == {}
    for number in range(30):
        run(tmp_path, number, 1000 if number < 30 - NEWEST else number)
    assert expected(tmp_path) == {"build": 19.5}


def test_what_does_not_count(tmp_path: pathlib.Path) -> None:
    run(tmp_path, 1, 5)
    run(tmp_path, 2, 900, project="other")
    run(tmp_path, 3, 900, verdict="failure")
    run(tmp_path, 4, 0.1, reused="check-1")
    run(tmp_path, 999, 900)
    for number, odd in enumerate(("x", None, True, -1, 1e300), 10):
        run(tmp_path, number, odd)
    (run(tmp_path, 20, 900) / "stages/build.json").write_text("{")
    (run(tmp_path, 21, 900) / "run.json").write_text("[]")
    (tmp_path / "check-30").write_text("a file")
    (tmp_path / "gate-1").mkdir()
    os.symlink(tmp_path / "check-3", tmp_path / "check-40")
    assert expected(tmp_path) == {"build": 5.0}
