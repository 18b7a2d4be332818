# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real docker-registry on a free loopback port, with its files in a folder of the test's."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import subprocess
import time
import typing as t
import urllib.request

from ansible_collections.distrogate.ci.tests.tools.ports import free_port

# htpasswd(1) with bcrypt, for promoter:secret
HTPASSWD = "promoter:$2b$05$7huFQzilrb8Y4gXOJOt1ge398CVPxL9gsmD5ubota2W5C6HHjzUTq\n"
USER, PASSWORD = "promoter", "secret"
_PROBES, _PROBE = 300, 0.02


class Registry:
    """One registry. ``auth`` is a section of its configuration, such as ``basic()`` gives."""

    def __init__(self, folder: pathlib.Path, auth: str = "", delete: bool = True) -> None:
        self.folder, self._auth, self._delete = folder, auth, delete
        self.data = folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _configured(self) -> pathlib.Path:
        config = self.folder / "config.yml"
        delete = str(self._delete).lower()
        config.write_text(
            "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.data}}}, delete: {{enabled: {delete}}}}}\n"
            f"http: {{addr: '127.0.0.1:{self.port}', secret: tests}}\n{self._auth}"
        )
        return config

    def start(self) -> None:
        """Start; once it answers this returns."""
        for _attempt in range(5):
            self.port = self.port or free_port()
            with open(self.folder / "log", "ab") as log:
                # The kernel ends it, should this process be killed.
                argv = ["setpriv", "--pdeathsig", "KILL", "docker-registry", "serve", str(self._configured())]
                self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if self._answers():
                return
            self.stop()
            self.port = 0
        raise AssertionError(f"docker-registry did not start: {(self.folder / 'log').read_text()[-1000:]}")

    def _answers(self) -> bool:
        assert self.process
        for _probe in range(_PROBES):
            if self.process.poll() is not None:
                return False
            with contextlib.suppress(OSError), urllib.request.urlopen(self.url + "/", timeout=2):
                return True
            time.sleep(_PROBE)
        return False

    def stop(self) -> None:
        """End it, and nothing else."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def lose_blob(self, digest: str) -> None:
        """Remove the bytes of a blob, of every repository."""
        digits = digest.partition(":")[2]
        shutil.rmtree(self.data / "docker/registry/v2/blobs/sha256" / digits[:2] / digits)

    def __enter__(self: R) -> R:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()


R = t.TypeVar("R", bound=Registry)


def basic(folder: pathlib.Path) -> str:
    """The section for USER and PASSWORD."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "htpasswd").write_text(HTPASSWD)
    return f"auth: {{htpasswd: {{realm: tests, path: {folder / 'htpasswd'}}}}}\n"
