# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mirror.json is what we write, or it is not believed."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._record import RECORD_LIMIT, parse_record
from ansible_collections.distrogate.ci.tests.unit.mirrors.test_peers import record


def test_there_and_back() -> None:
    for one in (record(), record(next="a" * 64, parts={"apt/": {"content": "x"}}, serial=0, time=0)):
        assert parse_record(one.to_bytes(), "m") == one


@pytest.mark.parametrize(
    "change",
    [
        {"name": 1},
        {"name": "../x"},
        {"name": ""},
        {"name": "x\n"},
        {"origin": "0" * 31},
        {"origin": None},
        {"origin": "0" * 32 + "\n"},
        {"snapshot": "G" * 64},
        {"snapshot": "0" * 64 + "\n"},
        {"next": 0},
        {"next": ""},
        {"parts": []},
        {"parts": None},
        {"serial": True},
        {"serial": -1},
        {"serial": 1 << 63},
        {"serial": 1.0},
        {"time": "now"},
        {"time": -1},
        {"time": False},
        {"time": 1e400},
        {"version": 1},
        {"version": True},
        {"version": "2"},
        {"more": 1},
    ],
)
def test_refused(change: dict[str, t.Any]) -> None:
    value = {**json.loads(record().to_bytes()), **change}
    with pytest.raises(DistrogateError) as caught:
        parse_record(json.dumps(value).encode(), "rsync://m/x")
    assert caught.value.reason == "bad_record" and caught.value.message.startswith("rsync://m/x: ")


@pytest.mark.parametrize(
    "missing", ["name", "origin", "snapshot", "next", "parts", "serial", "time", "version"]
)
def test_every_key_is_needed(missing: str) -> None:
    value = json.loads(record().to_bytes())
    del value[missing]
    with pytest.raises(DistrogateError):
        parse_record(json.dumps(value).encode(), "m")


def test_bounded() -> None:
    with pytest.raises(DistrogateError, match="larger"):
        parse_record(record(parts={"x": "y" * RECORD_LIMIT}).to_bytes(), "m")
