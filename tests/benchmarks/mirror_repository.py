# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sources: repositories of ours, published by our publisher, with very small packages or usual ones."""

from __future__ import annotations

import json
import multiprocessing
import os
import string
import subprocess
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import publish_inputs
from ansible_collections.distrogate.ci.tests.demo.site import say
from ansible_collections.distrogate.ci.tests.faults.run import argv, environment
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import ar, gz, tar

SUITE, SMALL = "bookworm", "updates"
_AT_ONCE = 50_000  # packages that one publish takes
_A_FOLDER = 1000
_DATA = gz(tar("./usr/share/x", b"x"))


class Repository:
    """``root`` in a source of its own; ``versions`` counts, so that a name never comes back."""

    def __init__(self, work: Path, name: str, key: str, gnupg: Path) -> None:
        self.work, self.source = work, work / name
        self.root = self.source / "apt"
        self.key, self.gnupg = key, gnupg
        self.count = 0
        self.version = 1
        self.root.mkdir(parents=True)

    def fill(self, count: int) -> None:
        """Have at least ``count`` files in all, nearly all of them packages of one suite."""
        while self.count < count:
            more = min(count - self.count, _AT_ONCE)
            say(f"{self.source.name}: publishing packages {self.count + 1} to {self.count + more}")
            incoming = self.work / "incoming"
            publish_inputs.remove(incoming)
            numbers = range(self.count, self.count + more)
            with multiprocessing.Pool() as pool:
                paths = pool.starmap(_write, [(incoming, number, 1) for number in numbers], chunksize=500)
            self.publish(paths, SUITE, hard_link=True)
            publish_inputs.remove(incoming)
            self.count += more

    def usual(self, packages: list[Path]) -> None:
        """Packages of 22 KiB, as bench-publish has them."""
        self.publish([str(path) for path in packages], SUITE)
        self.count = len(packages)

    def change(self, count: int, suite: str = SUITE) -> None:
        """New versions of ``count`` packages; the old ones go when the publisher collects."""
        self.version += 1
        incoming = self.work / "incoming"
        publish_inputs.remove(incoming)
        step = max(1, self.count // count)
        paths = [_write(incoming, number * step, self.version) for number in range(count)]
        self.publish(paths, suite)
        publish_inputs.remove(incoming)

    def publish(self, paths: list[str], suite: str, **options: object) -> None:
        """Through the module; one generation of what was replaced stays."""
        arguments = {
            "root": str(self.root),
            "suite": suite,
            "packages": paths,
            "signing_key": self.key,
            "gnupg_home": str(self.gnupg),
            "keep": 1,
            "keep_seconds": 0,
            **options,
        }
        file = self.work / "publish.json"
        command = argv("apt_publish", {}, self.work)
        # Thousands of paths are too long for a command line: the module reads them from a file.
        file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_tmpdir": str(self.work)}}))
        command[2] = command[2].replace("sys.argv[2].encode()", 'open(sys.argv[2], "rb").read()')
        done = subprocess.run(
            [*command[:-1], str(file)], env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]

    def files(self) -> int:
        """How many a mirror gets."""
        found = 0
        for _folder, folders, names in os.walk(self.source):
            if ".distrogate" in folders:
                folders.remove(".distrogate")
            found += len(names)
        return found


def _write(folder: Path, number: int, version: int) -> str:
    """A package of half a KiB, made quickly: packed as dpkg would, its text is short."""
    name = _name(number)
    path = folder / f"{number // _A_FOLDER:04d}" / f"{name}_{version}_all.deb"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (
        f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: A <a@example.org>\n"
        f"Depends: {_name(number // 2)}\nDescription: package {number}\n"
    )
    packed = gz(tar("./control", text.encode()))
    path.write_bytes(ar(("debian-binary", b"2.0\n"), ("control.tar.gz", packed), ("data.tar.gz", _DATA)))
    return str(path)


def _name(number: int) -> str:
    """The letters are those of the folders in the pool."""
    return f"{string.ascii_lowercase[number % 26]}{number:07d}"


def usual_packages(folder: Path, count: int) -> list[Path]:
    """The first packages of bench-publish, which are made once."""
    return publish_inputs.make(folder, "deb", count)
