# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The eyes of the other tests: whatever is wrong in a repository, one of them sees it."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.tests.faults import trace
from ansible_collections.distrogate.ci.tests.faults.repositories import Repository, copy_tree


def judged(repository: Repository) -> None:
    assert repository.look() == repository.after
    repository.at_rest()


def published(root: pathlib.Path) -> list[pathlib.Path]:
    """What readers of a new repository use: all but the key and the private folder."""
    files = (path for path in root.rglob("*") if path.is_file() and ".distrogate" not in path.parts)
    return [path for path in files if path.name != "key.asc"]


def test_every_damaged_or_missing_file_is_seen(repository: Repository) -> None:
    repository.reset("new")
    repository.call()
    judged(repository)
    files = published(repository.root)
    assert len(files) > 4
    saved = repository.folder / "saved-looking"
    copy_tree(repository.root, saved)
    for path in files:
        copy_tree(saved, repository.root)
        judged(repository)
        good = path.read_bytes()
        middle = len(good) // 2
        path.chmod(0o644)
        path.write_bytes(good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :])
        with pytest.raises((AssertionError, OSError, EOFError, ValueError, SyntaxError)):
            judged(repository)
        path.unlink()
        with pytest.raises((AssertionError, FileNotFoundError)):
            judged(repository)


def test_the_real_client_sees_it_too(repository: Repository) -> None:
    repository.reset("add")
    with pytest.raises(AssertionError):
        repository.client(repository.after, at_rest=True)
    repository.client(repository.before, at_rest=True)
    package = next(repository.root.rglob("second*1*"))
    package.write_bytes(b"x" * package.stat().st_size)
    repository.real.forget()
    with pytest.raises(AssertionError):
        repository.client(repository.before, at_rest=True)


LOG = """\
7 execve("/usr/bin/python3", [], []) = 0
7 write(3</r/a>, ""..., 1) = 1
8 execve("/usr/bin/gpg", [], []) = 0
8 write(3</g>, ""..., 1) = 1
8 write(3</g>, ""..., 1) = 1
7 write(3</r/b>, ""..., 1 <unfinished ...>
7 ioctl(3, TCGETS) = -1 ENOTTY (Inappropriate ioctl for device)
7 ioctl(4</r/b>, BTRFS_IOC_CLONE or FICLONE, 3) = -1 EOPNOTSUPP (Operation not supported)
9 rename("/r/c", "/r/d") = 0
"""


def test_cases_are_those_that_an_injection_hits() -> None:
    """A helper's first write is out of reach; a thread is not a helper; only clones of all ioctls matter."""
    found = [(case.call, case.number, case.helper, case.alone, case.target) for case in trace.cases("o", LOG)]
    assert found == [
        ("write", 1, False, False, "/r/a"),
        ("write", 2, True, False, "/g"),
        ("write", 2, False, True, "/r/b"),
        ("ioctl", 2, False, False, "/r/b"),
        ("rename", 1, False, False, "/r/d"),
    ]
