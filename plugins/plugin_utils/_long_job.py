# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that runs on its host by itself: where it stands, its result, its end, its files."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import typing as t

from ansible import constants
from ansible.errors import AnsibleConnectionFailure, AnsibleError

from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import LIMIT, read_record
from ansible_collections.distrogate.ci.plugins.module_utils._core._under_way import HEARD

_FOLDER = re.compile(r"ansible-tmp-[0-9.-]{20,}")  # as Ansible names its folders, and so its programs
_RUNS = {"started", "finished", "ansible_job_id"}  # what the file of a result holds until there is one
GRACE = 5  # seconds that a module has to end what it started


class Look(t.NamedTuple):
    """What was found: the progress, and the result's text once there is one."""

    record: dict[str, t.Any] | None
    result: str | None


class Job:
    """One asynchronous run of a module; ``action`` is the action plugin, whose connection is used."""

    def __init__(self, action: t.Any, results: str, progress: str, folder: str, ours: bool) -> None:
        self._action = action
        self._results = results
        self._progress = progress
        self._folder = folder
        self._ours = ours  # the file of the progress
        found = _FOLDER.search(folder)
        # Brackets, so that whoever looks for the word does not find themselves.
        self._pattern = f"[a]{found.group()[1:]}" if found else ""
        connection = action._connection
        self.descriptor: int | None = None  # what could be waited for
        self.near = connection.transport == "local" and connection.become is None

    def look(self) -> Look | None:
        """Read both files; None when the result's file cannot be read."""
        text = self._read_here() if self.near else self._read_there()
        record = result = None
        for line in text.split("\n"):
            found = read_record(line.strip())
            if found is not None:
                record = found
            elif line.startswith("{"):
                result = line
        if result is None:
            return None
        with contextlib.suppress(ValueError, RecursionError):
            if json.loads(result).keys() == _RUNS:
                result = None
        return Look(record, result)

    def _read_here(self) -> str:
        found = []
        for path, limit in ((self._progress, LIMIT), (self._results, -1)):
            with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as stream:
                found.append(stream.read(limit))
        return "\n".join(found)

    def _read_there(self) -> str:
        progress, results = shlex.quote(self._progress), shlex.quote(self._results)
        heard = shlex.quote(self._progress + HEARD)
        # It ends by itself when nobody looks any more. The result is read last: the progress before it is
        # then the last one.
        return self._command(f"touch -c {heard}; head -c {LIMIT} {progress} 2>/dev/null; echo; cat {results}")

    def lost(self) -> bool:
        """Whether nobody runs it any more, as after the host's restart."""
        return bool(self._pattern) and not self._processes()

    def end(self) -> None:
        """End the module and what it started, as well as can be."""
        with contextlib.suppress(AnsibleError):
            numbers = " ".join(self._processes())
            if numbers:
                self._command(_END.format(numbers=numbers, tenths=GRACE * 10))

    def _processes(self) -> list[str]:
        if not self._pattern:
            return []
        found = self._command(f"grep -ls '{self._pattern}/' /proc/[0-9]*/cmdline")
        return re.findall(r"^/proc/([0-9]{1,9})/cmdline\s*$", found, re.MULTILINE)

    def clean(self) -> None:
        """Remove the files of this run."""
        if constants.config.get_config_value("DEFAULT_KEEP_REMOTE_FILES"):
            return
        paths = [self._results, self._results + ".tmp"]
        with contextlib.suppress(AnsibleError):
            if self._action._connection.become is None:
                paths.append(self._folder)
            else:  # the folder belongs to whoever logs in
                self._command(f"rm -rf {shlex.quote(self._folder)}", sudoable=False)
            if self._ours:
                paths.append(self._progress)
            self._command("rm -rf " + " ".join(shlex.quote(path) for path in paths))

    def _command(self, command: str, sudoable: bool = True) -> str:
        done = self._action._low_level_execute_command(command, sudoable=sudoable)
        if done.get("rc") == 255 and self._action._connection.transport == "ssh":  # of an old controller
            raise AnsibleConnectionFailure(str(done.get("stderr", "")))
        return str(done.get("stdout", ""))


# The wrapper that Ansible starts a module with makes a session, and a group for the module, which the module
# joins or not: it is a race. So both groups of each process are ended; processes of others are left alone,
# whatever they call themselves. Only numbers are put in.
_END = """g=
for p in {numbers}; do
[ -O /proc/$p ] || continue
s=$(cat /proc/$p/stat) || continue
set -- ${{s##*) }}
for n in "$3" "$4"; do
[ "$n" -gt 1 ] || continue
case "$g " in *" -$n "*) ;; *) g="$g -$n" ;; esac
done
done 2>/dev/null
kill -s TERM -- $g 2>/dev/null
n=0
while [ $n -lt {tenths} ]; do
left=; for x in $g; do kill -s 0 -- $x && left=y; done 2>/dev/null
[ -n "$left" ] || break
sleep 0.1
n=$((n+1))
done
[ -z "$g" ] || kill -s KILL -- $g 2>/dev/null
true"""
