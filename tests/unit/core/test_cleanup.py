# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cleaners remove, and above all what they leave alone."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._cleanup import find_incoming
from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import (
    DAY,
    Finding,
    Rules,
    apply,
    find_runs,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleanup import (
    find_lease_files,
    find_sandboxes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._cleanup import (
    change_of,
    end_transactions,
    find_test_repositories,
)
from ansible_collections.distrogate.ci.plugins.module_utils._runs._cleanup import find_logs


def age(path: Path, days: float) -> None:
    moment = time.time() - days * DAY
    for folder, folders, files in os.walk(path, topdown=False):
        for name in [*files, *folders]:
            os.utime(Path(folder) / name, (moment, moment), follow_symlinks=False)
    os.utime(path, (moment, moment))


def make_run(runs: Path, name: str, days: float) -> Path:
    run = runs / name
    (run / "stages").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    age(run, days)
    return run


def make_repository(root: Path, key: str, run: str, days: float) -> Path:
    repository = root / key / run
    (repository / "apt").mkdir(parents=True)
    age(repository, days)
    latest = root / key / "latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(run)
    return repository


def reasons(findings: list[Finding]) -> dict[str, tuple[bool, str]]:
    return {os.path.basename(finding.path): (finding.remove, finding.reason) for finding in findings}


def removed(findings: list[Finding]) -> set[str]:
    return {os.path.basename(finding.path) for finding in findings if finding.remove}


def test_only_old_runs_that_nothing_uses_go(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    old, new, pinned, busy = (
        make_run(runs, name, days) for name, days in (("old", 15), ("new", 13), ("pinned", 99), ("busy", 99))
    )
    (runs / "other").mkdir()
    (runs / "link").symlink_to(tmp_path / "elsewhere")
    elsewhere = make_run(tmp_path, "elsewhere", 99)
    with subprocess.Popen(["sleep", "60"], cwd=busy) as process:
        found = list(find_runs(str(runs), Rules(14, 1, [str(pinned)])))
        process.kill()
    assert removed(found) == {"old"}
    assert reasons(found)["pinned"] == (False, "pinned")
    assert reasons(found)["busy"] == (False, "a process works in it")
    assert reasons(found)["other"] == (False, "not a run directory")
    assert "link" not in reasons(found)
    gone, kept, errors = apply(found, check_mode=False)
    assert [finding.path for finding in gone] == [str(old)]
    assert not errors
    assert len(kept) == 4
    assert new.exists() and elsewhere.exists() and not old.exists()


def test_a_file_deep_in_a_run_keeps_it(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", 30)
    (run / "stages" / "build.json").write_text("{}")
    os.utime(run, (0, 0))
    os.utime(run / "stages", (0, 0))
    assert removed(list(find_runs(str(tmp_path), Rules(14, 1)))) == set()


def test_a_dead_runs_sandboxes_go_before_the_run(tmp_path: Path) -> None:
    for name, days in (("idle", 2.0), ("fresh", 0.5)):
        run = make_run(tmp_path, name, 0)
        (run / "scratch/deb/upper").mkdir(parents=True)
        age(run, days)
    found = list(find_runs(str(tmp_path), Rules(14, 1)))
    assert [finding.path for finding in found if finding.remove] == [str(tmp_path / "idle/scratch")]


def test_check_mode_removes_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path, "old", 15)
    gone, _kept, _errors = apply(find_runs(str(tmp_path), Rules(14, 1)), check_mode=True)
    assert [finding.path for finding in gone] == [str(run)]
    assert run.exists()


def test_links_go_and_what_they_name_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    run = make_run(tmp_path / "runs", "old", 0)
    (run / "workspace").symlink_to(outside)
    age(run, 15)
    apply(find_runs(str(tmp_path / "runs"), Rules(14, 1)), check_mode=False)
    assert not run.exists()
    assert (outside / "precious").exists()


def test_one_that_cannot_go_keeps_no_other_from_going(tmp_path: Path) -> None:
    old = make_run(tmp_path, "old", 15)
    findings = [
        Finding("run", str(tmp_path / "missing"), "test", True),
        *find_runs(str(tmp_path), Rules(14, 1)),
    ]
    findings.insert(0, Finding("test_repository", str(tmp_path), "empty", True, when_empty=True))
    gone, kept, errors = apply(findings, check_mode=False)
    assert [finding.path for finding in gone] == [str(old)]
    assert {finding.reason for finding in kept} == {"could not be removed"}
    assert len(errors) == 2


KEY = "check-1-1-0123456789"
BEHIND = "gate-2-1-0123456789"


def test_repositories_of_old_runs_go_with_their_links(tmp_path: Path) -> None:
    make_repository(tmp_path, KEY, "one", 15)
    make_repository(tmp_path, BEHIND, "two", 15)
    make_repository(tmp_path, BEHIND, "three", 1)
    (tmp_path / "incoming" / "thing").mkdir(parents=True)
    age(tmp_path / "incoming", 99)
    found = list(find_test_repositories(str(tmp_path), Rules(14, 1), []))
    assert removed(found) == {"one", "two", "latest", KEY}
    _gone, _kept, errors = apply(found, check_mode=False)
    assert not errors
    assert sorted(path.name for path in tmp_path.rglob("*")) == sorted(
        [BEHIND, "three", "apt", "latest", "incoming", "thing"]
    )


def test_repositories_of_ended_changes_go_unless_they_are_layers(tmp_path: Path) -> None:
    ahead = make_repository(tmp_path, KEY, "one", 0)
    behind = make_repository(tmp_path, BEHIND, "two", 0)
    (behind / "apt/layers").mkdir()
    (behind / "apt/layers/ahead").symlink_to(tmp_path / KEY / "latest" / "apt")
    found = list(find_test_repositories(str(tmp_path), Rules(14, 1), ["1"]))
    assert reasons(found)["one"] == (False, "a layer of another repository")
    assert removed(list(find_test_repositories(str(tmp_path), Rules(14, 1), ["1", "2"]))) == {
        "one", "two", "latest", KEY, BEHIND,
    }  # fmt: skip
    assert ahead.exists()


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("check-1-1-0123456789", "1"),
        ("check-11-1-0123456789", ""),
        ("check-1-1-1-0123456789", ""),
        ("gate-I0a-b-3-0123456789", "I0a/b"),
        (f"gate-{'x' * 60}-0123456789", ""),
        ("other", ""),
    ],
)
def test_the_change_of_a_key(key: str, change: str) -> None:
    known = {"check-1-1-1-0123456789": ["1"]}.get(key, ["1", "I0a/b", "x" * 70])
    assert change_of(key, known) == change


def test_sandboxes_of_ended_leases_go(tmp_path: Path) -> None:
    for te, fence in (("te1", "1"), ("te2", "5")):
        (tmp_path / te / fence / "upper").mkdir(parents=True)
    (tmp_path / "te1" / "notes").mkdir()
    age(tmp_path, 3)
    found = list(find_sandboxes(str(tmp_path), Rules(14, 1, [str(tmp_path / "te2")])))
    assert removed(found) == {"1"}


def test_lease_files_that_nobody_renewed_go(tmp_path: Path) -> None:
    for name, days in (("old.json", 15), ("new.json", 1), ("other", 99)):
        (tmp_path / name).write_text("{}")
        os.utime(tmp_path / name, (time.time() - days * DAY,) * 2)
    (tmp_path / "link.json").symlink_to("other")
    found = list(find_lease_files(str(tmp_path), Rules(14, 1)))
    assert removed(found) == {"old.json"}
    assert "link.json" not in reasons(found)


def test_what_arrived_for_a_dead_promotion_goes(tmp_path: Path) -> None:
    (tmp_path / "a" / ("0" * 64)).mkdir(parents=True)
    (tmp_path / "b" / "else").mkdir(parents=True)
    age(tmp_path, 2)
    assert removed(list(find_incoming([str(tmp_path)], Rules(14, 1)))) == {"a"}


def test_transactions_end_as_the_next_writer_would_end_them(tmp_path: Path) -> None:
    now = time.time()
    log = Transactions(str(tmp_path))
    for name, expires in (("waits", now + 60), ("expired", now - 60)):
        transaction = log.begin(name)
        transaction.put(name, b"x")
        transaction.prepare({}, expires)
    log.begin("undecided").put("undecided", b"x")
    predicted = end_transactions(str(tmp_path), 5, check_mode=True)
    assert {transaction.identifier for transaction in log.all()} == {"waits", "expired", "undecided"}
    assert end_transactions(str(tmp_path), 5, check_mode=False) == predicted
    assert [transaction.identifier for transaction in log.all()] == ["waits"]
    assert [item["outcome"].split(":")[0] for item in predicted] == ["dropped", "dropped", "kept"]


def hold(run: Path, held: bool) -> None:
    (run / "stages/system_test.json").write_text(json.dumps({"facts": {"te": "te1", "held": held}}))


def test_runs_whose_te_was_held_stay_longer(tmp_path: Path) -> None:
    for name, days, held in (("was", 19, True), ("long", 21, True), ("never", 19, False), ("is", 99, False)):
        run = make_run(tmp_path, name, 0)
        hold(run, held)
        age(run, days)
    found = list(find_runs(str(tmp_path), Rules(14, 1, held=["is"])))
    assert removed(found) == {"long", "never"}
    assert reasons(found)["is"] == (False, "its TE is held")
    assert reasons(found)["was"] == (False, "its TE was held: 20 days; not touched for 19.0 days")


def logged(runs: Path, name: str, days: float) -> Path:
    run = make_run(runs, name, 0)
    for folder in ("logs", "report"):
        (run / folder).mkdir()
        (run / folder / "file").write_text("x")
    (run / "report.tar.gz").write_text("x")
    age(run, days)
    return run


def test_logs_go_by_age_and_count_and_runs_stay(tmp_path: Path) -> None:
    runs = {name: logged(tmp_path, name, days) for name, days in (("a", 1), ("b", 2), ("c", 3), ("d", 15))}
    logged(tmp_path, "pinned", 50)
    held = logged(tmp_path, "held", 5)
    hold(held, True)
    rules = Rules(60, 1, [str(tmp_path / "pinned")])
    found = list(find_logs(list(find_runs(str(tmp_path), rules)), rules, days=14, most=2))
    assert {(Path(one.path).parent.name, one.reason) for one in found} == {
        ("c", "2 runs are newer"), ("d", "not touched for 15.0 days"),
    }  # fmt: skip
    _gone, _kept, errors = apply(found, check_mode=False)
    assert not errors
    assert sorted(path.name for path in runs["d"].iterdir()) == ["run.json", "stages"]
    assert sorted(path.name for path in runs["b"].iterdir()) == [
        "logs",
        "report",
        "report.tar.gz",
        "run.json",
        "stages",
    ]
    assert rules.days(str(runs["d"])) > 14, "a run does not become young because its logs went"
    assert not list(find_logs(list(find_runs(str(tmp_path), rules)), rules, days=14, most=2))
