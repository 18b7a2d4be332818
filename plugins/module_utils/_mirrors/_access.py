# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How mirrors are reached: what each kind needs, and where secrets go."""

from __future__ import annotations

import dataclasses
import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import base_environment
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import Mirror

_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=30"
_CONNECT = 30  # seconds


@dataclasses.dataclass(frozen=True)
class Access:
    """How mirrors are reached, for all of them alike.

    ``timeout`` bounds one operation with its retries; ``idle_timeout`` a
    connection on which nothing moves. ``bandwidth`` is in KiB/s for each
    mirror, 0 for no limit. ``pass_fds`` stay open in each rsync.
    """

    password_file: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    ssh_key: str | None = None
    timeout: float = 3600
    idle_timeout: float = 300
    bandwidth: int = 0
    retries: int = 3
    pass_fds: tuple[int, ...] = ()

    def options(self, mirror: Mirror) -> list[str]:
        """The options that depend on the kind of mirror."""
        idle = max(1, int(min(self.timeout, self.idle_timeout)))
        options = [f"--timeout={idle}"]
        if self.bandwidth:
            options.append(f"--bwlimit={self.bandwidth}")
        if mirror.kind == "daemon":
            # TCP_NODELAY: the small words before and after a transfer wait for no acknowledgement.
            options += ["--no-motd", "--sockopts=TCP_NODELAY", f"--contimeout={min(idle, _CONNECT)}"]
            if self.password_file:
                options.append(f"--password-file={os.path.abspath(self.password_file)}")
        elif mirror.kind == "ssh":
            options.append("--rsh=" + self._ssh())
        return options

    def environment(self, mirror: Mirror) -> dict[str, str]:
        """The environment of one rsync: the only place where a password is ever put."""
        if mirror.kind == "daemon" and self.password is not None and not self.password_file:
            return base_environment(RSYNC_PASSWORD=self.password)
        return base_environment()

    def _ssh(self) -> str:
        # rsync, not a shell, splits this string, and knows double quotes.
        if not self.ssh_key:
            return _SSH
        if '"' in self.ssh_key or not self.ssh_key.isprintable():
            raise DistrogateError("bad_name", f"The ssh key's path {self.ssh_key!r} must not hold quotes.")
        return f'{_SSH} -o IdentitiesOnly=yes -i "{os.path.abspath(self.ssh_key)}"'
