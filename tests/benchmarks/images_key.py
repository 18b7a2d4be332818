# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image that is there already: what proving that costs, by the module as it runs, and by its inputs."""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.distrogate.ci.plugins.module_utils._images._memo import Memo
from ansible_collections.distrogate.ci.plugins.module_utils._images._trees import tree_digest
from ansible_collections.distrogate.ci.tests.benchmarks import report

MODULE = "ansible_collections.distrogate.ci.plugins.modules.disk_image"
FILES = 1000
WHOLE_BAR, TREE_BAR = 1.0, 0.050  # seconds
_PLACES = ["etc", "bin", "usr", "var", "tmp", "root", "dev"]


def make_tree(folder: Path, files: int) -> None:
    """Files of the sizes of an element's."""
    for number in range(files):
        path = folder / f"install.d/{number % 40}" / f"file{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x" * (number * 97 % 9000))


def proof(folder: Path, memo: Path) -> tuple[float, float]:
    """Seconds on the wall and of the processor for one look at a tree that is as it was."""
    wall, used = time.perf_counter(), time.process_time()
    known = Memo(str(memo))
    tree_digest(str(folder), known)
    known.save()
    return time.perf_counter() - wall, time.process_time() - used


def tree_part(place: Path, rounds: int) -> tuple[float, float]:
    """The median of each, for 1,000 files."""
    folder = place / "element"
    make_tree(folder, 10 * FILES)
    time.sleep(2.5)  # a memo keeps nothing of this moment
    first = proof(folder, place / "memo.json")
    times = [proof(folder, place / "memo.json") for _round in range(rounds)]
    print(f"first look at 10,000 files: {first[0]:.3f} s")
    return tuple(statistics.median(one) / 10 for one in zip(*times))  # type: ignore[return-value]


def options_of(place: Path) -> dict[str, t.Any]:
    """An image of an archive with nothing in it, of a distribution in a folder."""
    release = place / "mirror/dists/bookworm/InRelease"
    release.parent.mkdir(parents=True)
    release.write_text("Date: Sat, 01 Aug 2026 10:00:00 UTC\n" * 4000)  # as large as a real one
    for name in _PLACES:
        (place / "root" / name).mkdir(parents=True)
    (place / "root/etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    argv = ["tar", "--create", f"--file={place}/base.tar", f"--directory={place}/root", "."]
    subprocess.run(argv, check=True)
    return {
        "name": "bench",
        "builder": "mmdebstrap",
        "suite": "bookworm",
        "base": f"{place}/base.tar",
        "mirror": f"Types: deb\nURIs: file://{place}/mirror\nSuites: bookworm\nComponents: main\n",
        "formats": ["tar"],
        "output": f"{place}/images",
        "free_space": "1M",
    }


def call(options: dict[str, t.Any], place: Path) -> tuple[dict[str, t.Any], float, float]:
    """The module as a process of its own: its result, seconds on the wall, and of the processor."""
    file = place / "arguments.json"
    file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**options, "_ansible_tmpdir": str(place)}}))
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([sys.executable, "-m", MODULE, str(file)], capture_output=True, check=False)
    wall, after = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
    result = json.loads(done.stdout)
    assert not result.get("failed"), result
    return result, wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def module_part(place: Path, rounds: int) -> tuple[float, float]:
    """The median of each, for the same key again."""
    options = options_of(place)
    assert call(options, place)[0]["from"] == "built"
    times = []
    for _round in range(rounds):
        result, wall, used = call(options, place)
        assert result["reused"] and not result["changed"]
        times.append((wall, used))
    return tuple(statistics.median(one) for one in zip(*times))  # type: ignore[return-value]


def main() -> int:
    """Measure both; 1 when one is over its bar. Work is the processor's time: others may use it, too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--write", action="store_true", help="keep the figures in the documentation")
    arguments = parser.parse_args()
    rounds = 3 if arguments.quick else 11
    with tempfile.TemporaryDirectory(prefix="distrogate-", dir=os.environ.get("TMPDIR")) as folder:
        place = Path(folder)
        tree = tree_part(place, rounds)
        whole = module_part(place, rounds)
    rows = [("same key again, the whole module", whole, WHOLE_BAR), ("the same, 1,000 files", tree, TREE_BAR)]
    lines = []
    for name, (wall, used), limit in rows:
        found = f"{used * 1000:.0f} ms of work, {wall * 1000:.0f} ms on the wall"
        lines.append(f"{name}: {found}; bar {limit * 1000:.0f} ms")
    print("\n".join(lines))
    if arguments.write:
        again = f"{report.machine()}. Again: `tests/benchmarks/images_key.py`."
        text = "\n".join(f"    {line}" for line in lines)
        report.write_section("The key of an image again", f"{again}\n\n{text}")
    return int(any(used > limit for _name, (_wall, used), limit in rows))


if __name__ == "__main__":
    sys.exit(main())
