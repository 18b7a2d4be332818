# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""apt_publish and rpm_publish against reprepro, apt-ftparchive, createrepo_c and aptly, in CPU seconds."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from ansible_collections.distrogate.ci.plugins.module_utils._core._openpgp import make_key
from ansible_collections.distrogate.ci.tests.benchmarks import publish_cases as cases
from ansible_collections.distrogate.ci.tests.benchmarks import publish_inputs, publish_table, report
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Meter
from ansible_collections.distrogate.ci.tests.benchmarks.publish_peers import (
    AptFtparchive,
    Aptly,
    Createrepo,
    Reprepro,
)
from ansible_collections.distrogate.ci.tests.benchmarks.publish_table import Sizes
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, say

TITLE = "Publishing against the tools of the distributions"
QUICK = Sizes(20, 60, 100)


def measure(bench: cases.Bench, sizes: Sizes) -> None:
    """All of it; the largest last."""
    key = bench.key
    archive = AptFtparchive(key)
    bench.others(sizes.middle)
    bench.add_one("deb", sizes.small, [Reprepro(key)])
    bench.add_one("rpm", sizes.middle, [Createrepo(key)])
    bench.add_one("deb", sizes.middle, [Reprepro(key), Aptly(key)])
    only_sha256 = AptFtparchive(key, "--no-md5", "--no-sha1", "--no-sha512")
    bench.from_nothing("deb", sizes.middle, {archive.command: archive, cases.SHA256: only_sha256})
    bench.in_pool(sizes.middle, archive)
    bench.copying(sizes.middle, archive)
    bench.from_nothing("rpm", sizes.middle, {Createrepo.command: Createrepo(key)})
    bench.add_one("deb", sizes.large, [Reprepro(key)], closely=True)


def agent(gnupg: Path) -> int:
    """The process id of the agent that holds the key; it runs already."""
    argv = ["gpg-connect-agent", "--homedir", str(gnupg), "GETINFO pid", "/bye"]
    answer = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
    return int(answer.split()[1])


def shown(bench: cases.Bench, sizes: Sizes) -> str:
    """The tables, with what they mean."""
    rows = publish_table.rows(bench.figures, sizes)
    over = publish_table.missed(rows)
    verdict = f"over the bar: {', '.join(over)}" if over else "no bar that could be shown is missed"
    first = f"""
CPU seconds, of user and system, of all processes that work for a publish, the peers' and gpg's among them,
{bench.meter.method}. Ours is a new process of a module for each publish, its start included, which signs
InRelease and Release.gpg or repomd.xml, and keeps one replaced generation, so that it removes files with
each publish. The peers sign with the same key and write one gzip index as well; apt-ftparchive has no
database and its own choice of four digests unless it says SHA256 only; createrepo_c has --no-database and,
to add one, --update --skip-stat. "From nothing" the packages lie in the peer's tree already. "In the pool"
they do so in ours, so that both make indexes alone; "linked" ours takes them by hard link; "copied" both
copy them. Packages have 22 KiB, debs 700 bytes of control file, rpms seven files and 8 requirements; one
that is added stands anywhere in the order. Medians of {bench.rounds} rounds to add one, of {bench.few} from
nothing, everyone in turn; {verdict}. {report.machine()}. Again: `make bench-publish`."""
    parts = [
        first,
        publish_table.bars(rows),
        "Add one to a growing repository:",
        publish_table.growth(bench.figures, sizes),
        """\
Bytes of files that one added package makes: what the format forces (the package, the compressed indexes, what
signs them), and all else. A file with several names counts once.""",
        publish_table.written(bench.figures),
        """\
Every figure. "Read and sha256" is the reading and digesting of all packages in Python with them in the page
cache; the start of a module is that of Python and an AnsibleModule without options. "Nothing compiled before"
is what it costs where Python finds no bytecode, as in a module that Ansible sends. Memory is that of the
largest process, or where it was watched of all together. What a copy costs depends on where the file system
finds free blocks: those runs differ most.""",
        publish_table.everything(bench.figures),
    ]
    return "\n\n".join(part if part.startswith("|") else _filled(part) for part in parts)


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 110, break_on_hyphens=False, break_long_words=False)


def run(
    root: Path, sizes: Sizes, rounds: int, keep: bool = False, settle: bool = True
) -> tuple[str, list[str]]:
    """Measure; returns the section, and the bars that were missed. ``settle`` takes time."""
    work = root / "work"
    publish_inputs.remove(work)  # of a benchmark that was interrupted
    work.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="dg-") as gnupg:  # a short path: sockets lie in it
        try:
            key = make_key(gnupg, "Benchmark <benchmark@example.org>")
            meter = Meter(work / "log", agent(Path(gnupg)), settle)
            bench = cases.Bench(root, key, Path(gnupg), meter, rounds)
            measure(bench, sizes)
        finally:
            subprocess.run(["gpgconf", "--homedir", gnupg, "--kill", "all"], check=False)
            if not keep:
                publish_inputs.remove(work)
    return shown(bench, sizes), publish_table.missed(publish_table.rows(bench.figures, sizes))


def main() -> None:
    """Measure, print, and with --write keep; fails when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY / ".cache/bench-publish", help="the folder for everything"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often one package is added")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--keep", action="store_true", help="do not remove the repositories afterwards")
    parser.add_argument("--quick", action="store_true", help="few packages, to see that this works: no bars")
    options = parser.parse_args()
    if options.rounds < 1:
        sys.exit("--rounds must be at least 1")
    sizes, rounds = (QUICK, 1) if options.quick else (Sizes(), options.rounds)
    text, missed = run(options.root.resolve(), sizes, rounds, options.keep, settle=not options.quick)
    say("Result")
    print(text)
    if options.write and not options.quick:
        report.write_section(TITLE, text)
    if missed and not options.quick:
        sys.exit(f"over the bar: {', '.join(missed)}")


if __name__ == "__main__":
    main()
