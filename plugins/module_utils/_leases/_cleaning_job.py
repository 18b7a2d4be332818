# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cleaning a TE by a playbook or a command, in a process of its own."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleaning import Cleaner, Job, Lease
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guards import Guards
from ansible_collections.distrogate.ci.plugins.module_utils._leases._hosts import host_variables

_GRACE = 10.0
_TOLD = 2000  # Characters of a failed cleaning's output that are shown.
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_PLAYBOOK = "distrogate.ci.clean_te"

Say = t.Callable[[str], None]


def cleaner(say: Say) -> Cleaner:
    """What starts a cleaning and tells of it by ``say``."""

    def start(lease: Lease) -> Job:
        return CleaningJob(lease, say)

    return start


class CleaningJob(Job):
    """The cleaning of the TE of a cleaning lease, as its ``clean`` says."""

    def __init__(self, lease: Lease, say: Say) -> None:
        self.te = lease["tes"][0]
        self.say = say
        self._folder = tempfile.mkdtemp(prefix="distrogate-clean-")
        self._process: subprocess.Popen[bytes] | None = None
        self._began = time.monotonic()
        try:
            guards = Guards(lease, os.path.join(self._folder, "key"))
            guards.raise_all(self.te["clean"]["timeout"])
            self._process = self._start()
        except (DistrogateError, OSError) as error:
            self.say(f"cleaning of {self.te['name']} could not begin: {error}")
        else:
            self.say(f"cleaning {self.te['name']}")

    def poll(self) -> bool | None:
        if self._process is None:
            return self._ended(False, "it could not begin")
        status = self._process.poll()
        if status is None:
            limit = self.te["clean"]["timeout"]
            if time.monotonic() - self._began < limit:
                return None
            self._kill()
            return self._ended(False, f"it took longer than {limit} s")
        return self._ended(status == 0, f"its exit code was {status}")

    def stop(self) -> None:
        self._kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ended(self, done: bool, why: str) -> bool:
        seconds = time.monotonic() - self._began
        if done:
            self.say(f"cleaned {self.te['name']} in {seconds:.0f} s")
        else:
            self.say(f"cleaning of {self.te['name']} failed, {why}: {self._last_words()}")
        shutil.rmtree(self._folder, ignore_errors=True)
        return done

    def _start(self) -> subprocess.Popen[bytes]:
        clean = self.te["clean"]
        if clean.get("command") and clean["run_on"] == "controller":
            argv = list(clean["command"])
        else:
            inventory = os.path.join(self._folder, "inventory.json")
            self._write(inventory, {"all": {"children": {"te": {"hosts": self._hosts()}}}})
            argv = [_ansible_playbook(), "-i", inventory, clean.get("playbook") or _PLAYBOOK]
            if clean.get("command"):
                variables = os.path.join(self._folder, "variables.json")
                self._write(variables, {"clean_te_command": clean["command"]})
                argv += ["-e", f"@{variables}"]
        with open(os.path.join(self._folder, "output"), "wb") as output:
            return subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  an action plugin has one thread
                env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "default", "ANSIBLE_CALLBACKS_ENABLED": ""},
            )

    def _hosts(self) -> dict[str, t.Any]:
        key = os.path.join(self._folder, "key")
        more = {"distrogate_guard_key": key} if self.te["guards"] else {}
        return {host: {**host_variables(self.te, host), **more} for host in self.te["hosts"]}

    def _write(self, path: str, value: t.Any) -> None:
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as stream:
            json.dump(value, stream)

    def _last_words(self) -> str:
        try:
            with open(os.path.join(self._folder, "output"), "rb") as stream:
                stream.seek(-min(_TOLD, os.fstat(stream.fileno()).st_size), os.SEEK_END)
                return stream.read(_TOLD).decode("utf-8", "backslashreplace").strip() or "it said nothing"
        except OSError:
            return "it said nothing"

    def _kill(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
                return


def _ansible_playbook() -> str:
    """The one that belongs to the Python that runs us, else that of the path."""
    own = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    found = own if os.access(own, os.X_OK) else shutil.which("ansible-playbook")
    if found is None:
        raise DistrogateError("no_ansible", "There is no program ansible-playbook to clean a TE with.")
    return found


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM)
