# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module under attack: one of its system calls kills it or fails, a reader looks, the next run goes on.

strace(1) injects the signal or the error, so that nothing in the program knows
of it; helpers that the module starts (gpg, rsync) are attacked as well.
"""

from __future__ import annotations

import pathlib
import subprocess
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._openpgp import make_key
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, Outcome, run
from ansible_collections.distrogate.ci.tests.faults.trace import KILL, Case, cases, injecting, watching


class Subject:
    """A tree that readers see, and operations of one module that change it."""

    module = ""
    operations: tuple[str, ...] = ("add",)

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.before: set[str] = set()  # what readers see before the operation, and after it
        self.after: set[str] = set()
        self.prepare()

    def prepare(self) -> None:
        """Make keys, folders, and what is published before."""
        raise NotImplementedError

    def reset(self, operation: str) -> None:
        """Make the tree ready for ``operation``, and say what readers see before and after it."""
        raise NotImplementedError

    def arguments(self) -> dict[str, t.Any]:
        """The module's options for the operation."""
        raise NotImplementedError

    def look(self) -> set[str]:
        """What readers find, with every digest on the way compared; else AssertionError."""
        raise NotImplementedError

    def client(self, seen: set[str], at_rest: bool) -> None:
        """Whether the real client sees the same, and takes every package."""

    def at_rest(self) -> None:
        """What must be right besides when no run is under way."""

    def end(self) -> None:
        """End what ``prepare`` started."""

    def run(self, *tracer: str) -> Outcome:
        return run(self.module, self.arguments(), self.folder, *tracer)

    def call(self, *tracer: str) -> Outcome:
        """A run that must do what it is asked."""
        done = self.run(*tracer)
        if done.status:
            raise BrokenPromiseError(f"{self.module}: {done}")
        return done

    def cases(self, operation: str) -> list[Case]:
        """Each call of one whole run of ``operation``."""
        self.reset(operation)
        with tempfile.NamedTemporaryFile("r", dir=self.folder, errors="replace") as log:
            self.call(*watching(log.name))
            assert self.look() == self.after
            return cases(operation, log.read())

    def attack(self, case: Case, effect: str = KILL) -> Outcome:
        """One run with ``effect`` at ``case``; afterwards, and after the next run, all is right."""
        self.reset(case.operation)
        try:
            done = self.run(*injecting(case, effect))
            self.survived(done)
        except AssertionError as error:
            raise BrokenPromiseError(f"{self.module}, {effect} at {case}: {error}") from error
        return done

    def survived(self, done: Outcome) -> None:
        """Readers have the old state or, always after success, the new one; the next run makes it that."""
        seen = self.look()
        assert done.status or seen == self.after, f"success, but readers see {sorted(seen)}"
        assert seen in (self.before, self.after), (
            f"readers see {sorted(seen)}, neither {self.before} nor {self.after}"
        )
        self.client(seen, at_rest=False)
        self.call()
        seen = self.look()
        assert seen == self.after, f"after the next run readers see {sorted(seen)}"
        self.at_rest()
        self.client(seen, at_rest=True)


def gnupg(folder: pathlib.Path) -> str:
    """A key to sign with; its agent runs already, so that no run waits for it to end."""
    return make_key(str(folder / "gnupg"), "Test <test@example.org>")


def end_agent(folder: pathlib.Path) -> None:
    """End the agent of the key that ``gnupg`` made there."""
    subprocess.run(["gpgconf", "--homedir", str(folder / "gnupg"), "--kill", "all"], check=False)


def verifies(folder: pathlib.Path, *files: pathlib.Path) -> bool:
    """Whether gpg takes a signature (a clear-signed file, or a detached one and its file)."""
    argv = ["gpg", "--homedir", str(folder / "gnupg"), "--batch", "--verify", *map(str, files)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
