# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installing the guard on a TE host: its program, its configuration, and the keys that sshd takes."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import pwd
import shutil
import subprocess
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard import _configuration, _keys, _pool
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_options import configuration
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_program import program

_HOST_KEYS = "/etc/ssh/ssh_host_*_key.pub"


class GuardHost:
    """One TE host, as it is and as the options want it."""

    def __init__(self, options: t.Mapping[str, t.Any], write: bool = True) -> None:
        self._options = options
        self._program, self._path = str(options["program"]), str(options["configuration"])
        self._directory, self._keys = str(options["directory"]), str(options["authorized_keys"])
        self._value, self._write = configuration(options), write
        self._name = str(options["user"])
        self._uid = self._gid = -1
        try:
            user = pwd.getpwnam(self._name)
        except KeyError as error:
            if write:  # a play in check mode may be about to make it
                raise DistrogateError(
                    "no_user", f"There is no user {self._name}. The role te_host makes it."
                ) from error
        else:
            self._uid, self._gid = user.pw_uid, user.pw_gid
        if write and os.getuid() not in (0, self._uid):
            raise DistrogateError("no_permission", f"Run it as root, or as {self._name}.")

    def present(self, difference: Difference) -> None:
        """Make the host so, and say what was different."""
        content, text = program(), json.dumps(self._value, indent=2, sort_keys=True) + "\n"
        found = _read(self._keys)
        if found and not found.startswith(_keys.HEADER.encode()):
            raise DistrogateError(
                "foreign_keys",
                f"{self._keys} was not written by te_guard. Move it away: it is all te_guard's.",
            )
        wanted = _pool.lines(_configuration.Configuration(self._value))
        difference.add("program", _digest(_read(self._program)), _digest(content))
        difference.add("configuration", _json(_read(self._path)), self._value)
        difference.add("directory", self._folder(), [self._name, "0700"])
        difference.add("authorized_keys", (found or b"").decode().splitlines(), wanted.splitlines())
        if difference.empty or not self._write:
            return
        for path in (self._program, self._path):
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        write_atomic(self._program, content, 0o755)
        write_atomic(self._path, text, 0o644)
        self._make_folder()
        self._rewrite()

    def absent(self, difference: Difference) -> None:
        """Remove it all. The keys go first, so that nobody meets half a guard."""
        there = [path for path in self._files() if os.path.lexists(path)]
        difference.add("paths", there, [])
        for path in there if self._write else []:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        for folder in (os.path.dirname(self._keys), self._directory) if self._write else ():
            with contextlib.suppress(OSError):
                os.rmdir(folder)  # only when nothing else is in it

    def facts(self) -> dict[str, t.Any]:
        """What the option ``guards`` of the module te needs of this host."""
        user = self._name
        tes = {
            name: {"te": name, "user": user, "pool": te["pool"]} for name, te in self._value["tes"].items()
        }
        lines = [(_read(path) or b"").decode("ascii", "replace") for path in sorted(glob.glob(_HOST_KEYS))]
        return {"user": user, "tes": tes, "host_keys": [" ".join(line.split()[:2]) for line in lines]}

    def _files(self) -> list[str]:
        names = ("te", "locks", "running", "keys.lock")
        return [self._keys, self._path, self._program, *(f"{self._directory}/{name}" for name in names)]

    def _folder(self) -> list[str] | None:
        try:
            info = os.lstat(self._directory)
        except FileNotFoundError:
            return None
        owner = self._name if info.st_uid == self._uid else str(info.st_uid)
        return [owner, f"{info.st_mode & 0o7777:04o}"]

    def _make_folder(self) -> None:
        os.makedirs(os.path.dirname(self._directory), mode=0o755, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._directory, 0o700)
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchmod(descriptor, 0o700)
            os.fchown(descriptor, self._uid, self._gid)
        finally:
            os.close(descriptor)

    def _rewrite(self) -> None:
        """As the guard's user: root writes nothing in a folder that somebody else may change."""
        argv = [*self._value["command"], "--rewrite"]
        other = {"user": self._uid, "group": self._gid, "extra_groups": []}
        arguments: dict[str, t.Any] = other if os.getuid() != self._uid else {}
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=600,
                check=False,
                cwd="/",
                env={},
                **arguments,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DistrogateError("guard_failed", f"The guard could not be run: {error}") from error
        answer = _json(done.stdout) or {}
        if done.returncode or answer.get("ok") is not True:
            said = answer.get("msg") or done.stderr.decode("utf-8", "replace")[-2000:]
            raise DistrogateError(str(answer.get("reason", "guard_failed")), f"The guard said: {said}")


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def _digest(content: bytes | None) -> str | None:
    return None if content is None else "sha256:" + hashlib.sha256(content).hexdigest()


def _json(content: bytes | None) -> t.Any:
    try:
        return json.loads(content or b"null")
    except ValueError:
        return None
