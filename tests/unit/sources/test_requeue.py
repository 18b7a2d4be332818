# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new order: each change behind is tested again on exactly what is ahead of it now, and nothing else is."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _requeue, _requeue_runs
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_queue, queue_key
from ansible_collections.distrogate.ci.tests.unit.sources.repositories import Machine, Project

Queue = list[dict[str, str]]


def queue(names: str) -> Queue:
    changes = [
        {"project": "p", "branch": "main", "change_id": name, "commit": f"{ord(name):040x}"} for name in names
    ]
    return normal_queue(changes) if changes else []


def names(changes: t.Iterable[t.Mapping[str, str]]) -> str:
    return "".join(change["change_id"] for change in changes)


def alone(_change: t.Any, _other: t.Any) -> bool:
    return False


class Builder:
    """Runs of the gate in a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = str(folder)
        self._number = 0

    def ran(self, changes: str, failed: str = "", pipeline: str = "gate") -> str:
        self._number += 1
        run = Run(f"{self.folder}/{pipeline}-{self._number}")
        tested = queue(changes)
        run.create(
            {
                "id": f"{pipeline}-{self._number}",
                "pipeline": pipeline,
                "created": f"2026-01-01T00:00:{self._number:02}Z",
                "queue": [{**change, "tree": "x", "subject": "<b>"} for change in tested],
                "queue_key": queue_key(pipeline, tested),
                "projects": {},
            }
        )
        Stage(run, "build").write("failure" if failed == "build" else "success")
        return f"{pipeline}-{self._number}"

    def runs(self) -> list[dict[str, t.Any]]:
        return _requeue_runs.runs_of(self.folder, "gate")


@pytest.fixture
def builder(tmp_path: pathlib.Path) -> Builder:
    return Builder(tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "tests", "void"),
    [
        ("ABCD", "ACD", ["AC", "ACD"], ["AB", "ABC", "ABCD"]),
        ("ABCD", "BCD", ["B", "BC", "BCD"], ["A", "AB", "ABC", "ABCD"]),
        ("ABCD", "ABC", [], ["ABCD"]),
        ("ABCD", "ABDC", ["ABD", "ABDC"], ["ABC", "ABCD"]),
        ("AB", "ABC", ["ABC"], []),
        ("AB", "AB", [], []),
        ("AB", "", [], ["A", "AB"]),
    ],
)
def test_only_what_differs(before: str, after: str, tests: list[str], void: list[str]) -> None:
    new, old = queue(after), queue(before)
    assert [names(one) for one in _requeue.tests_of(new, old)] == tests
    assert [names(one) for one in _requeue.void_of(new, old)] == void


def test_a_new_patch_set_is_another_change() -> None:
    old = queue("AB")
    new = [{**old[0], "patch_set": "2", "commit": "f" * 40}, old[1]]
    assert len(_requeue.tests_of(new, old)) == 2
    same_again = [{**old[0], "commit": ""}, old[1]]  # nobody said the commit; it is the same patch set
    assert _requeue.tests_of(same_again, old) == []


def test_the_current_queue_and_what_failed(builder: Builder) -> None:
    """Those behind what failed were tested on top of it: they are tested again, not dropped."""
    builder.ran("X", pipeline="check")
    for changes, failed in (("A", ""), ("AB", "build"), ("ABC", "build"), ("ABCD", "build")):
        builder.ran(changes, failed)
    runs = builder.runs()
    current = _requeue_runs.newest_queue(runs, builder.folder)
    assert names(current) == "ABCD"
    found = _requeue_runs.failed_in(current, runs, ())
    assert found == {"B": "its run gate-3 failed at build"}
    assert _requeue_runs.failed_in(current, runs, ("A",)) == {}
    kept, dropped = _requeue.without(current, found, alone)
    assert (names(kept), [one["change_id"] for one in dropped]) == ("ACD", ["B"])
    void = _requeue.void_runs(_requeue.void_of(kept, current), runs)
    assert [one["run_id"] for one in void] == ["gate-3", "gate-4", "gate-5"]
    assert void[0]["queue_key"] == queue_key("gate", queue("AB"))


def test_what_passed_at_last_did_not_fail(builder: Builder) -> None:
    builder.ran("A", "build")
    builder.ran("A")
    assert _requeue_runs.failed_in(queue("A"), builder.runs(), ()) == {}


def test_one_fails_in_the_new_order(builder: Builder) -> None:
    """C fails on A; D is then tested on A alone, and C's run counts no more."""
    plan = {
        "queue": queue("ACD"),
        "tests": [queue("AC"), queue("ACD")],
        "passed": [],
        "dropped": [],
        "void": [],
    }
    failed = builder.ran("AC", "build")
    plan = _requeue.after(plan, "failure", alone, builder.runs())
    assert [names(one) for one in plan["tests"]] == ["AD"]
    assert [one["run_id"] for one in plan["void"]] == [failed]
    assert plan["dropped"][0]["change_id"] == "C"
    plan = _requeue.after(plan, "success", alone, builder.runs())
    assert (plan["tests"], plan["passed"], plan["void"]) == ([], ["D"], [])
    assert names(plan["queue"]) == "AD"


def test_what_was_not_tested_is_not_dropped(builder: Builder) -> None:
    """A host that is not ready says nothing of a change."""
    plan = {"queue": queue("A"), "tests": [queue("A")], "passed": [], "dropped": [], "void": []}
    with pytest.raises(DistrogateError, match="stays in the queue"):
        _requeue.after(plan, "failure", alone, builder.runs())
    builder.ran("A")
    with pytest.raises(DistrogateError, match="no stage of it failed"):
        _requeue.after(plan, "failure", alone, builder.runs())


def test_what_is_built_on_it_goes_too(machine: Machine, project: Project) -> None:
    """Gerrit's chains: merging the child would merge what failed."""
    one = project.commit({"a": "1\n"})
    two = project.commit({"b": "2\n"})
    first, child = project.propose(1, one), project.propose(2, two)
    other = project.change(3, {"c": "3\n"})
    frozen = machine.freeze(first, child, other)
    runs = [{"projects": frozen["projects"]}]
    depends = _requeue_runs.built_on(machine.cache, runs)
    kept, dropped = _requeue.without(_requeue.plain(frozen["queue"]), {"1": "it failed"}, depends)
    assert [one["change_id"] for one in kept] == ["3"]
    assert "would merge it, too" in dropped[1]["reason"]


def test_orders() -> None:
    assert names(_requeue.reordered(queue("ABC"), ["C", "A"])) == "CA"
    for order in (["A", "A"], ["X"], []):
        with pytest.raises(DistrogateError):
            _requeue.reordered(queue("ABC"), order)
    with pytest.raises(DistrogateError, match="no change X in the queue, which is A, B, C"):
        _requeue.without(queue("ABC"), {"X": ""}, alone)


def test_strange_things_among_the_runs(builder: Builder, tmp_path: pathlib.Path) -> None:
    """What is no run, or is not whole, is nobody's queue."""
    builder.ran("A")
    for name, text in {"gate-x": "{", "gate-y": "[]", "gate-z": '{"pipeline": "gate", "queue": 1}'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(text)
    (tmp_path / "gate-link").symlink_to(tmp_path / "gate-1")
    (tmp_path / "gate-none").mkdir()
    assert {run["run_id"] for run in builder.runs()} == {"gate-1"}
    with pytest.raises(DistrogateError, match="no run of this pipeline"):
        _requeue_runs.newest_queue(_requeue_runs.runs_of(str(tmp_path / "none"), "gate"), "none")
