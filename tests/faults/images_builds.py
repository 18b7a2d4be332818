# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds of images that are killed: the module disk_image, and what the next one may not find."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import time
import typing as t

from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, argv, environment

ELEMENTS = pathlib.Path(__file__).resolve().parents[1] / "unit/images/elements"
_PATIENCE = 15.0  # seconds for the kernel to take away what a killed build had


@dataclasses.dataclass
class Builds:
    """One output folder and one image; ``options`` are those of the module."""

    folder: pathlib.Path
    options: dict[str, t.Any]

    @property
    def output(self) -> pathlib.Path:
        return self.folder / "images"

    @contextlib.contextmanager
    def start(self) -> t.Iterator[subprocess.Popen[str]]:
        """A build that ends with the test, however that ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = argv("disk_image", {**self.options, "output": str(self.output)}, self.folder)
        with subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self) -> dict[str, t.Any]:
        """A build that is not killed."""
        with self.start() as process:
            said = process.communicate()[0]
        result: dict[str, t.Any] = json.loads(said.splitlines()[-1])
        if process.returncode or result.get("failed"):
            raise BrokenPromiseError(f"a build after a killed one failed: {said[-2000:]}")
        return result

    def kill(self, seconds: float) -> bool:
        """Kill one after that time, the module alone; whether it was still at work."""
        with self.start() as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.returncode == -signal.SIGKILL

    def survived(self) -> None:
        """Nothing runs, is mounted or attached any more; folders may remain until the next build."""
        end = time.monotonic() + _PATIENCE
        while self.processes() and time.monotonic() < end:
            time.sleep(0.1)
        for what, found in (
            ("processes", self.processes()),
            ("mounts", self.mounts()),
            ("loop devices", self.loops()),
        ):
            if found:
                raise BrokenPromiseError(f"a killed build left {what}: {found}")
        for path in (self.output / self.options["name"]).glob("*/"):
            if not path.is_symlink() and not (path / "SHA256SUMS").exists():
                raise BrokenPromiseError(f"{path} is no complete image")

    def clean(self) -> None:
        """After the next build nothing at all is left."""
        self.survived()
        left = sorted(os.listdir(self.output / ".work"))
        if left != ["lock"]:
            raise BrokenPromiseError(f"the next build left folders of a killed one: {left}")

    def processes(self) -> list[str]:
        """Command lines of processes that work below the output folder, or began there."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                place = os.readlink(path / "cwd") + " " + os.readlink(path / "root")
            except OSError:
                continue
            if str(self.output) in words + place:
                found.append(f"{path.name} {words[:100]}")
        return found

    def mounts(self) -> list[str]:
        """In the namespace of this process."""
        lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
        return [line for line in lines if str(self.output) in line]

    def loops(self) -> list[str]:
        found = []
        for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
            if str(self.output) in path.read_text():
                found.append(path.parts[3])
        return found
