# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module says when a system call fails, wherever that is."""

from __future__ import annotations

from ansible_collections.distrogate.ci.tests.faults.repositories import Repository
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, Outcome
from ansible_collections.distrogate.ci.tests.faults.trace import Case

NO_SPACE = "error=ENOSPC"
_STDOUT = 120  # Python could not write its last words: the injection met the module's N-th write, too
_ERRORS = {
    **dict.fromkeys(("write", "writev", "pwrite64", "sendfile", "copy_file_range", "ftruncate"), NO_SPACE),
    **dict.fromkeys(("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"), NO_SPACE),
    **dict.fromkeys(("mkdir", "mkdirat"), NO_SPACE),
    **dict.fromkeys(("fsync", "fdatasync", "syncfs"), "error=EIO"),
}


def can_fail(case: Case) -> bool:
    """Whether there is an error that this call is likely to meet."""
    return case.call in _ERRORS


def fail(subject: Repository, case: Case) -> Outcome:
    """Let ``case`` fail. What the tree promises holds, and the error has a reason and no traceback."""
    effect = _ERRORS[case.call]
    done = subject.attack(case, effect)
    own = not case.helper and case.target.startswith(f"{subject.root}/")
    try:
        if done.status and (own or (case.helper and done.status != _STDOUT)):
            told(done)
        if done.status and own and effect == NO_SPACE:
            told_of_space(done)
    except AssertionError as error:
        raise BrokenPromiseError(f"{subject.module}, {effect} at {case}: {error}") from error
    return done


def told(done: Outcome) -> None:
    """A failed run says why, for a machine and for a person."""
    assert not done.traceback, f"a traceback: {done}"
    assert done.result.get("reason") and done.result.get("msg"), str(done)


def told_of_space(done: Outcome) -> None:
    """A full disk has a reason of its own."""
    told(done)
    assert done.result["reason"] == "no_space", done.result
    assert "No space left on device" in done.result["msg"], done.result
