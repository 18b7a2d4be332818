# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a task starts a keeper, and ends it.

The keeper is a fresh Python process: a fork of the task's process would keep all of Ansible in memory, and
what that process has open. It is not the task's child, is in no terminal's session, and has nothing open but
its lock file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_lock import (
    end_all,
    lock_path,
    take,
)
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_process import look
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_renewal import clock
from ansible_collections.distrogate.ci.plugins.module_utils._leases._trusted_file import read_trusted

_PROGRAM = "_keeper_main.py"
_ANSWER_LIMIT = 1 << 16


def playbook_process() -> int:
    """The pid of the playbook's main process, for code that runs in a task's process (an action plugin)."""
    return os.getppid()


def start_keeper(
    lease_file: str,
    playbook_pid: int,
    ttl: float,
    since: float | None = None,
    timeout: float = 15.0,
    *,
    give_back: bool = False,
) -> int:
    """Let a keeper renew the lease for as long as the playbook runs; returns the keeper's pid.

    Call it after the lease was renewed for ``ttl`` seconds; ``since`` is ``clock()`` from before that. It
    returns once the keeper is bound to the playbook and has seen the living lease in the store. A keeper of
    this playbook that keeps the same lease for the same ttl is left alone; another one is replaced. With
    ``give_back`` it releases the lease when the playbook ended and did not. Errors:
    ``lease_lost`` and those of the store, ``bad_lease_file``, ``keeper_failed``.
    """
    since = clock() if since is None else since
    path = os.path.abspath(os.path.expanduser(lease_file))
    known = read_trusted(path)
    if known is None:
        raise DistrogateError("no_lease_file", f"There is no lease file {path}: nothing to keep.")
    start = _start_of(playbook_pid)
    lock = take(lock_path(path, playbook_pid), known.lease, ttl, timeout)
    if isinstance(lock, int):
        return lock
    try:
        words = [path, str(playbook_pid), str(start), repr(ttl), repr(since), str(lock.descriptor)]
        words.append("give_back" if give_back else "keep")
        return _started(words, lock.descriptor, timeout)
    finally:
        lock.close()


def stop_keeper(lease_file: str, timeout: float = 5.0) -> int:
    """End the keepers of a lease file before its lease is released, so that none takes it for lost."""
    return end_all(os.path.abspath(os.path.expanduser(lease_file)), timeout)


def _start_of(playbook_pid: int) -> int:
    """When the playbook started. It is an ancestor of ours, so nobody else has its pid."""
    seen = look(playbook_pid)
    ancestor = look(os.getpid())
    while ancestor is not None and ancestor.parent not in (0, playbook_pid):
        ancestor = look(ancestor.parent)
    if seen is None or ancestor is None or ancestor.parent != playbook_pid:
        raise DistrogateError(
            "keeper_failed", f"Process {playbook_pid} does not run this task: a keeper is not bound to it."
        )
    return seen.start


def _started(words: list[str], lock: int, timeout: float) -> int:
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), _PROGRAM)
    # -I: neither the working folder nor PYTHONPATH can put other code in the place of ours.
    flags = ["-I", "-B"] if sys.dont_write_bytecode else ["-I"]
    try:
        process = subprocess.Popen(
            [sys.executable, *flags, program, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[lock],
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise DistrogateError(
            "keeper_failed", f"The lease's keeper cannot be started with {sys.executable}: {error.strerror}."
        ) from error
    try:
        # The process that was started forks and ends; the answer comes from its child.
        answer, _nothing = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        answer = b""
        process.kill()
        process.wait()
    finally:
        if process.stdout is not None:
            process.stdout.close()
    return _pid(answer, timeout)


def _pid(answer: bytes, timeout: float) -> int:
    try:
        value: dict[str, t.Any] = json.loads(answer[:_ANSWER_LIMIT])
    except ValueError:
        value = {
            "reason": "keeper_failed",
            "msg": f"The lease's keeper ended, or did not answer within {timeout:g} s. Without it nothing"
            " renews the lease. Look into the log beside the lease file.",
        }
    if "pid" not in value:
        raise DistrogateError(value["reason"], value["msg"])
    return int(value["pid"])
