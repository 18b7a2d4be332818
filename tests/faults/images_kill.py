# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making an image is killed at random instants, and run again: nothing is left, every image is whole."""

from __future__ import annotations

import io
import json
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images import _loops
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Store

# What the module does, without Ansible around it.
_PROGRAM = """
import json, sys
from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_sources import machine_sources
from ansible_collections.distrogate.ci.plugins.module_utils._images._build_mmdebstrap import MmdebstrapBuilder
from ansible_collections.distrogate.ci.plugins.module_utils._images._make import Settings, make
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Store
output, words = sys.argv[1], json.loads(sys.argv[2])
if words.get("suite"):
    words["mirror"] = machine_sources(words["suite"])
words = {name: tuple(value) if isinstance(value, list) else value for name, value in words.items()}
request = ImageRequest(builder="mmdebstrap", **words)
settings = Settings(timeout=900, free_space=1 << 20, say=lambda said: print(said, flush=True))
outcome = make(Store(output, request.name), request, MmdebstrapBuilder(), settings)
print("image", outcome.image.path)
"""


def busybox(path: pathlib.Path) -> str:
    """A root filesystem that is small: its image is made within a second or two."""
    with tarfile.open(path, "w") as archive:
        for name in ("bin", "dev", "etc"):
            entry = tarfile.TarInfo(f"./{name}")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        archive.add("/bin/busybox", "./bin/busybox")
        for number in range(500):
            entry = tarfile.TarInfo(f"./etc/{number}")
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"abc"))
    return str(path)


class Builds:
    """One folder of images; each death is of a build of its own key."""

    def __init__(self, folder: pathlib.Path, seed: int, request: dict[str, t.Any]) -> None:
        self.output = str(folder / "images")
        self.request = request
        self.chance = random.Random(seed)
        self.deaths = self.number = 0
        self.seconds = 0.0
        os.mkdir(self.output)

    def start(self) -> subprocess.Popen[str]:
        environment = {"IMAGE_NUMBER": str(self.number)}
        words = json.dumps({**self.request, "environment": environment})
        return subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, self.output, words],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": os.devnull},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def whole(self) -> float:
        """One that nobody kills; seconds."""
        begin = time.monotonic()
        said, _none = self.start().communicate(timeout=1800)
        assert said and said.splitlines()[-1].startswith("image "), said
        return time.monotonic() - begin

    def round(self) -> str:
        """Kill one build; the next run of it ends well, and nothing of the dead one is left."""
        if not self.seconds:
            self.seconds = self.whole()
        self.number += 1
        instant = self.chance.uniform(0, self.seconds)
        build = self.start()
        try:
            build.wait(instant)
        except subprocess.TimeoutExpired:
            build.kill()
            self.deaths += 1
        said = build.communicate(timeout=60)[0].splitlines()
        self.looks_whole()
        self.whole()
        self.looks_whole()
        left = self.left()
        assert not left, (instant, said, left)
        return f"{self.deaths}: killed after {instant:.2f} s: {said[-1] if said else 'at once'}"

    def looks_whole(self) -> None:
        """Every image under a key is complete."""
        store = Store(self.output, self.request["name"])
        for name in os.listdir(store.home) if os.path.isdir(store.home) else []:
            if len(name) == 64:
                assert store.find(f"sha256:{name}", full=True) is not None

    def left(self) -> list[str]:
        """What should not be there: places, processes, mounts, loop devices."""
        work = pathlib.Path(self.output, ".work")
        found = [str(entry) for entry in work.iterdir() if entry.is_dir()]
        mine = os.fsencode(self.output)
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = pathlib.Path("/proc", name, "cmdline").read_bytes()
                mounts = pathlib.Path("/proc", name, "mountinfo").read_bytes()
            except OSError:
                continue
            if mine in words or mine + b"/.work/" in mounts:
                found.append(f"process {name} {words!r}")
        return found + [loop.path for loop in _loops.below(self.output)]
