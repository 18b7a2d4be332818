# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lengths of time, the ways into a TE, and sentences about stages."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.distrogate.ci.plugins.filter.deployed import FilterModule as Deployed
from ansible_collections.distrogate.ci.plugins.filter.seconds import FilterModule as Seconds
from ansible_collections.distrogate.ci.plugins.filter.stage_sentences import FilterModule as Sentences
from ansible_collections.distrogate.ci.plugins.filter.ways_in import FilterModule as WaysIn
from ansible_collections.distrogate.ci.plugins.module_utils._core._told import duration

deployed = Deployed().filters()["deployed"]
seconds = Seconds().filters()["seconds"]
ways_in = WaysIn().filters()["ways_in"]
sentences = Sentences().filters()["stage_sentences"]


@pytest.mark.parametrize(
    ("text", "wanted"), [("", 0), (None, 0), ("30s", 30), ("90m", 5400), ("2h", 7200), ("30d", 2592000)]
)
def test_lengths_of_time(text: t.Any, wanted: int) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["2", "2x", "0h", "-1h", "1h30m", "2 h", "31d", "1e3s", "2h\n", 7200, "٢h"])
def test_what_is_no_length_of_time(text: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"hold=.* is no length of time: give a number"):
        seconds(text, "hold")


def te(guards: t.Sequence[t.Any] = (), **variables: t.Any) -> dict[str, t.Any]:
    return {"name": "te1", "pool": "p", "fence": 7, "hosts": {"m": variables}, "guards": list(guards)}


def test_a_machine_with_sshd() -> None:
    facts = {"ansible_host": "192.0.2.7", "ansible_user": "ci", "ansible_port": 2222}
    assert ways_in(te(**facts, ansible_ssh_private_key_file="/k/a key")) == [
        "m: user ci at 192.0.2.7, port 2222, key /k/a key",
        "    ssh -i '/k/a key' -p 2222 -- ci@192.0.2.7",
    ]
    assert ways_in(te()) == ["m: m, port 22", "    ssh -- m"]


def test_a_guard_knows_only_the_key_of_a_person() -> None:
    facts = {"ansible_user": "ci", "ansible_ssh_private_key_file": "/leases/gone.key"}
    (line,) = ways_in(te([{"host": "m"}], **facts))
    assert "its guard lets nobody in" in line and "distrogate_hold_person" in line
    assert ways_in(te([{"host": "m"}], **facts), True) == [
        "m: user ci at m, port 22, with your own key",
        "    ssh -- ci@m",
    ]


def test_a_sandbox_and_others() -> None:
    facts = {"distrogate_sandbox_rootfs": "/r oot", "distrogate_sandbox_directory": "/te/te1"}
    first, second = ways_in(te(ansible_connection="distrogate.ci.sandbox", **facts))
    assert first == "m: a sandbox on the controller"
    assert "'distrogate_sandbox_rootfs=/r oot' -e distrogate_sandbox_directory=/te/te1/7 m" in second
    assert ways_in(te(ansible_connection="local")) == ["m: by the connection local, as it is registered"]
    with pytest.raises(AnsibleFilterError):
        ways_in("te1")


def test_sentences_about_stages() -> None:
    stages: list[dict[str, t.Any]] = [
        {"name": "build", "verdict": "success", "seconds": 25.34},
        {"name": "lint", "verdict": "success", "seconds": 2, "reused": "this_run"},
        {"name": "sign", "verdict": "success", "seconds": 2, "reused": "gate-7"},
        {"name": "seal", "verdict": "cancelled", "seconds": 3, "cancelled_by": "signal"},
        {
            "name": "test",
            "verdict": "failure",
            "seconds": 1,
            "reason": "test_failed",
            "log": "/r/logs/test.log",
        },
    ]
    assert sentences(stages) == [
        "build succeeded in 25.3 s",
        "lint succeeded: its earlier result is reused",
        "sign succeeded: reused from gate-7",
        "seal was cancelled by a signal after 3.0 s",
        "test failed after 1.0 s [test_failed], see /r/logs/test.log",
    ]
    for wrong in ("build", [{"name": "build"}], None):
        with pytest.raises(AnsibleFilterError):
            sentences(wrong)


def test_how_long_a_person_says_it_took() -> None:
    given = (0.44, 9.96, 25.4, 59.6, 80, 120, 3661, 7200)
    wanted = ["0.4 s", "10 s", "25 s", "1 min", "1 min 20 s", "2 min", "1 h 1 min", "2 h"]
    assert [duration(number) for number in given] == wanted


def test_a_te_of_an_image() -> None:
    box = {"distrogate_sandbox_directory": "/te", "distrogate_sandbox_rootfs": "/other"}
    te = {"name": "te1", "hosts": {"a": box, "b": box}}
    found = deployed(te, "/images/1")
    assert found["hosts"] == {name: {**box, "distrogate_sandbox_rootfs": "/images/1/root"} for name in "ab"}
    assert te["hosts"]["a"] is box


@pytest.mark.parametrize(
    ("te", "image", "words"),
    [
        ({"hosts": {}}, "", "has no image"),
        (
            {"name": "te1", "hosts": {"a": {"ansible_host": "192.0.2.1"}}},
            "/i",
            "te1 cannot run the image: a is no",
        ),
        ("te1", "/i", "takes a TE"),
    ],
)
def test_what_cannot_be_deployed(te: t.Any, image: str, words: str) -> None:
    with pytest.raises(AnsibleFilterError, match=words):
        deployed(te, image)
