# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of a module as Ansible makes them, but without Ansible: a process, its options, its JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import typing as t

import ansible

PYTHON = "/usr/bin/python3"  # as on a repository host: with the distribution's bindings
CALL = """
import importlib, json, sys
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = sys.argv[2].encode(), "legacy"
importlib.import_module("ansible_collections.distrogate.ci.plugins.modules." + sys.argv[1]).main()
"""


class BrokenPromiseError(AssertionError):
    """A module ended in failure, or a reader would see a mixture."""


def paths() -> str:
    """Where modules and what they import are found: this tree, and ansible."""
    collections = pathlib.Path(__file__).resolve().parents[2] / ".venv" / "collections"
    return os.pathsep.join([str(collections), str(pathlib.Path(ansible.__file__).parents[1])])


def environment() -> dict[str, str]:
    """What a module's process knows of its surroundings."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": paths(), "LC_ALL": "C.UTF-8", "HOME": os.devnull}


def argv(module: str, options: dict[str, t.Any], folder: pathlib.Path) -> list[str]:
    """The command that runs ``module``; ``folder`` is where it may keep temporary files."""
    arguments = {"ANSIBLE_MODULE_ARGS": {**options, "_ansible_tmpdir": str(folder)}}
    return [PYTHON, "-c", CALL, module, json.dumps(arguments)]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a run ended; ``result`` is empty when the module printed no JSON (it was killed, or it raised)."""

    status: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, t.Any]:
        try:
            found = json.loads(self.stdout)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def traceback(self) -> bool:
        return "Traceback (most recent call last)" in self.stderr + self.stdout

    def __str__(self) -> str:
        said = self.result.get("msg", self.stdout[-500:])
        return f"status {self.status}: {said} {self.stderr[-1500:]}"


def finish(process: subprocess.Popen[str], timeout: float = 120) -> Outcome:
    """Wait for a run that was started with ``start``."""
    try:
        stdout, stderr = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        process.wait()
        raise
    return Outcome(process.returncode, stdout, stderr)


def start(command: list[str]) -> subprocess.Popen[str]:
    """Start a run, perhaps under a tracer."""
    return subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )


def run(module: str, options: dict[str, t.Any], folder: pathlib.Path, *tracer: str) -> Outcome:
    """Run a module to its end."""
    return finish(start([*tracer, *argv(module, options, folder)]))
