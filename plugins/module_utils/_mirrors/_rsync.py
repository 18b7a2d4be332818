# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rsync, described once: what we ask of it, and what its answers mean."""

from __future__ import annotations

import dataclasses
import os
import re
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import Completed, run
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._listing import STAGING

# --checksum: the quick check compares whole seconds, and two publishes fit into one.
# --protect-args: names reach the other side as they are, past any shell there.
# --chmod: what a mirror holds is for everybody to read, and for nobody to run.
_ALWAYS = [
    "--protect-args",
    "--from0",
    "--times",
    "--omit-dir-times",
    "--perms",
    "--chmod=D755,F644",
    "--stats",
    "--no-human-readable",
    "--out-format=%i",
]

_OPERATIONS: dict[str, list[str]] = {
    "send": ["--checksum"],
    "verify": ["--checksum", "--dry-run"],
    "probe": ["--ignore-times", "--existing", "--dry-run"],
    # A file that lies in the partial folder is rsync's basis, and with --delay-updates the very
    # file that is renamed. --link-dest would remove the old file before it links the new one.
    "switch": ["--checksum", "--delay-updates", f"--partial-dir={os.fsdecode(STAGING)}"],
    "delete": ["--existing", "--delete-missing-args"],
    "discard": ["--existing", "--delete-missing-args", "--force"],
}

_STATUS = {
    5: "the daemon refused (module, user or password)",
    10: "no connection",
    11: "a file could not be read or written",
    12: "the connection broke",
    23: "some files could not be transferred",
    24: "files vanished from the source",
    30: "no data for too long",
    35: "no answer from the daemon",
    255: "ssh failed",
}
_BYTES = re.compile(r"^Total bytes (?:sent|received): ([0-9]+)$", re.MULTILINE)
_CONTENT_ITEM = re.compile(r"^[<>c][fdLDS]", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Access:
    """How mirrors are reached, for all of them alike. ``pass_fds`` stay open in each rsync."""

    password_file: str | None = None
    ssh_key: str | None = None
    timeout: float = 3600
    pass_fds: tuple[int, ...] = ()

    def options(self, mirror: Mirror) -> list[str]:
        """The options that depend on the kind of mirror."""
        options = [f"--timeout={max(1, int(min(self.timeout, 300)))}"]
        if mirror.kind == "daemon":
            options += ["--no-motd", f"--contimeout={max(1, int(min(self.timeout, 30)))}"]
            if self.password_file:
                options.append(f"--password-file={self.password_file}")
        elif mirror.kind == "ssh":
            options.append("--rsh=" + self._ssh())
        return options

    def _ssh(self) -> str:
        # rsync, not a shell, splits this string, and knows double quotes.
        command = "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=30"
        if not self.ssh_key:
            return command
        if '"' in self.ssh_key or not self.ssh_key.isprintable():
            raise DistrogateError("bad_name", f"The ssh key's path {self.ssh_key!r} must not hold quotes.")
        return f'{command} -o IdentitiesOnly=yes -i "{self.ssh_key}"'


class Rsync:
    """Transfers to one mirror; counts their bytes. Error ``mirror_failed`` says why."""

    def __init__(self, mirror: Mirror, access: Access, work: str) -> None:
        self.mirror = mirror
        self.access = access
        self.work = work
        self.transferred = 0

    def __call__(self, operation: str, folder: str, names: t.Iterable[bytes]) -> bool:
        """Do ``operation`` with ``names`` below ``folder``; whether any content was (or would be) sent."""
        # "./" because rsync takes a name that begins with # or ; for a comment.
        listed = b"".join(b"./" + name + b"\0" for name in names)
        if not listed:
            return False
        if self.mirror.kind == "local" and not os.path.isdir(self.mirror.address):
            # rsync would make the last folder, perhaps below an absent mount.
            raise self._failed("there is no such folder; make it, or mount it")
        with tempfile.NamedTemporaryFile(dir=self.work) as stream:
            stream.write(listed)
            stream.flush()
            completed = run(self.command(operation, folder, stream.name), **self._run_options())
        self.transferred += sum(int(number) for number in _BYTES.findall(completed.text))
        if completed.status:
            raise self._failed(self._why(completed))
        return bool(_CONTENT_ITEM.search(completed.text))

    def command(self, operation: str, folder: str, names: str) -> list[str]:
        """The argument list of one operation."""
        return [
            "rsync",
            *_ALWAYS,
            *_OPERATIONS[operation],
            *self.access.options(self.mirror),
            f"--files-from={names}",
            "--",
            folder.rstrip("/") + "/",
            self.mirror.target,
        ]

    def _run_options(self) -> dict[str, t.Any]:
        return {"timeout": self.access.timeout, "pass_fds": self.access.pass_fds, "check": False}

    def _why(self, completed: Completed) -> str:
        last = [
            line for line in completed.stderr.decode("utf-8", "backslashreplace").splitlines() if line.strip()
        ]
        reason = _STATUS.get(completed.status, "rsync failed")
        return f"{reason} (rsync status {completed.status}): " + " | ".join(last[-4:])[:600]

    def _failed(self, why: str) -> DistrogateError:
        return DistrogateError(
            "mirror_failed", f"{self.mirror.address}: {why}", address=self.mirror.address, why=why
        )
