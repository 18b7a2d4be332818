# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything is durable before the name that makes it visible; and a log where it is not is found out."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from ansible_collections.distrogate.ci.tests.faults import order, trace
from ansible_collections.distrogate.ci.tests.faults.repositories import Repository

traced = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
SWITCH = "dists/b/InRelease"
GOOD = """\
1 mkdir("/r/.distrogate/transactions/t", 0777) = 0
1 fsync(3</r/.distrogate/transactions>) = 0
1 openat(AT_FDCWD</>, "/r/.distrogate/transactions/t/1", O_RDWR|O_CREAT, 0600) = 3
1 write(3</r/.distrogate/transactions/t/1>, ""..., 5) = 5
1 fsync(3</r/.distrogate/transactions/t/1>) = 0
1 openat(AT_FDCWD</>, "/r/.distrogate/transactions/t/2", O_WRONLY|O_CREAT, 0666) = 3
1 ioctl(3</r/.distrogate/transactions/t/2>, BTRFS_IOC_CLONE or FICLONE, 4</in/x>) = 0
1 fdatasync(3</r/.distrogate/transactions/t/2>) = 0
1 mkdir("/r/pool", 0777) = 0
1 fsync(3</r>) = 0
1 fsync(3</r/.distrogate/transactions/t>) = 0
1 openat(AT_FDCWD</>, "/r/.distrogate/transactions/t/.tmp", O_RDWR|O_CREAT, 0600) = 3
1 write(3</r/.distrogate/transactions/t/.tmp>, ""..., 5 <unfinished ...>
2 write(3</elsewhere>, ""..., 5) = 5
1 <... write resumed>) = 5
1 fsync(3</r/.distrogate/transactions/t/.tmp>) = 0
1 rename("/r/.distrogate/transactions/t/.tmp", "/r/.distrogate/transactions/t/record.json") = 0
1 fsync(3</r/.distrogate/transactions/t>) = 0
1 renameat2(AT_FDCWD</>, "/r/.distrogate/transactions/t/1", AT_FDCWD</>, "/r/pool/x.deb", 0) = 0
1 fsync(3</r/pool>) = 0
1 rename("/r/.distrogate/transactions/t/2", "/r/dists/b/InRelease") = 0
1 fsync(3</r/dists/b>) = 0
1 unlinkat(5</r/pool>, "old.deb", 0) = 0
1 fsync(3</r/pool>) = 0
1 unlink("/r/.distrogate/transactions/t/record.json") = 0
"""


def found(log: str) -> str:
    return "\n".join(order.complaints(log, "/r", SWITCH))


def test_a_good_log_is_good() -> None:
    assert found(GOOD) == ""


@pytest.mark.parametrize(
    ("without", "complaint"),
    [
        ("fsync(3</r/.distrogate/transactions>)", "t/record.json is not durable"),
        ("fsync(3</r/.distrogate/transactions/t/1>)", "t/1 is not durable when the record is written"),
        ("fdatasync(3</r/.distrogate/transactions/t/2>)", "InRelease are not durable"),
        ("fsync(3</r/.distrogate/transactions/t/.tmp>)", "t/.tmp is not durable when the record is written"),
        ("fsync(3</r/.distrogate/transactions/t>)", "readers see a change"),
        ("fsync(3</r>)", "/r/pool is not durable when the switch"),
        ("fsync(3</r/pool>)", "/r/pool/x.deb is not durable when the switch"),
        ("fsync(3</r/dists/b>)", "old.deb is removed, and the switch is not durable"),
        ('rename("/r/.distrogate/transactions/t/.tmp"', "readers see a change"),
        ('rename("/r/.distrogate/transactions/t/2"', "was never put in place"),
    ],
)
def test_what_is_missing_is_named(without: str, complaint: str) -> None:
    forged = "".join(line for line in GOOD.splitlines(keepends=True) if without not in line)
    assert forged != GOOD and complaint in found(forged)


@pytest.mark.parametrize(
    ("line", "before", "complaint"),
    [
        ("write(3</r/.distrogate/transactions/t/1>, ..., 1) = 1", "mkdir(", "t/1 is not durable"),
        ('link("/in/y.deb", "/r/pool/y.deb") = 0', 'rename("/r/.distrogate/transactions/t/2', "pool/y.deb"),
        ('unlink("/r/pool/old.deb") = 0', 'rename("/r/.distrogate/transactions/t/2', "before the switch"),
        (
            'unlink("/r/pool/old.deb") = 0',
            'rename("/r/.distrogate/transactions/t/.tmp',
            "readers see a change",
        ),
    ],
)
def test_what_comes_too_early_is_named(line: str, before: str, complaint: str) -> None:
    """``line`` stands before the last line with ``before``."""
    head, middle, rest = GOOD.rpartition(f"1 {before}")
    assert complaint in found(f"{head}1 {line}\n{middle}{rest}")


def test_a_failed_call_does_nothing_and_syncfs_does_all() -> None:
    failed = GOOD.replace("fsync(3</r/pool>) = 0", "fsync(3</r/pool>) = -1 EIO (Input/output error)")
    assert "pool/x.deb" in found(failed)
    lines = [line for line in GOOD.splitlines() if "fsync" not in line or "transactions/t/.tmp" in line]
    places = [number for number, line in enumerate(lines) if "rename" in line or "unlink" in line]
    for place in reversed(places):
        lines.insert(place, "1 syncfs(3</r>) = 0")
    assert found("\n".join([*lines, "1 syncfs(3</r>) = 0"])) == ""


def judged(repository: Repository, log: pathlib.Path) -> list[str]:
    return order.complaints(log.read_text(errors="replace"), str(repository.root), repository.switch)


@pytest.mark.faults
@traced
@pytest.mark.parametrize("operation", [name for name in Repository.operations if name != "prepare"])
def test_a_run_is_in_order(repository: Repository, operation: str) -> None:
    repository.reset(operation)
    log = repository.folder / "log"
    repository.call(*trace.watching(str(log), order.CALLS))
    assert judged(repository, log) == []


@pytest.mark.faults
@traced
def test_what_a_killed_run_left_is_finished_in_order(repository: Repository) -> None:
    """Power fails in the second run, when the first one's names are not on the disk yet."""
    renames = [case for case in repository.cases("add") if case.call == "rename"]
    for case in renames[3::6]:
        repository.reset("add")
        logs = [repository.folder / "killed", repository.folder / "next"]
        assert repository.run(*trace.killing(str(logs[0]), order.CALLS, case)).status
        repository.call(*trace.watching(str(logs[1]), order.CALLS))
        logs[0].write_text("".join(log.read_text(errors="replace") for log in logs))
        assert judged(repository, logs[0]) == [], case
