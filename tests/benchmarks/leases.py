# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Leases: 64 waiters on one TE beside kazoo's lock, large pools, what a task costs, a simulated day."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import textwrap
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import (
    leases_day,
    leases_guarded,
    leases_table,
    leases_task,
    report,
)
from ansible_collections.distrogate.ci.tests.benchmarks.leases_contest import contest
from ansible_collections.distrogate.ci.tests.benchmarks.leases_crowd import Crowd
from ansible_collections.distrogate.ci.tests.benchmarks.leases_figures import (
    ETCD,
    GUARDED,
    OURS,
    PEER,
    Figures,
)
from ansible_collections.distrogate.ci.tests.benchmarks.leases_lockers import POOL, TE
from ansible_collections.distrogate.ci.tests.benchmarks.leases_operations import count
from ansible_collections.distrogate.ci.tests.benchmarks.leases_places import PLACES
from ansible_collections.distrogate.ci.tests.benchmarks.leases_waiters import THREADS
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, say
from ansible_collections.distrogate.ci.tests.tools.lease_client import Client

TITLE = "Leases of test environments"


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    clients: int = 64
    seconds: float = 15
    warm: float = 3
    rounds: int = 5
    tes: int = 10_000
    waiters: int = 1000
    few: int = 10  # TEs, and waiters, to compare with
    grants: int = 4000
    tasks: int = 20
    pools: tuple[int, ...] = (10, 1000, 10_000)
    runs: int = 2000


QUICK = Sizes(6, 1, 0.5, 1, 30, 12, 5, 20, 4, (5, 20), 1500)
PARTS = ("contest", "guarded", "crowd", "operations", "task", "day")


class Bench:
    """One run of the benchmark."""

    def __init__(self, root: Path, sizes: Sizes, places: tuple[str, ...]) -> None:
        self.root = root
        self.sizes = sizes
        self.places = places
        self.figures = Figures()

    def contest(self) -> None:
        """Everyone in turn; a cluster runs in its own turn only."""
        sizes = self.sizes
        for number in range(sizes.rounds):
            for name in self.places if number % 2 == 0 else self.places[::-1]:
                with PLACES[name](self.root) as address:
                    who = "kazoo" if name == PEER else "ours"
                    if who == "ours":
                        with Client.open(address) as client:
                            client.register_all(POOL, {TE: {}})
                    result = contest(who, address, sizes.clients, sizes.seconds, sizes.warm)
                self.figures.add_contest(name, result)

    def guarded(self) -> None:
        """The same contest with the TE's key and guard on."""
        sizes = self.sizes
        for name in self._ours():
            with PLACES[name](self.root) as address, leases_guarded.guard(self.root) as item:
                leases_guarded.register(address, POOL, leases_guarded.TE, item)
                result = contest("guarded", address, sizes.clients, 4 * sizes.seconds, sizes.warm)
            self.figures.add_contest(GUARDED.format(name), result)

    def crowd(self) -> None:
        """A large pool and a small one, in turn."""
        sizes = self.sizes
        for name in self._ours():
            for tes, waiters in ((sizes.few, sizes.few), (sizes.tes, sizes.waiters)):
                with PLACES[name](self.root) as address:
                    say(f"{name}: {tes} TEs, {waiters} waiters")
                    figures = Crowd(address, tes, waiters).run(sizes.grants, sizes.grants // 10)
                self.figures.add_crowd(name, tes, figures)

    def operations(self) -> None:
        for name in self._ours():
            for tes in self.sizes.pools:
                with PLACES[name](self.root) as address:
                    self.figures.operations[name, tes] = counts = count(address, tes)
                say(f"{name}, {tes} TEs: {dict(counts)}")

    def task(self) -> None:
        for _number in range(self.sizes.rounds):
            for kind in leases_task.TASKS:
                with tempfile.TemporaryDirectory(dir=self.root) as folder:
                    url = f"sqlite://{folder}/store.db"
                    seconds = leases_task.seconds_a_task(Path(folder), url, kind, self.sizes.tasks)
                self.figures.add_task(kind, seconds)

    def day(self) -> None:
        for name in self._ours():
            with PLACES[name](self.root) as address:
                self.figures.days[name] = leases_day.day(address, self.sizes.runs)
            say(f"{name}: {self.sizes.runs} runs in {self.figures.days[name].seconds:.0f} s")

    def _ours(self) -> list[str]:
        return [name for name in self.places if name != PEER]


def shown(bench: Bench) -> tuple[str, list[str]]:
    """The section, and the bars that were missed."""
    sizes, figures = bench.sizes, bench.figures
    found = leases_table.rows(figures, sizes.tes, sizes.few)
    over = leases_table.missed(found)
    verdict = f"over the bar: {'; '.join(over)}" if over else "no bar that could be shown is missed"
    parts = [
        f"""Everything runs on this one machine, servers and clients alike; {verdict}. {report.machine()}.
        Again: `make bench-leases`.""",
        leases_table.bars(found),
        f"""{sizes.clients} processes, each with one connection that stays, take the only TE, hold it for no
        time, release it, and ask again, for {sizes.seconds:g} s after {sizes.warm:g} s that do not count;
        kazoo's are kazoo.recipe.lock.Lock, as many processes on three ZooKeeper servers, whose files lie
        on the same disk. p50 and p99 are of the time from the beginning of a release to the next process
        having the TE. Neither key nor guard.
        Medians of {sizes.rounds} rounds, everyone in turn (lowest and highest). With a key and a guard, a
        lease is a new key and two logins at the TE host's sshd (to raise the fence, to end the key): one
        round of {4 * sizes.seconds:g} s:""",
        leases_table.contests(figures),
        f"""A grant in a large pool: all TEs are leased, and waiters (threads, {THREADS} in a process, each
        with a client of its own; 40 expressions over 40 classes of labels) stand in the queue. One TE is
        released, somebody has it, and stands in the queue again with the same wish before the next TE is
        released: one thread is awake at a time, so the interpreter's lock hardly counts, nor does it show
        how many grants could be made at once. A grant is from the beginning of the release to the waiter
        having its lease; the calls alone stand beside it. {sizes.few} TEs with {sizes.few} waiters,
        {sizes.tes:,} with {sizes.waiters:,}; {sizes.grants:,} grants each:""",
        leases_table.crowds(figures),
        "What a lease and its release ask of the store, when nobody else wants the TE:",
        leases_table.operations(figures),
        f"""A task on SQLite, nobody else wanting the TE (taken and released in turn), beside a module that
        does nothing: {leases_task.EMPTY} with connection local. From playbooks of {sizes.tasks} and {
            2 * sizes.tasks
        } tasks, so that Ansible's start does not count. Medians of {sizes.rounds} rounds:""",
        leases_table.tasks(figures),
        f"""A simulated day of {sizes.runs:,} runs on {len(leases_day.TES)} TEs with a simulated clock and a
        real store: 40 % gates at priority 10, the others checks at 0; a tenth want two TEs, three in ten
        large ones, which two fifths of the TEs are; they last 20 minutes, or what a lognormal
        distribution makes of it; more arrive at work. Nothing has to be cleaned.
        {leases_table.utilisation(figures)}""",
        leases_table.days(figures),
    ]
    return "\n\n".join(part if part.startswith("|") else _filled(part) for part in parts), over


def _filled(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 110, break_on_hyphens=False, break_long_words=False)


def main() -> None:
    """Measure, print, and with --write keep; fails when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=REPOSITORY / ".cache/bench-leases", help="for all files")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="very little, to see that this works: no bars")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument(
        "--on", choices=[OURS, ETCD, PEER], action="append", help="only on this; may be repeated"
    )
    parser.add_argument("--rounds", type=int, default=Sizes.rounds, help="how often each contest is held")
    options = parser.parse_args()
    options.root.mkdir(parents=True, exist_ok=True)
    sizes = QUICK if options.quick else Sizes(rounds=options.rounds)
    bench = Bench(options.root.resolve(), sizes, tuple(options.on or PLACES))
    for part in options.part or PARTS:
        say(part)
        getattr(bench, part)()
    text, missed = shown(bench)
    say("Result")
    print(text)
    if options.write and not options.quick:
        report.write_section(TITLE, text)
    if missed and not options.quick:
        sys.exit(f"over the bar: {'; '.join(missed)}")


if __name__ == "__main__":
    main()
