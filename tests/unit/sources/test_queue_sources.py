# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One queue, whoever tells it: a variable, a file, Zuul, or Gerrit's environment in Jenkins."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue_sources import find
from ansible_collections.distrogate.ci.plugins.plugin_utils._queue_file import read_queue_file

COMMIT, OTHER = "1" * 40, "2" * 40
OURS = {"project": "org/p", "branch": "main", "change_id": "1234", "ref": "refs/changes/34/1234/2"}
GERRIT = {
    "GERRIT_EVENT_TYPE": "patchset-created",
    "GERRIT_PROJECT": "org/p",
    "GERRIT_BRANCH": "main",
    "GERRIT_CHANGE_NUMBER": "1234",
    "GERRIT_PATCHSET_NUMBER": "2",
    "GERRIT_REFSPEC": "refs/changes/34/1234/2",
    "GERRIT_PATCHSET_REVISION": COMMIT,
    "GERRIT_CHANGE_SUBJECT": "<script>alert(1)</script>",
    "GERRIT_CHANGE_COMMIT_MESSAGE": "bm90IHJlYWQ=",
}
PROJECT = {
    "name": "org/p",
    "short_name": "p",
    "canonical_hostname": "git.example.org",
    "canonical_name": "git.example.org/org/p",
    "src_dir": "src/git.example.org/org/p",
}


def item(number: int, **more: t.Any) -> dict[str, t.Any]:
    return {
        "project": dict(PROJECT),
        "branch": "main",
        "change": str(number),
        "patchset": "2",
        "change_url": f"https://review.example.org/c/org/p/+/{number}",
        "change_message": "{{ lookup('pipe', 'id') }} <img onerror=x>",
        "topic": None,
        **more,
    }


def zuul(*items: t.Any, **more: t.Any) -> dict[str, t.Any]:
    return {"pipeline": "gate", "items": list(items), **more}


def ask(
    variables: dict[str, t.Any] | None = None, environment: dict[str, str] | None = None, projects: t.Any = ()
) -> dict[str, t.Any]:
    return find(variables or {}, environment or {}, read_queue_file, projects)


def reason(*arguments: t.Any, **more: t.Any) -> str:
    with pytest.raises(DistrogateError) as caught:
        ask(*arguments, **more)
    assert len(caught.value.message) < 1500, "an error that nobody can read"
    return caught.value.reason


def test_none_and_two() -> None:
    with pytest.raises(
        DistrogateError, match=r"distrogate_queue and queue_file, Zuul.*GERRIT_PROJECT"
    ) as caught:
        ask()
    assert caught.value.reason == "no_queue"
    assert reason({"distrogate_queue": [OURS], "queue_file": "x"}) == "two_queues"
    assert reason({"zuul": zuul(item(1))}, GERRIT) == "two_queues"
    assert ask({"distrogate_queue": [OURS], "zuul": zuul(item(1))}, GERRIT)["source"] == "distrogate_queue"


def test_gerrit_gives_what_zuul_gives() -> None:
    """The same change has the same form, whoever tells of it; so it has the same key, too."""
    told = ask({}, GERRIT)
    assert told["queue"] == ask({"zuul": zuul(item(1234, commit_id=COMMIT))})["queue"]
    assert told["queue"] == [{**OURS, "patch_set": "2", "commit": COMMIT}]
    assert told["said"] == ("queue of 1 change from Gerrit's environment (patchset-created): 1234,2 of org/p")


def test_gerrit_after_the_merge() -> None:
    merged = {**GERRIT, "GERRIT_EVENT_TYPE": "change-merged", "GERRIT_NEWREV": OTHER}
    assert ask({}, merged)["queue"][0]["commit"] == OTHER
    pushed = {
        "GERRIT_EVENT_TYPE": "ref-updated",
        "GERRIT_PROJECT": "org/p",
        "GERRIT_REFNAME": "refs/heads/stable/1",
        "GERRIT_NEWREV": OTHER,
    }
    change = ask({}, pushed)["queue"][0]
    assert (change["branch"], change["commit"], change["ref"]) == ("stable/1", OTHER, "")
    assert ask({}, {**pushed, "GERRIT_REFNAME": "stable/1"})["queue"] == [change]
    for ref in ("refs/tags/1", "refs/meta/config", "refs/changes/34/1234/2"):
        assert reason({}, {**pushed, "GERRIT_REFNAME": ref}) == "no_branch"
    assert reason({}, {**pushed, "GERRIT_NEWREV": "0" * 40}) == "no_branch"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("GERRIT_PROJECT", "", "unclear_queue"),
        ("GERRIT_PROJECT", "--upload-pack=x", "bad_change"),
        ("GERRIT_PROJECT", "a/../b", "bad_change"),
        ("GERRIT_BRANCH", "main\nx", "bad_change"),
        ("GERRIT_BRANCH", "x" * 100000 + "~", "bad_change"),
        ("GERRIT_CHANGE_NUMBER", "-1", "bad_change"),
        ("GERRIT_CHANGE_NUMBER", "12345", "unclear_queue"),
        ("GERRIT_REFSPEC", "--upload-pack=x", "unclear_queue"),
        ("GERRIT_REFSPEC", "refs/heads/main", "unclear_queue"),
        ("GERRIT_PATCHSET_REVISION", "HEAD", "bad_commit"),
    ],
)
def test_hostile_environment(name: str, value: str, expected: str) -> None:
    assert reason({}, {**GERRIT, name: value}) == expected


def test_zuul_projects_are_called_as_the_profile_calls_them() -> None:
    told = ask({"zuul": zuul(item(1), item(2), change="2")}, projects=["git.example.org/org/p"])
    assert [one["project"] for one in told["queue"]] == ["git.example.org/org/p"] * 2
    assert told["checkouts"] == {"git.example.org/org/p": "src/git.example.org/org/p"}
    assert told["ahead"] is None
    other = {**PROJECT, "canonical_name": "other.example.org/org/p", "src_dir": "src/other.example.org/org/p"}
    assert reason({"zuul": zuul(item(1), item(2, project=other))}) == "bad_queue"


def test_zuul_with_pull_requests() -> None:
    """Two projects have a pull request 7 each; a patch set is a commit."""
    web = {
        **PROJECT,
        "name": "org/q",
        "canonical_name": "github.com/org/q",
        "src_dir": "src/github.com/org/q",
    }
    one = item(7, patchset=COMMIT, change_url="https://github.com/org/p/pull/7")
    two = item(7, patchset=OTHER, change_url="https://github.com/org/q/pull/7", project=web)
    queue = ask({"zuul": zuul(one, two)})["queue"]
    assert [change["change_id"] for change in queue] == ["org/p~7", "org/q~7"]
    assert queue[1]["ref"] == "refs/pull/7/head"
    assert queue[1]["commit"] == OTHER
    lab = item(7, patchset=COMMIT, change_url="https://gitlab.com/org/p/merge_requests/7")
    assert ask({"zuul": zuul(lab)})["queue"][0]["ref"] == "refs/merge-requests/7/head"


def test_zuul_branches() -> None:
    pushed = {"project": PROJECT, "branch": "main", "newrev": OTHER, "oldrev": COMMIT}
    assert ask({"zuul": zuul(pushed)})["queue"][0]["commit"] == OTHER
    timer = {"project": PROJECT, "branch": "main"}
    assert ask({"zuul": zuul(timer)})["queue"][0]["ref"] == "refs/heads/main"
    assert reason({"zuul": zuul({"project": PROJECT, "branch": "main", "oldrev": COMMIT})}) == "no_branch"
    assert reason({"zuul": zuul({"project": PROJECT, "tag": "1.0", "newrev": OTHER})}) == "no_branch"


def cycle() -> list[t.Any]:
    knot: list[t.Any] = []
    knot.append(knot)
    return knot


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "bad_queue"),
        ({}, "no_queue"),
        (zuul(), "empty_queue"),
        (zuul(*([item(1)] * 10000)), "long_queue"),
        (zuul(item(1), item(1)), "bad_change"),
        (zuul("x"), "bad_queue"),
        ({"items": cycle()}, "bad_queue"),
        (zuul(item(1, change=cycle())), "bad_change"),
        (zuul(item(1, branch="x" * 10**6)), "bad_change"),
        (zuul(item(1, branch="../x")), "bad_change"),
        (zuul(item(1, patchset="--x")), "bad_change"),
        (zuul(item(1, commit_id="HEAD")), "bad_commit"),
        (zuul(item(1, project={**PROJECT, "src_dir": "src/../../etc"})), "bad_queue"),
        (zuul(item(1, project={**PROJECT, "src_dir": "/etc"})), "bad_queue"),
        (zuul(item(1, project={**PROJECT, "src_dir": None})), "bad_queue"),
        (zuul(item(1, project={**PROJECT, "name": "-x"})), "bad_change"),
        (zuul(item(1), change="2"), "unclear_queue"),
    ],
)
def test_hostile_zuul(value: t.Any, expected: str) -> None:
    assert reason({"zuul": value}) == expected


def artifact(number: int, **metadata: t.Any) -> dict[str, t.Any]:
    ours = {
        "type": "distrogate.ci run",
        "queue_key": f"gate-{number}-2-0123456789",
        "run_id": f"gate-{number}",
    }
    where = {
        "project": "org/p",
        "change": str(number),
        "patchset": "2",
        "job": "x",
        "name": "n",
        "url": "http://x/",
    }
    return {**where, "metadata": {**ours, **metadata}}


def test_what_the_changes_ahead_handed_on() -> None:
    foreign = {"project": "org/p", "change": "1", "patchset": "2", "name": "docs", "url": "x", "metadata": {}}
    items = (item(1), item(2), item(3))
    given = [foreign, artifact(2), artifact(1), artifact(3), artifact(9)]
    told = ask({"zuul": zuul(*items, artifacts=given)})
    assert told["ahead"] == ["gate-1-2-0123456789/gate-1", "gate-2-2-0123456789/gate-2"]
    assert ask({"zuul": zuul(*items, artifacts=[foreign])})["ahead"] is None
    assert ask({"zuul": zuul(*items, artifacts="x")})["ahead"] is None
    for bad in (
        {"queue_key": "../x"},
        {"run_id": "a/b"},
        {"run_id": ""},
        {"queue_key": "a..b"},
        {"run_id": [1]},
    ):
        assert reason({"zuul": zuul(*items, artifacts=[artifact(1, **bad)])}) == "bad_artifact"


def written(folder: pathlib.Path, text: str) -> dict[str, str]:
    path = folder / "queue"
    path.write_text(text)
    return {"queue_file": str(path)}


def test_files(tmp_path: pathlib.Path) -> None:
    """A branch 2026.10 is no number, whatever YAML and JSON think."""
    text = "- project: p\n  branch: 2026.10\n  change_id: 007\n  ref: refs/changes/07/7/1\n"
    change = ask(written(tmp_path, text))["queue"][0]
    assert (change["branch"], change["change_id"]) == ("2026.10", "007")
    assert ask(written(tmp_path, json.dumps({"distrogate_queue": [OURS]})))["queue"][0]["change_id"] == "1234"
    told = ask(written(tmp_path, json.dumps({"zuul": zuul(item(1))})))
    assert told["source"].startswith("zuul.items in ")
    number = '[{"project": "p", "branch": 2026.10, "change_id": 1, "ref": "refs/x/y"}]'
    assert ask(written(tmp_path, number))["queue"][0]["branch"] == "2026.10"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "bad_queue"),
        ("[]", "empty_queue"),
        ("[{]", "bad_queue"),
        ("- &a [*a]", "bad_queue"),
        ("- &a {project: *a, branch: b, change_id: c, ref: refs/x}", "bad_queue"),
        ("- !!python/object/apply:os.system ['touch pwned']", "bad_queue"),
        ("a: 1\nb: 2", "bad_queue"),
        ("[" * 100000, "bad_queue"),
        ("- {project: p}\n" * 10000, "long_queue"),
        ("x" * (5 << 20), "long_queue"),
        ('[{"project": "p", "branch": "b", "change_id": "c", "ref": "--exec=x"}]', "bad_ref"),
        (
            '[{"project": "p", "branch": "b", "change_id": "c", "ref": "refs/a", "subject": "<b>"}]',
            "bad_change",
        ),
    ],
)
def test_hostile_files(tmp_path: pathlib.Path, text: str, expected: str) -> None:
    assert reason(written(tmp_path, text)) == expected


def test_a_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    assert reason({"queue_file": str(tmp_path / "none")}) == "no_queue"
    assert reason({"queue_file": str(tmp_path)}) == "no_queue"
