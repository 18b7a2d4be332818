# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make targets, so many at once: what fails is named, and what would come after it is not begun."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

PARTS = pathlib.Path(__file__).resolve().parents[2] / "tools/parts.py"
MAKEFILE = """\
good:
\t@echo fine; touch good
bad:
\t@echo broken; touch bad; false
long:
\t@touch begun; until test -e bad; do sleep 0.05; done; seq 99
beside:
\t@until test -e begun; do sleep 0.05; done; touch bad; echo broken; false
"""


def parts(folder: pathlib.Path, *words: str) -> tuple[int, list[str]]:
    (folder / "Makefile").write_text(MAKEFILE)
    done = subprocess.run(
        [sys.executable, str(PARTS), *words],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


def test_one_at_a_time_ends_with_what_fails(tmp_path: pathlib.Path) -> None:
    status, lines = parts(tmp_path, "1", "bad", "good")
    assert status == 1 and lines[-1] == "0 passed, 1 failed (bad), 1 skipped"
    assert not (tmp_path / "good").exists()


def test_each_line_of_two_at_once_says_whose_it_is(tmp_path: pathlib.Path) -> None:
    status, lines = parts(tmp_path, "2", "good", "bad")
    assert status == 1 and lines[-1].startswith("1 passed, 1 failed (bad)")
    assert "good | fine" in lines and "bad | broken" in lines


def test_the_end_of_what_failed_is_told_last(tmp_path: pathlib.Path) -> None:
    """As a long target tells much after it."""
    status, lines = parts(tmp_path, "2", "beside", "long")
    end = lines.index("=== beside FAILED, and ended with:")
    assert status == 1 and lines.index("long | 99") < end
    assert lines[end + 1 : end + 3] == ["broken", "make: *** [Makefile:8: beside] Error 1"]
    assert lines[end + 3 :] == ["1 passed, 1 failed (beside)"]


def test_all_pass(tmp_path: pathlib.Path) -> None:
    assert parts(tmp_path, "2", "good", "good", "good")[1][-1] == "3 passed, 0 failed"
