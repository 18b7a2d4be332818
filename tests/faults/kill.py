# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kill a module at its N-th system call that matters, look at what a reader sees, and let the next run go on.

strace(1) injects the signal, so that nothing in the program knows of it. Its
count is of one process: helpers that the module starts (gpg, rsync) die as well.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
import tempfile
import time
import typing as t

import ansible

from ansible_collections.distrogate.ci.plugins.module_utils._core._openpgp import make_key

CALLS = "rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,fsync,fdatasync"
PYTHON = "/usr/bin/python3"  # as on a repository host: with the distribution's bindings
_CALL = """
import importlib, json, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.argv[2].encode(), "legacy"
importlib.import_module("ansible_collections.distrogate.ci.plugins.modules." + sys.argv[1]).main()
"""


def paths() -> str:
    """Where modules and what they import are found: this tree, and ansible."""
    collections = pathlib.Path(__file__).resolve().parents[2] / ".venv" / "collections"
    return os.pathsep.join([str(collections), str(pathlib.Path(ansible.__file__).parents[1])])


class BrokenPromiseError(AssertionError):
    """A module ended in failure, or a reader would see a mixture."""


class Subject:
    """A module under attack: a tree that readers see, and one more thing to publish with every run."""

    module = ""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.prepare()
        self.call()
        self.seen = self.look()

    def prepare(self) -> None:
        """Make keys and folders."""
        raise NotImplementedError

    def arguments(self) -> dict[str, t.Any]:
        """The module's options."""
        raise NotImplementedError

    def more(self) -> str:
        """Offer one more thing, and say its name."""
        raise NotImplementedError

    def look(self) -> set[str]:
        """What readers find, with every digest on the way compared; else AssertionError."""
        raise NotImplementedError

    def at_rest(self) -> None:
        """What must be right besides when no run is under way."""

    def argv(self) -> list[str]:
        arguments = {"ANSIBLE_MODULE_ARGS": {**self.arguments(), "_ansible_tmpdir": str(self.folder)}}
        return [PYTHON, "-c", _CALL, self.module, json.dumps(arguments)]

    def call(self, *tracer: str, check: bool = True) -> int:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": paths(),
            "LC_ALL": "C.UTF-8",
            "HOME": "/nonexistent",
        }
        done = subprocess.run(
            [*tracer, *self.argv()], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        if check and done.returncode:
            raise BrokenPromiseError(f"{self.module}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.returncode

    def calls(self) -> int:
        """How many calls one whole run makes, in the process that makes the most."""
        name = self.more()
        with tempfile.NamedTemporaryFile("r", dir=self.folder) as log:
            self.call("strace", "-f", "--seccomp-bpf", "-q", "-o", log.name, "-e", f"trace={CALLS}")
            lines = [line.split() for line in log if "(" in line]
        self.seen = self.look()
        assert name in self.seen
        counts: dict[str, int] = {}
        for line in lines:
            counts[line[0]] = counts.get(line[0], 0) + 1
        return max(counts.values())

    def attack(self, number: int) -> bool:
        """Kill a run or a helper of it at its N-th call; whether that was so. Afterwards all is right."""
        name = self.more()
        inject = f"inject={CALLS}:signal=KILL:when={number}"
        status = self.call(
            *("strace", "-f", "-q", "-o", "/dev/null"),
            *("-e", f"trace={CALLS}", "-e", inject),
            check=False,
        )
        seen = self.look()
        if not self.seen <= seen <= self.seen | {name}:
            raise BrokenPromiseError(f"{self.module} killed at call {number}: readers see {seen ^ self.seen}")
        self.call()
        self.seen = self.look()
        if name not in self.seen:
            raise BrokenPromiseError(
                f"{self.module} killed at call {number}: the next run did not publish {name}"
            )
        self.at_rest()
        return status != 0


def gnupg(folder: pathlib.Path) -> str:
    """A key to sign with; its agent runs already, so that no run waits for it to end."""
    return make_key(str(folder / "gnupg"), "Test <test@example.org>")


def signed(folder: pathlib.Path, *files: str) -> None:
    """Whether gpg takes a signature."""
    argv = ["gpg", "--homedir", str(folder / "gnupg"), "--batch", "--verify", *files]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def besiege(make: t.Callable[[pathlib.Path], Subject], seconds: float, seed: int) -> dict[str, int]:
    """Attack at every call in a random order, again and again, until the time is over."""
    end = time.monotonic() + seconds
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="dg-") as name:
        folder = pathlib.Path(name)
        try:
            subject = make(folder)
            calls = subject.calls()
            tried = killed = 0
            order: list[int] = []
            while time.monotonic() < end:
                order = order or chance.sample(range(1, calls + 1), calls)
                number = order.pop()
                tried += 1
                if subject.attack(number):
                    killed += 1
                else:  # this run made fewer calls than the one that was counted
                    order = [earlier for earlier in order if earlier < number]
        finally:
            subprocess.run(["gpgconf", "--homedir", f"{name}/gnupg", "--kill", "all"], check=False)
    return {"calls": calls, "tried": tried, "killed": killed}
