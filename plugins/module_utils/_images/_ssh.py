# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ssh into a machine that has no network: a throw-away key, and a way through its own name space.

The key reaches the image as clouds hand keys over (cloud-init's NoCloud disk), and as a credential of
systemd (252 or newer) in its SMBIOS strings. QEMU forwards a port of its sandbox's 127.0.0.1; who opens the
socket here gets there, and nobody else does.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import socket
import subprocess
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import PYTHON, WITH_CALLER

_AT_ONCE = 16  # connections
_OUTPUT = 1 << 20  # bytes that one command may print
_CONNECT = """\
import os, select, socket, sys
where = sys.argv[1]
if "/" in where:
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(where)
else:
    peer = socket.create_connection(("127.0.0.1", int(where)))
sources = [0, peer]
while peer in sources:
    for source in select.select(sources, [], [])[0]:
        data = os.read(source if source == 0 else peer.fileno(), 65536)
        if source == 0 and data:
            peer.sendall(data)
        elif source == 0:
            sources.remove(0)
            peer.shutdown(socket.SHUT_WR)
        elif data:
            while data:
                data = data[os.write(1, data):]
        else:
            sources.remove(peer)
"""
_CONFIG = """\
Host guest
  User {user}
  IdentityFile {folder}/key
  ProxyCommand {python} -I {folder}/connect.py {folder}/socket
  IdentitiesOnly yes
  PreferredAuthentications publickey
  BatchMode yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  GlobalKnownHostsFile /dev/null
  UpdateHostKeys no
  ForwardAgent no
  ForwardX11 no
  PermitLocalCommand no
  ServerAliveInterval 15
  LogLevel ERROR
"""


class Access:
    """The files that ssh needs, in a private ``folder``; ``seed`` and ``strings`` are for the machine.

    ``shown`` is the same for tests in a sandbox, which see it as ``inside``: the key opens nothing else.
    """

    inside = "/run/distrogate-ssh"

    def __init__(self, folder: str, user: str) -> None:
        self.folder = folder
        self.shown = os.path.join(folder, "shown")
        self.seed = os.path.join(folder, "seed")
        self.socket = os.path.join(self.shown, "socket")
        key = os.path.join(folder, "key")
        _command.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "distrogate", "-f", key])
        with open(f"{key}.pub", encoding="ascii") as stream:
            self.public = stream.read().strip()
        os.mkdir(self.shown)
        os.mkdir(self.seed)
        with open(key, encoding="ascii") as stream:
            _write(os.path.join(self.shown, "key"), stream.read())
        _write(os.path.join(self.shown, "connect.py"), _CONNECT)
        _write(
            os.path.join(self.shown, "config"),
            _CONFIG.format(user=user, folder=self.inside, python=PYTHON),
        )
        text = _CONFIG.format(user=user, folder=folder, python=PYTHON)
        _write(os.path.join(folder, "config"), text.replace(f"{folder}/socket", self.socket))
        _write(os.path.join(folder, "connect.py"), _CONNECT)
        self._write_seed(user)

    @property
    def strings(self) -> tuple[str, ...]:
        """A credential that systemd-tmpfiles makes root's authorized_keys of."""
        text = base64.b64encode(self.public.encode()).decode()
        return (f"io.systemd.credential.binary:ssh.authorized_keys.root={text}",)

    def _write_seed(self, user: str) -> None:
        """What cloud-init reads; JSON is YAML."""
        said: dict[str, t.Any] = {"disable_root": False, "ssh_authorized_keys": [self.public]}
        if user != "root":
            said["users"] = ["default", {"name": user, "ssh_authorized_keys": [self.public]}]
        _write(os.path.join(self.seed, "user-data"), f"#cloud-config\n{json.dumps(said)}\n")
        _write(os.path.join(self.seed, "meta-data"), json.dumps({"instance-id": "distrogate"}) + "\n")

    @contextlib.contextmanager
    def open(self, pid: int, port: int) -> t.Iterator[None]:
        """Let connections to the socket reach ``port`` in the network name space of the process ``pid``."""
        enter = ["nsenter", f"--target={pid}", "--user", "--net", "--preserve-credentials", "--"]
        argv = [*WITH_CALLER, *enter, PYTHON, "-I", os.path.join(self.folder, "connect.py"), str(port)]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.socket)
            os.chmod(self.socket, 0o666)  # its folder is closed to everybody but the tests' sandbox
            listener.listen()
            door = threading.Thread(target=_serve, args=(listener, argv), daemon=True)
            door.start()
            try:
                yield
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                door.join()
                os.unlink(self.socket)

    def run(self, words: t.Sequence[str], timeout: float) -> _command.Completed:
        """Run a command in the machine; what it prints is bounded. Errors as for ``_command.run``."""
        output = os.path.join(self.folder, "output")
        limits = ["prlimit", f"--fsize={_OUTPUT}", "--core=0", "--"]
        argv = [*limits, "ssh", "-F", os.path.join(self.folder, "config"), "guest", "--", shlex.join(words)]
        with contextlib.suppress(FileNotFoundError):
            os.unlink(output)
        return _command.run(argv, timeout=timeout, log=output, check=False, announce=False, name=words[0])

    def wait(self, deadline: float, gone: t.Callable[[], bool]) -> str:
        """Until the machine lets us in; what ssh said last when it did not."""
        said = ""
        while not gone() and time.monotonic() < deadline:
            try:
                done = self.run(["true"], timeout=max(1.0, min(60.0, deadline - time.monotonic())))
            except DistrogateError as error:
                said = error.message
                continue
            if done.status == 0:
                return ""
            said = done.tail(1)
            time.sleep(0.5)
        return said or "the machine ended"


def _write(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(path, 0o644)


def _serve(listener: socket.socket, argv: list[str]) -> None:
    """A process for each connection, until the listener is shut."""
    processes: list[subprocess.Popen[bytes]] = []
    while True:
        try:
            connection, _peer = listener.accept()
        except OSError:
            break
        processes = [process for process in processes if process.poll() is None]
        with connection:
            end = connection.fileno()
            if len(processes) < _AT_ONCE:
                processes.append(subprocess.Popen(argv, stdin=end, stdout=end, stderr=subprocess.DEVNULL))
    for process in processes:
        process.kill()
        process.wait()
