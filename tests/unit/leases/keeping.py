# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A living lease with its file, and real playbooks that keep it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._leases._holder import hashed
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._leases._lease_file import LeaseFile

_TERM = 120.0  # of the grant: longer than any start of a playbook takes
POOL, LEASE, SECRET = "p", "l1", "5ec2e7" * 5
COLLECTIONS = pathlib.Path(__file__).resolve().parents[3] / ".venv" / "collections"

_ACTION = """
import os
from ansible.plugins.action import ActionBase
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keeper_start import (
    playbook_process, start_keeper, stop_keeper)

class ActionModule(ActionBase):
    _requires_connection = False
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        args = self._task.args
        try:
            if args.get("stop"):
                result["stopped"] = stop_keeper(args["lease_file"])
                os.unlink(args["lease_file"])
            else:
                result["keeper"] = start_keeper(args["lease_file"], playbook_process(), float(args["ttl"]))
        except DistrogateError as error:
            result.update(failed=True, msg=error.message, reason=error.reason)
        return result
"""


class Kept:
    """A lease in a store in ``folder``, as te_lock would have taken it; its keeper renews it for ``ttl``."""

    def __init__(self, folder: pathlib.Path, ttl: float = 50, guards: t.Sequence[t.Any] = ()) -> None:
        self.folder = folder
        self.ttl = ttl
        self.url = f"sqlite://{folder}/store.db"
        self.file = folder / "private" / "lease.json"
        self.log = folder / "private" / "lease.json.log"
        te = {"name": "te1", "pool": POOL, "fence": 7, "labels": {"size": "big one"}, "clean": None}
        te.update(hosts={"m1": {"ansible_connection": "local"}}, guards=list(guards))
        self.value: dict[str, t.Any] = {
            "id": LEASE,
            "kind": "run",
            "owner": {"job": "j"},
            "secret_sha256": hashed(SECRET),
            "tes": [te],
            "ttl": _TERM,
            "limited": False,
            "queue_seconds": 0,
            "granted": 0,
        }
        self.grant()
        self.write_file()

    def grant(self) -> None:
        with open_store(self.url) as store:
            session = store.session(_TERM)
            lease = {**self.value, "session": session}
            store.transact({}, [Put(Keys(POOL).lease(LEASE), lease, session=session)])

    def write_file(self, lease: str = LEASE) -> None:
        LeaseFile(str(self.file)).write(self.url, POOL, lease, SECRET, True)

    def end(self) -> None:
        """As the store ends it."""
        with open_store(self.url) as store:
            store.transact({}, [Delete(Keys(POOL).lease(LEASE))])

    def living(self) -> bool:
        with open_store(self.url) as store:
            return store.get(Keys(POOL).lease(LEASE)) is not None

    def renewed(self) -> bool:
        """Whether a keeper renewed it."""
        with open_store(self.url) as store:
            entry = store.get(Keys(POOL).lease(LEASE))
            return entry is not None and bool(entry.value["ttl"] == self.ttl)

    def keepers(self) -> list[int]:
        """The pids of its keepers that run."""
        found = []
        for path in self.file.parent.glob("lease.json.keeper-*"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                pid = json.loads(path.read_text())["pid"]
                line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
                found += [pid] if str(self.file).encode() in line else []
        return found

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


class Play:
    """ansible-playbook under way: a task that starts the keeper, and then ``tasks``."""

    def __init__(self, kept: Kept, tasks: str, *options: str, output: int | None = None) -> None:
        (kept.folder / "action_plugins").mkdir(exist_ok=True)
        (kept.folder / "action_plugins" / "keep.py").write_text(_ACTION)
        play = kept.folder / "play.yml"
        play.write_text(
            "- hosts: all\n  gather_facts: false\n  tasks:\n"
            f"    - keep: {{lease_file: {kept.file}, ttl: {kept.ttl}}}\n" + tasks
        )
        environment = {
            "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": os.devnull,
            "ANSIBLE_HOME": str(kept.folder / "home"),
            "ANSIBLE_LOCAL_TEMP": str(kept.folder / "home" / "tmp"),
            "ANSIBLE_REMOTE_TMP": str(kept.folder / "home" / "remote"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "LANG": "C.UTF-8",
        }
        self.kept = kept
        self.out = kept.folder / "out.txt"
        with self.out.open("wb") as stream:
            self.process = subprocess.Popen(
                [
                    "ansible-playbook",
                    *("-i", "h1,", "-c", "local", "-e", f"ansible_python_interpreter={sys.executable}"),
                    *options,
                    str(play),
                ],
                env=environment,
                cwd=kept.folder,
                stdin=subprocess.DEVNULL,
                stdout=stream if output is None else output,
                stderr=subprocess.STDOUT if output is None else output,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.out.read_text(encoding="utf-8")

    def wait(self, seconds: float = 60) -> int:
        return self.process.wait(seconds)

    def __enter__(self) -> Play:
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        until(lambda: not self.kept.keepers(), "the keeper to end")


def until(condition: t.Callable[[], t.Any], what: str, seconds: float = 60) -> t.Any:
    """Wait for something that must come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


def running(words: str) -> list[int]:
    """The processes that have these words in their command line."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if words.encode() in path.read_bytes().replace(b"\0", b" "):
                found.append(int(path.parent.name))
    return found
