# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``te_lock`` costs as a task, beside a module that does nothing.

The difference of two playbooks, one with twice the tasks of the other: Ansible's start does not count.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import leases_guarded
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client

POOL = "tasks"
EMPTY = "ansible.builtin.ping"
OURS = "distrogate.ci.te_lock"
GUARDED = f"{OURS} with a guard"
Task = dict[str, t.Any]


def ping(_root: Path, _store: str, _number: int) -> Task:
    return {EMPTY: {}}


def lock(root: Path, store: str, number: int) -> Task:
    """Take a lease, then release it, in turn."""
    options = {
        "store": store,
        "pool": POOL,
        "lease_file": str(root / "lease"),
        "state": "released" if number % 2 else "locked",
    }
    return {OURS: options}


TASKS: dict[str, t.Callable[[Path, str, int], Task]] = {EMPTY: ping, OURS: lock, GUARDED: lock}


def seconds_a_task(root: Path, store: str, kind: str, number: int) -> float:
    """Seconds of one task of ``kind``; ``number`` (an even one) is that of the shorter playbook."""
    with contextlib.ExitStack() as stack:
        if kind == GUARDED:
            item = stack.enter_context(leases_guarded.guard(root))
            leases_guarded.register(store, POOL, leases_guarded.TE, item)
        else:
            with Client.open(store) as client:
                client.register_all(POOL, {"te": {}})
        short, long = (
            _run(root, [TASKS[kind](root, store, one) for one in range(tasks)])
            for tasks in (number, 2 * number)
        )
    return (long - short) / number


def _run(root: Path, tasks: list[Task]) -> float:
    path = root / "playbook.yml"
    (root / "ansible.cfg").touch()
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    path.write_text(json.dumps([play]), encoding="utf-8")  # JSON is YAML
    argv = [str(REPOSITORY / ".venv/bin/ansible-playbook"), "-i", "localhost,", "-c", "local", str(path)]
    began = time.monotonic()
    done = subprocess.run(
        [*argv, "-e", f"ansible_python_interpreter={sys.executable}"],
        env=_environment(root),
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    taken = time.monotonic() - began
    if done.returncode or f"ok={len(tasks)} " not in done.stdout:
        raise RuntimeError(f"the playbook of tasks failed: {done.stdout[-3000:]}")
    return taken


def _environment(root: Path) -> dict[str, str]:
    """Ansible as it is without any configuration."""
    return {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": str(root),
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / ".venv/collections"),
    }
