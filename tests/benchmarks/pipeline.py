# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible and this collection add: ``check`` against the same tools called by hand, stage by stage."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import remove_folder
from ansible_collections.distrogate.ci.tests.benchmarks import costs, report, small_hello
from ansible_collections.distrogate.ci.tests.benchmarks.by_hand import ByHand
from ansible_collections.distrogate.ci.tests.demo import demo
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, must, say, shared_rootfs

STAGES = ["freeze", "workspace", "build", "lint", "publish_test", "install_test", "system_test", "seal"]
PROJECTS = {
    "small": ("`check` against the same tools by hand", "a small package"),
    "hello": ("`check` of hello against the same tools by hand", "Debian's hello"),
}
BAR = 1.5


def by_hand(site: Site, change: dict[str, str], number: int) -> costs.Costs:
    """One passage by hand."""
    folder = site.root / "by-hand" / str(number)
    remove_folder(str(folder))  # of a benchmark that was interrupted
    passage = ByHand(site, change, folder)
    passage.cache()
    found: costs.Costs = {"start": costs.Cost()}
    for stage, call in passage.stages().items():
        at, cpu = costs.now()
        call()
        after, used = costs.now()
        found[stage] = costs.Cost(after - at, used - cpu)
    passage.remove()
    return {**found, "seal": costs.Cost(), "end": costs.Cost()}


def by_pipeline(site: Site, change: dict[str, str], number: int) -> costs.Costs:
    """One run of ``check``."""
    timeline = site.root / f"timeline-{number}.jsonl"
    timeline.unlink(missing_ok=True)
    site.environment["ANSIBLE_CALLBACK_PLUGINS"] = str(Path(__file__).parent / "callback_plugins")
    site.environment["DISTROGATE_TIMELINE"] = str(timeline)
    at, cpu = costs.now()
    pipelines = {"check": {"stages": STAGES[1:]}}  # one after the other, as by hand
    site.environment["DISTROGATE_TIMELINE_CPU"] = os.environ["DISTROGATE_TIMELINE_CPU"]
    must(site.playbook("check", distrogate_queue=[change], distrogate_pipelines=pipelines, force=True))
    return costs.of_timeline(timeline, STAGES, (at, cpu), costs.now())


def change_of(site: Site, project: str) -> dict[str, str]:
    """The change that both test."""
    if project == "small":
        return small_hello.make_project(site).propose(1, "Say what is new", {"NEWS": "Tested before.\n"})
    hello = demo.make_project(site)
    return hello.propose(1, "Say in the news what is new", demo.edited(hello, "Tested before."))


def measure(site: Site, project: str, rounds: int) -> tuple[costs.Costs, costs.Costs]:
    """Both in turn, the first one alternating, so that neither has the warmer caches."""
    change = change_of(site, project)
    must(site.playbook("prepare"))
    hand, pipeline = [], []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        if number % 2 == 0:
            hand.append(by_hand(site, change, number))
            pipeline.append(by_pipeline(site, change, number))
        else:
            pipeline.append(by_pipeline(site, change, number))
            hand.append(by_hand(site, change, number))
    return costs.medians(hand), costs.medians(pipeline)


def shown(hand: costs.Costs, pipeline: costs.Costs, what: str, rounds: int) -> str:
    """The table, with what it means."""
    rows: list[list[object]] = []
    for stage in ["start", *STAGES, "end"]:
        ours, theirs = pipeline[stage], hand[stage]
        rows.append(
            [
                stage,
                f"{theirs.seconds:.2f}",
                f"{ours.seconds:.2f}",
                f"{ours.seconds - theirs.seconds:+.2f}",
                f"{theirs.cpu:.2f}",
                f"{ours.cpu:.2f}",
                ours.tasks,
            ]
        )
    whole = [sum(value) for value in zip(*((h.seconds, h.cpu) for h in hand.values()))]
    all_ours = [sum(value) for value in zip(*((p.seconds, p.cpu, p.tasks) for p in pipeline.values()))]
    added = all_ours[0] - whole[0]
    rows.append(["all", *(f"{v:.2f}" for v in (whole[0], all_ours[0])), f"{added:+.2f}"])
    rows[-1] += [f"{whole[1]:.2f}", f"{all_ours[1]:.2f}", round(all_ours[2])]
    over = [stage for stage in STAGES if pipeline[stage].seconds - hand[stage].seconds > BAR]
    verdict = (
        f"over the bar of {BAR:g} s: {', '.join(over)}" if over else f"no stage adds more than {BAR:g} s"
    )
    head = ("stage", "by hand s", "pipeline s", "added s", "by hand CPU s", "pipeline CPU s", "tasks")
    return f"""\
The pipeline `check` (local profile, {what} as .deb and .rpm) against a script that calls the
same tools in the same root filesystems and order. A stage lasts from the end of the stage before it to its
own end, so what Ansible does in between counts. `start` is Ansible's start, preflight and the pipeline's own
tasks; by hand there is neither that nor a sealed bundle. CPU seconds are
those of all processes, counted by a cgroup. Medians of {rounds} rounds, both in turn; {verdict}.
{report.machine()}. Again: `make bench`.

{report.table(head, rows)}
"""


def main() -> None:
    """Measure, print, and with --write keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY / ".cache/bench", help="the folder for everything"
    )
    parser.add_argument("--project", choices=PROJECTS, default="small", help="what is built")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--keep", action="store_true", help="do not remove the folder afterwards")
    options = parser.parse_args()
    if options.rounds < 1:
        sys.exit("--rounds must be at least 1")
    site = Site(options.root.resolve(), shared_rootfs())
    site.root.mkdir(parents=True, exist_ok=True)
    title, what = PROJECTS[options.project]
    with costs.counted():
        text = shown(*measure(site, options.project, options.rounds), what, options.rounds)
    say("Result")
    print(text)
    if options.write:
        report.write_section(title, text)
    if not options.keep:
        site.remove()


if __name__ == "__main__":
    main()
