# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real sshd on loopback, run as the test's user, whose only keys are the guard's."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_client import Guard
from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
from ansible_collections.distrogate.ci.tests.tools.ports import free_port

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin") or ""
_LATE = 60  # seconds until a test gives up; nothing is measured
# What restrict must forbid is allowed here. The folders of tests lie below one that all may write.
_CONFIGURATION = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {keys}
StrictModes {strict}
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
AllowTcpForwarding yes
AllowAgentForwarding yes
GatewayPorts yes
PermitTTY yes
PermitUserRC yes
Subsystem sftp internal-sftp
MaxStartups 100
UseDNS no
LogLevel DEBUG1
"""


class Sshd:
    """How clients reach a host's guard."""

    def __init__(self, host: Host, port: int) -> None:
        self.host, self.port = host, port
        self.known_hosts = str(host.folder / "known hosts")

    def guard(self, te: str = "te1", **changes: t.Any) -> Guard:
        """The project's own client, for a TE of the pool that is called pool."""
        return Guard(
            {
                "host": "127.0.0.1",
                "port": self.port,
                "user": self.host.user,
                "key_file": self.host.pool_key,
                "known_hosts": self.known_hosts,
                "te": te,
                **changes,
            },
            timeout=_LATE,
        )

    def key(self, name: str) -> str:
        return str(self.host.folder / name)

    def argv(self, key: str, *options: str, program: str = "ssh") -> list[str]:
        """A client as a stranger would use it, up to the host's name."""
        settings = {
            "IdentitiesOnly": "yes",
            "IdentityFile": f'"{self.key(key)}"',
            "UserKnownHostsFile": f'"{self.known_hosts}"',
            "BatchMode": "yes",
            "Port": str(self.port),
        }
        words = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
        return [program, "-F", os.devnull, *words, *options]

    def ssh(
        self,
        key: str,
        *command: str,
        options: t.Sequence[str] = (),
        stdin: bytes = b"",
        tracer: t.Sequence[str] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        argv = [*tracer, *self.argv(key, *options), f"{self.host.user}@127.0.0.1", *command]
        return subprocess.run(argv, input=stdin, capture_output=True, check=False, timeout=_LATE)

    def start(self, key: str, *command: str) -> subprocess.Popen[bytes]:
        argv = [*self.argv(key), f"{self.host.user}@127.0.0.1", *command]
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + _LATE
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def sshd(host: Host, strict: bool = False) -> t.Iterator[Sshd]:
    """Run it while this lasts."""
    folder = host.folder
    if not (folder / "host").exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host"], check=True)
    if os.getuid() == 0:
        pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for _attempt in range(5):  # somebody else may take the port first
        port = free_port()
        keys = host.options["authorized_keys"]
        text = _CONFIGURATION.format(port=port, folder=folder, keys=keys, strict="yes" if strict else "no")
        (folder / "sshd_config").write_text(text)
        with open(folder / "sshd.log", "ab") as log:
            argv = [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            if _answers(process, port):
                found = Sshd(host, port)
                public = " ".join((folder / "host.pub").read_text().split()[:2])
                pathlib.Path(found.known_hosts).write_text(f"[127.0.0.1]:{port} {public}\n")
                yield found
                return
        finally:
            process.terminate()
            process.wait()
    raise AssertionError((folder / "sshd.log").read_text())
