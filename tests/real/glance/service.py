# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Keystone and a real Glance on loopback, for as long as a test needs them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from ansible_collections.distrogate.ci.tests.real.glance import config

REPOSITORY = Path(__file__).parents[3]
PINS = REPOSITORY / "requirements/glance.txt"
PASSWORD = "a-secret-of-the-test"
_WAIT = 60  # seconds for a service to answer


def programs() -> Path:
    """A virtual environment with the pinned services; made once, and kept."""
    digest = hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = REPOSITORY / ".cache/glance" / digest
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", str(PINS)], check=True)
        (folder / "complete").touch()
    return folder / "bin"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Service:
    """One process of its own group, ended by its own id."""

    def __init__(self, argv: list[str], log: Path, url: str, environment: dict[str, str]) -> None:
        self.argv, self.log, self.url, self.environment = argv, log, url, environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as stream:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env={**os.environ, **self.environment},
                cwd=self.log.parent,
                start_new_session=True,
            )
        deadline = time.monotonic() + _WAIT
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.argv[0]} does not answer:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def end(self, number: int = signal.SIGKILL) -> None:
        """End it with all that it started."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        self.process.wait()
        self.process = None


class Cloud:
    """Keystone and Glance in ``folder``; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.images = folder / "images"  # where Glance keeps the bytes
        self.bin = programs()
        keystone, glance = free_port(), free_port()
        self.auth_url, self.url = f"http://127.0.0.1:{keystone}/v3", f"http://127.0.0.1:{glance}"
        config.write(folder, self.auth_url, self.url, PASSWORD, self.bin.parent)
        quiet = {"PYTHONWARNINGS": "ignore", "HOME": os.devnull}
        self.keystone = Service(
            [str(self.bin / "python"), str(folder / "serve.py"), str(keystone)],
            folder / "keystone.log",
            self.auth_url,
            {**quiet, "OS_KEYSTONE_CONFIG_FILES": str(folder / "keystone.conf")},
        )
        glance_argv = [str(self.bin / "glance-api"), "--config-file", str(folder / "glance.conf")]
        self.glance = Service(glance_argv, folder / "glance.log", f"{self.url}/versions", quiet)

    @property
    def auth(self) -> dict[str, str]:
        """Who publishes, without the password."""
        return config.auth(self.auth_url)

    def __enter__(self) -> Cloud:
        try:
            self._run("keystone-manage", "--config-file", "keystone.conf", "db_sync")
            self._write_ahead("keystone")
            for what in ("fernet_setup", "credential_setup"):
                own = ("--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid()))
                self._run("keystone-manage", "--config-file", "keystone.conf", what, *own)
            self._run(
                "keystone-manage",
                "--config-file",
                "keystone.conf",
                *config.bootstrap(self.auth_url, PASSWORD),
            )
            self.keystone.start()
            self._run("python", "catalog.py")
            self._run("glance-manage", "--config-file", "glance.conf", "db_sync")
            self._write_ahead("glance")
            self.glance.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.glance.end()
        self.keystone.end()

    def _write_ahead(self, name: str) -> None:
        """Keystone reads by one connection while it writes by another: in SQLite only WAL allows that."""
        with contextlib.closing(sqlite3.connect(self.folder / f"{name}.db")) as database:
            database.execute("PRAGMA journal_mode=WAL")

    def _run(self, program: str, *arguments: str) -> None:
        environment = {**os.environ, "PYTHONWARNINGS": "ignore", "HOME": os.devnull}
        argv = [str(self.bin / program), *arguments]
        done = subprocess.run(
            argv, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def sdk(self) -> t.Any:
        """A connection of a reader, by openstacksdk."""
        import openstack

        return openstack.connect(
            auth={**self.auth, "password": PASSWORD},
            region_name="R1",
            load_yaml_config=False,
            load_envvars=False,
        )
