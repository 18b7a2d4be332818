# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root filesystems: mmdebstrap by hand, the builder from nothing, a second image, two images at once.

Rounds alternate, each from nothing on a file system of its own (see ``fresh_disk``), and every other round
has the builder first. CPU seconds of all processes are counted by a cgroup, so run it as root. The builder
does all that the module does: key, build, manifest, digests, sync.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_sources import (
    codename,
    machine_sources,
)
from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.benchmarks.costs import counted, used
from ansible_collections.distrogate.ci.tests.benchmarks.fresh_disk import fresh_disk

PACKAGES = ["systemd-sysv", "iproute2", "openssh-server", "ca-certificates", "sudo", "nginx-light", "jq"]
_PROGRAM = """
import json, sys
from ansible_collections.distrogate.ci.plugins.module_utils._images._build_mmdebstrap import MmdebstrapBuilder
from ansible_collections.distrogate.ci.plugins.module_utils._images._make import Settings, make
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Store
name, suite, mirror, packages = json.loads(sys.argv[2])
request = ImageRequest(
    name, "mmdebstrap", suite, packages=tuple(packages), mirror=mirror, formats=("tar",)
)
make(Store(sys.argv[1], name), request, MmdebstrapBuilder(), Settings())
"""
# What a case may take of what another takes.
BARS = (("ours", "by hand", 1.05), ("one package differs", "ours", 0.6), ("two at once", "ours", 1.8))


class Rounds:
    """The figures of all rounds: seconds and CPU seconds of each case."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.suite, self.mirror = codename(), machine_sources()
        self.sources = os.path.join(folder, "debian.sources")
        with open(self.sources, "w", encoding="utf-8") as stream:
            stream.write(self.mirror)
        self.figures: dict[str, list[tuple[float, float]]] = {}

    def measure(self, disk: str, case: str, *commands: list[str]) -> None:
        """Run commands side by side, with their temporary files on the disk."""
        os.sync()
        begin, cpu = time.monotonic(), used()
        with open(os.path.join(self.folder, "log"), "w", encoding="utf-8") as log:
            environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "TMPDIR": disk}
            running = [subprocess.Popen(argv, stdout=log, stderr=log, env=environment) for argv in commands]
            for process in running:
                if process.wait():
                    raise SystemExit(f"{case}: see {log.name}")
        self.figures.setdefault(case, []).append((time.monotonic() - begin, used() - cpu))
        print(f"{case}: {self.figures[case][-1][0]:.1f} s, {self.figures[case][-1][1]:.1f} s CPU", flush=True)

    def ours(self, output: str, name: str, *more: str) -> list[str]:
        words = [name, self.suite, self.mirror, [*PACKAGES, *more]]
        return [sys.executable, "-c", _PROGRAM, output, json.dumps(words)]

    def round(self, pair: bool, ours_first: bool = False) -> None:
        """All cases once."""
        cases = [self.by_hand, self.builder]
        for case in [*(reversed(cases) if ours_first else cases), *([self.two] if pair else [])]:
            with fresh_disk(self.folder) as disk:
                case(disk)

    def by_hand(self, disk: str) -> None:
        tar = os.path.join(disk, "by-hand.tar")
        options = ["--mode=unshare", "--variant=minbase", "--format=tar", f"--include={','.join(PACKAGES)}"]
        self.measure(disk, "by hand", ["mmdebstrap", *options, self.suite, tar, self.sources])

    def builder(self, disk: str) -> None:
        output = os.path.join(disk, "output")
        self.measure(disk, "ours", self.ours(output, "one"))
        self.measure(disk, "one package differs", self.ours(output, "one", "hello"))

    def two(self, disk: str) -> None:
        output = os.path.join(disk, "output")
        self.measure(disk, "two at once", self.ours(output, "one"), self.ours(output, "two", "hello"))

    def table(self) -> list[str]:
        """Medians, and their ratios against the bars."""
        medians = {
            case: [statistics.median(column) for column in zip(*rows)] for case, rows in self.figures.items()
        }
        lines = [f"{case:20} {wall:7.1f} s {cpu:7.1f} s CPU" for case, (wall, cpu) in medians.items()]
        for case, other, limit in BARS:
            if case in medians and other in medians:
                wall, cpu = (a / b for a, b in zip(medians[case], medians[other]))
                ratios = f"wall {wall:.2f}, CPU {cpu:.2f}"
                lines.append(f"{case} / {other}: {ratios} (at most {limit} of the wall)")
        return lines


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round, without two at once")
    parser.add_argument("--write", action="store_true", help="keep the figures in the documentation")
    arguments: t.Any = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="images-build-", dir="/var/tmp") as folder, counted():
        rounds = Rounds(folder)
        os.chmod(folder, 0o755)  # mmdebstrap reads and writes below it as a subordinate user
        for number in range(1 if arguments.quick else arguments.rounds):
            rounds.round(pair=not arguments.quick, ours_first=number % 2 == 1)
        lines = rounds.table()
        print("\n".join(lines))
        if arguments.write:
            text = "\n".join(f"    {line}" for line in lines)
            report.write_section(
                "Root filesystems by mmdebstrap",
                f"{report.machine()}. Again: `tests/benchmarks/images_build.py`.\n\n{text}",
            )


if __name__ == "__main__":
    main()
