# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""debian-minimal by the module disk_image, against disk-image-create as a person runs it, by turns.

Each starts on a file system of its own (see ``fresh_disk``), and every other round goes backwards.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.plugins.module_utils._images._apt_sources import machine_sources
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_settings import mirror_of
from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.benchmarks.fresh_disk import fresh_disk
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Meter, Step, Used
from ansible_collections.distrogate.ci.tests.demo.site import say
from ansible_collections.distrogate.ci.tests.faults import run

TITLE = "debian-minimal by diskimage-builder"
SUITE = "bookworm"
HAND, PLAIN, OURS = (
    "disk-image-create by hand",
    "the same, qcow2 not compressed (-u)",
    "disk_image, from nothing",
)
SECOND, AGAIN = "disk_image, one package more", "disk_image, the same again"
OTHER = "disk_image by mmdebstrap, the same packages"
# Like with like: the module's qcow2 is not compressed either.
BARS: dict[str, tuple[str, float | None]] = {
    OURS: (PLAIN, 1.05),
    SECOND: (OURS, 0.6),
    OTHER: (OURS, None),
}
HEAD = ("What", "seconds", "CPU s", "MiB of qcow2", "of what", "wall", "bar", "met")
BLOCK_DEVICE = """\
- local_loop:
    name: image0
    mkfs:
      name: mkfs_root
      mount:
        mount_point: /
        fstab: {options: defaults, fsck-passno: 1}
"""


class Bench:
    """One disk after another; what is measured leaves its seconds and the size of its image."""

    def __init__(self, folder: Path, meter: Meter) -> None:
        self.folder = folder
        self.meter = meter
        self.sizes: dict[str, int] = {}
        self.found: dict[str, list[Used]] = {}

    def round(self, number: int) -> None:
        """Every case once."""
        cases = [self.plain, self.ours, self.hand]
        for case in reversed(cases) if number % 2 else cases:
            with fresh_disk(str(self.folder)) as disk:
                case(Path(disk))

    def plain(self, disk: Path) -> None:
        self.create(disk, PLAIN, "-u")

    def hand(self, disk: Path) -> None:
        self.create(disk, HAND)

    def ours(self, disk: Path) -> None:
        """One store: from nothing, again, and a second image."""
        options = {
            "name": "bench",
            "builder": "dib",
            "elements": ["debian-minimal"],
            "output": str(disk / "ours"),
        }
        for name, packages in ((OURS, []), (AGAIN, []), (SECOND, ["tree"])):
            image = self.module(name, {**options, "packages": packages})
        self.other(disk, image)

    def other(self, disk: Path, image: Path) -> None:
        """The builder for plain root filesystems, with all packages that an image has."""
        packages = json.loads((image / "packages.json").read_text())["packages"]
        options = {"name": "bench", "builder": "mmdebstrap", "output": str(disk / "other")}
        self.module(OTHER, {**options, "packages": [one["name"] for one in packages]})

    def create(self, disk: Path, name: str, *options: str) -> None:
        """What a person types."""
        environment = {
            **run.environment(),
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(disk),
            "TMP_DIR": str(disk),
            "DIB_NO_TMPFS": "1",  # the module builds on the disk, too
            "DIB_RELEASE": SUITE,
            "DIB_BLOCK_DEVICE_CONFIG": BLOCK_DEVICE,
            **mirror_of(SUITE, machine_sources(SUITE)),
        }
        del environment["PYTHONPATH"]
        argv = ["disk-image-create", "-o", str(disk / "image"), *options, "debian-minimal"]
        self.measure(name, Step(argv, disk), environment, disk / "image.qcow2")

    def module(self, name: str, options: dict[str, Any]) -> Path:
        """What a playbook runs; returns the folder of the image."""
        step = Step(run.argv("disk_image", {**options, "suite": SUITE}, self.folder))
        image = Path(options["output"], "bench/newest")
        self.measure(name, step, run.environment(), image / "bench.qcow2")
        return image

    def measure(self, name: str, step: Step, environment: dict[str, str], image: Path) -> None:
        used = self.meter([step], environment)
        self.sizes[name] = image.stat().st_size
        self.found.setdefault(name, []).append(used)
        say(f"  {name}: {used.seconds:.1f} s, {used.cpu:.1f} s of CPU")


def shown(bench: Bench, rounds: int) -> tuple[str, list[str]]:
    """The table, and what is over its bar."""
    wall = {name: statistics.median(one.seconds for one in rows) for name, rows in bench.found.items()}
    rows, over = [], []
    for name in (HAND, PLAIN, OURS, AGAIN, SECOND, OTHER):
        used = bench.found[name]
        other, most = BARS.get(name, ("", None))
        share = wall[name] / wall[other] if other else 0.0
        over += [name] if most is not None and share > most else []
        rows.append(
            [
                name,
                f"{wall[name]:.1f}",
                f"{statistics.median(one.cpu for one in used):.1f}",
                bench.sizes[name] >> 20,
                other,
                f"{share:.2f}" if other else "",
                *report.limit(share, most),
            ]
        )
    text = f"""
The whole module, from its start to the image with its checksums on disk, against `disk-image-create` as root.
Medians of {rounds} rounds, by turns, each from nothing on a file system of its own;
CPU seconds {bench.meter.method}.
Packages come from this machine's mirror. disk-image-create compresses qcow2 unless it gets `-u`, the module
never does, so it is held against that. The module makes the file system without a loop device and does not
copy the root for that, and it makes the initial ram disk once, where Debian's packages make it twice.
{report.machine()}. Again: `tests/benchmarks/images_dib.py`."""
    filled = textwrap.fill(" ".join(text.split()), 110, break_on_hyphens=False, break_long_words=False)
    return f"{filled}\n\n{report.table(HEAD, rows)}", over


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--folder", type=Path, default=None, help="where to work; it needs 6 GB")
    parser.add_argument("--write", action="store_true", help="keep the table in the documentation")
    arguments = parser.parse_args()
    if os.geteuid():
        sys.exit("disk-image-create by hand needs root.")
    folder = Path(tempfile.mkdtemp(prefix="images-dib-", dir=arguments.folder)).resolve()
    with subprocess.Popen(["sleep", "infinity"]) as agent:
        try:
            bench = Bench(folder, Meter(folder / "log", agent.pid))
            rounds = 1 if arguments.quick else arguments.rounds
            for number in range(rounds):
                bench.round(number)
            text, over = shown(bench, rounds)
        finally:
            agent.kill()
            subprocess.run(["rm", "-rf", str(folder)], check=False)
    print(text)
    if arguments.write:
        report.write_section(TITLE, text)
    if over:
        sys.exit(f"over the bar: {', '.join(over)}")


if __name__ == "__main__":
    main()
