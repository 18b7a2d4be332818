# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run tasks inside a sandbox on the controller: a TE that is a root filesystem."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: sandbox
short_description: Run tasks in a sandbox over a root filesystem
version_added: 0.1.0
description:
  - Runs modules inside a sandbox on the controller, so that a root filesystem serves as a test environment.
  - A sandbox is an overlay over a root filesystem in namespaces of its own. It needs no privileges, only
    subordinate ids.
  - Nothing stays running between two tasks; files stay until the folder is removed with
    M(distrogate.ci.sandbox).
  - Modules of this collection are not packed. They run from their files, and from those of Ansible's
    C(module_utils), which the sandbox sees read-only below C(/dev/.distrogate) meanwhile.
author:
  - distrogate.ci maintainers (@distrogate)
options:
  rootfs:
    description: The root filesystem, as returned by M(distrogate.ci.root_filesystem). It is never changed.
    type: path
    required: true
    vars:
      - name: distrogate_sandbox_rootfs
  directory:
    description: The folder that keeps what this sandbox changes.
    type: path
    required: true
    vars:
      - name: distrogate_sandbox_directory
  bind:
    description: Folders of the controller that the sandbox sees, read-only, at the same path.
    type: list
    elements: path
    default: []
    vars:
      - name: distrogate_sandbox_bind
  network:
    description: Whether it shares the controller's network.
    type: bool
    default: true
    vars:
      - name: distrogate_sandbox_network
  pipelining:
    description:
      - Whether modules are handed over as they start, and not as files before that.
      - Each step in a sandbox makes its namespaces anew, so this saves four of five.
    type: bool
    default: true
    vars:
      - name: distrogate_sandbox_pipelining
"""

import os
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import Completed
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox


class Connection(ConnectionBase):
    """One sandbox; each task runs in namespaces of its own over the same files."""

    transport = "distrogate.ci.sandbox"
    has_pipelining = True

    def _connect(self) -> Connection:
        if not self._connected:
            self._sandbox().create()
            self._connected = True
        return self

    def _sandbox(self) -> Sandbox:
        return Sandbox(self.get_option("directory"), self.get_option("rootfs"))

    def run(
        self, argv: list[str], stdin: bytes, binds: t.Mapping[str, str] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run a program inside; ``binds`` is what it sees beside ``bind``, path inside: path outside."""
        self._connect()
        done = self._run(argv, stdin, binds)
        return done.status, done.stdout, done.stderr

    def _run(
        self, argv: list[str], stdin: bytes | t.BinaryIO, more: t.Mapping[str, str] | None = None
    ) -> Completed:
        binds = {**{path: path for path in self.get_option("bind")}, **(more or {})}
        try:
            return self._sandbox().run(
                argv, stdin=stdin, check=False, network=self.get_option("network"), binds=binds, timeout=86400
            )
        except DistrogateError as error:
            raise AnsibleConnectionFailure(
                f"The sandbox {self.get_option('directory')}: {error.message}"
            ) from error

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        """Run Ansible's own command line inside."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)  # type: ignore[safe-super]
        done = self._run(["/bin/sh", "-c", cmd], in_data or b"")
        return done.status, done.stdout, done.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller into the sandbox."""
        if not os.path.exists(in_path):
            raise AnsibleFileNotFound(f"There is no file {in_path}.")
        with open(in_path, "rb") as stream:
            done = self._run(["dd", f"of={out_path}", "bs=1M", "status=none"], stream)
        if done.status:
            raise AnsibleConnectionFailure(f"{in_path} could not be copied to {out_path}: {done.tail(2)}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the sandbox to the controller."""
        done = self._run(["cat", "--", in_path], b"")
        if done.status:
            raise AnsibleConnectionFailure(f"{in_path} could not be read: {done.tail(2)}")
        with open(out_path, "wb") as stream:
            stream.write(done.stdout)

    def reset(self) -> None:
        """Nothing runs between two tasks, so there is nothing to begin anew."""
        self.close()
        self._connect()

    def close(self) -> None:
        """Nothing is held open."""
        self._connected = False
