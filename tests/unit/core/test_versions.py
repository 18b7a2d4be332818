# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order of versions, against a table and against dpkg and rpm themselves."""

from __future__ import annotations

import json
import random
import shutil
import subprocess

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._versions import (
    compare_deb,
    compare_rpm,
    deb_key,
    rpm_key,
)

DEB = [  # each row ascends; what is in one text, separated by blanks, is equal
    ["1.0~~", "1.0~~a", "1.0~", "1.0 1.0-0 0:1.0 1.00 1.0-00", "1.0a 1.0a0", "1.0+", "1.0.", "1.0.1"],
    ["9", "10", "1:0", "1:1-1", "2:0", "10:0"],
    ["1.0-1~bpo1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-2", "1.0-10"],
    ["1.0-rc1", "1.0-1-1"],
    ["0~", "0 0-0", "0a", "0+", "0.1", "1 01 001"],
    ["1.2.3~rc1-1", "1.2.3-1", "1.2.3a-1", "1.2.3+dfsg-1"],
    ["1" + "0" * 5000, "2" + "0" * 5000, "1" + "0" * 5001],
]
RPM = [
    ["1.0~rc1-1", "1.0-1 0:1.0-1 1.0.-1 1..0-1 1_0-1 01.00-01", "1.0-2", "1.0^git1-1", "1.0.1-1"],
    ["1.0~~-1", "1.0~-1", "1.0~^-1", "1.0~a-1", "1.0~1-1"],
    ["1.0a-1", "1.0b-1 1.0.b-1 1.0b.-1", "1.0ba-1", "1.0.1-1", "1.0.10-1"],
    ["1.0^~1-1", "1.0^-1", "1.0^a-1", "1.0^1-1", "1.0.a-1"],
    ["9-9", "1:0-0", "2:0-0", "10:0-0"],
    ["1A-1", "1Z-1", "1a-1", "1.1-1"],
    ["1-" + "9" * 5000, "1-1" + "0" * 5000],
]


@pytest.mark.parametrize("row", DEB + RPM, ids=lambda row: row[0][:20])
def test_rows_ascend(row: list[str]) -> None:
    compare, key = (compare_deb, deb_key) if row in DEB else (compare_rpm, rpm_key)
    groups = [group.split(" ") for group in row]
    for place, group in enumerate(groups):
        for one in group:
            for other_place, others in enumerate(groups):
                expected = (place > other_place) - (place < other_place)
                for other in others:
                    assert compare(one, other) == expected, (one, other)
                    assert (key(one) < key(other)) == (expected < 0)


def random_versions(count: int, tail: str, extra: str) -> list[tuple[str, str]]:
    """Pairs that often share a beginning, or there would be little to compare."""
    source = random.Random(20240229)

    def text(limit: int, least: int = 0) -> str:
        return "".join(source.choice("0001129aabZ.+~~" + extra) for _n in range(source.randint(least, limit)))

    pairs = []
    for _number in range(count):
        shared = source.choice("01") + text(3)
        one, other = (
            source.choice(["", "", "0:", "1:"])
            + shared
            + text(4)
            + (f"-{text(4, 1)}" if tail or source.random() < 0.7 else "")
            for _side in range(2)
        )
        pairs.append((one, other))
    return pairs


def test_deb_as_dpkg() -> None:
    if not shutil.which("dpkg"):
        pytest.skip("dpkg is not installed")
    for one, other in random_versions(90, "", ""):
        answers = [
            subprocess.run(["dpkg", "--compare-versions", one, relation, other], check=False).returncode
            for relation in ("lt", "eq")
        ]
        assert {0, 1} >= set(answers), (one, other)
        expected = -1 if answers[0] == 0 else 0 if answers[1] == 0 else 1
        assert compare_deb(one, other) == expected, (one, other)


SCRIPT = """
import json, re, sys, rpm
def parts(text):
    return re.fullmatch("(?:([0-9]+):)?(.*)-([^-]*)", text).groups()
print(json.dumps([rpm.labelCompare(parts(a), parts(b)) for a, b in json.load(sys.stdin)]))
"""


def test_rpm_as_rpm() -> None:
    pairs = random_versions(5000, "release", "^^_")
    done = subprocess.run(
        ["/usr/bin/python3", "-c", SCRIPT],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        check=False,
    )
    if "No module named 'rpm'" in done.stderr:
        pytest.skip("python3-rpm is not installed")
    expected = json.loads(done.stdout)
    assert set(expected) == {-1, 0, 1}
    for (one, other), answer in zip(pairs, expected):
        assert compare_rpm(one, other) == answer, (one, other)
