# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start or end one rsync daemon on a free loopback port: ``daemons.py start|stop FOLDER``."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time


def start(folder: pathlib.Path) -> None:
    (folder / "tree").mkdir(parents=True, exist_ok=True)
    config, port_file = folder / "rsyncd.conf", folder / "port"
    config.write_text(
        f"use chroot = no\nuid = {os.getuid()}\ngid = {os.getgid()}\n"
        f"[m]\npath = {folder}/tree\nread only = no\n"
    )
    if not port_file.exists():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port_file.write_text(str(probe.getsockname()[1]))
    port = int(port_file.read_text())
    argv = ["rsync", "--daemon", "--no-detach", f"--config={config}", "--address=127.0.0.1", f"--port={port}"]
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (folder / "pid").write_text(str(process.pid))
    for _attempt in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            print(port)
            return
        time.sleep(0.05)
    raise SystemExit("the daemon did not start")


def stop(folder: pathlib.Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        pid = int((folder / "pid").read_text())
        (folder / "pid").unlink()
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


{"start": start, "stop": stop}[sys.argv[1]](pathlib.Path(sys.argv[2]))
