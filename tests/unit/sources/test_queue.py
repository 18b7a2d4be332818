# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No name that a stranger chose passes unless it is harmless everywhere that it is used."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import (
    normal_change,
    normal_queue,
    queue_key,
    refuse_nested,
)

GOOD: dict[str, t.Any] = {
    "project": "openstack/nova",
    "branch": "stable/2026.1",
    "change_id": "I0123456789abcdef0123456789abcdef01234567",
    "ref": "refs/changes/34/1234/2",
}
HOSTILE = [
    "",
    "-x",
    "--upload-pack=touch /tmp/x",
    "../x",
    "a/../b",
    "/etc",
    "a b",
    "a\n",
    "a\0",
    "a\nb",
    "$(id)",
    "`id`",
    "a;b",
    "ä",
    "{{ 1 }}",
    "a\\b",
    "*",
    "a|b",
    "'",
    '"',
    "\u202e",
    ".git",
]
REFS = [
    "refs",
    "main",
    "refs/a..b",
    "refs//a",
    "refs/a.lock",
    "refs/a/",
    "refs/a:b",
    "refs/a~1",
    "refs/.a",
    "refs/a/.b",
]
BRANCHES = ["a//b", "a/", "a.lock", "a.lock/b", "a/.b", "a.", "a./b", "a~1", "a^", "a:b", "a@{1}", "a..b"]


def bad(change: dict[str, t.Any]) -> bool:
    try:
        normal_change(change)
    except DistrogateError as error:
        return error.reason in ("bad_change", "bad_ref", "bad_commit")
    return False


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("key", ["project", "branch", "change_id", "ref", "commit"])
def test_hostile_names(key: str, value: str) -> None:
    assert bad({**GOOD, key: value}) or (value == "" and key in ("ref", "commit"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("ref", value) for value in REFS),
        *(("branch", value) for value in BRANCHES),
        ("commit", "0" * 39),
        ("commit", "0" * 40 + "\n"),
        ("commit", "HEAD"),
        ("patch_set", "1 2"),
        ("project", "a/.git"),
        ("project", "a//b"),
        ("change_id", "x" * 129),
        ("extra", "x"),
        ("project", {"a": 1}),
    ],
)
def test_other_bad_values(key: str, value: t.Any) -> None:
    assert bad({**GOOD, key: value})


@settings(max_examples=300)
@given(st.sampled_from(["project", "branch", "change_id", "patch_set"]), st.text(max_size=40))
@example("branch", "a/.b")
def test_what_passes_is_harmless(key: str, value: str) -> None:
    try:
        passed = normal_change({**GOOD, key: value})[key]
    except DistrogateError:
        return
    assert passed.isascii() and passed[0].isalnum() and ".." not in passed
    assert not set(passed) & set(" \t\r\n\0\\\"'`$&;|<>(){}[]*?!^#")


@settings(max_examples=60)
@given(st.text(alphabet="ab./@+-_", min_size=1, max_size=12))
def test_git_takes_the_branches_that_pass(name: str) -> None:
    if not bad({**GOOD, "branch": name}):
        git = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False)
        assert git.returncode == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("project", "hello"),
        ("project", "a.b/c_d+e"),
        ("branch", "main"),
        ("branch", "feature/x_y+z"),
        ("change_id", "1234"),
        ("change_id", "openstack/nova~stable/2026.1~I01"),
        ("change_id", 1234),
        ("patch_set", 2),
        ("ref", "refs/pull/12/head"),
        ("ref", "refs/merge-requests/1/head"),
        ("commit", "0" * 64),
    ],
)
def test_normal_names(key: str, value: t.Any) -> None:
    assert normal_change({**GOOD, key: value})[key] == str(value)


def test_normal_form() -> None:
    assert normal_change(GOOD) == {**GOOD, "patch_set": "1", "commit": ""}
    assert bad({key: value for key, value in GOOD.items() if key != "ref"})


def test_queues() -> None:
    with pytest.raises(DistrogateError, match="queue is empty"):
        normal_queue([])
    with pytest.raises(DistrogateError, match="stands twice"):
        normal_queue([GOOD, GOOD])
    two = normal_queue([GOOD, {**GOOD, "change_id": "a/b~c", "commit": "1" * 40}])
    assert queue_key("gate", two).startswith("gate-a-b-c-1-")
    assert queue_key("gate", two) != queue_key("gate", two[1:])


def test_a_project_inside_another() -> None:
    refuse_nested(["a/b", "a/bc", "a-b", "c"])
    with pytest.raises(DistrogateError, match="a/b would lie inside a"):
        refuse_nested(["a/b", "c", "a"])
