# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""oci_publish against skopeo copy, with a real docker-registry: wall, and CPU seconds of both sides."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
import typing as t
from pathlib import Path

import ansible

from ansible_collections.distrogate.ci.tests.benchmarks import report
from ansible_collections.distrogate.ci.tests.benchmarks.bundles_registry_data import Sizes, make_images
from ansible_collections.distrogate.ci.tests.benchmarks.bundles_registry_table import (
    ACROSS,
    MANY,
    OURS,
    READ,
    SAME,
    SKOPEO,
    TWO,
    WARM,
    Cost,
    Costs,
)
from ansible_collections.distrogate.ci.tests.benchmarks.publish_cgroup import find
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Meter, Step
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, say
from ansible_collections.distrogate.ci.tests.faults.run import argv, environment
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_images import Pusher
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import RegistryProxy

TITLE = "Promotion in a registry against skopeo copy"
QUICK = Sizes(4, 2, 1 << 16)
_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_RELEASE = "{}/{{basename}}"

Json = dict[str, t.Any]


def host_paths(folder: Path) -> str:
    """A folder that has Ansible and this collection alone: a host has no more of a controller's packages."""
    folder.mkdir()
    (folder / "ansible").symlink_to(Path(ansible.__file__).parent)
    (folder / "ansible_collections").symlink_to(REPOSITORY / ".venv/collections/ansible_collections")
    return str(folder)


class RegistryMeter(Meter):
    """Measures a client, and the registry by itself."""

    def __init__(self, log: Path, registry: Registry, settle: bool) -> None:
        assert registry.process
        super().__init__(log, registry.process.pid, settle)
        self.place = find()

    def cost(self, steps: t.Sequence[Step], env: dict[str, str]) -> Cost:
        if self.settle:
            os.sync()
        self.log.write_bytes(b"")
        work: list[dict[str, object]] = [
            {"argv": list(step.argv), "cwd": str(step.cwd), "stdout": str(step.stdout), "env": env}
            for step in steps
        ]
        before = _seconds(self.agent)
        if not self.place:
            done = self._run(work, [])
            return Cost(done["seconds"], done["cpu"], _seconds(self.agent) - before)
        with self.place.group(self.agent) as group:
            done = self._run(work, [str(group / "cgroup.procs")])
            both = self.place.read(group)
        return Cost(done["seconds"], done["cpu"], both - done["cpu"])


def _seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    """Everyone promotes the same images, each to tags or repositories of its own."""

    def __init__(self, work: Path, registry: Registry, images: list[Json], settle: bool) -> None:
        self.work, self.registry, self.images = work, registry, images
        self.meter = RegistryMeter(work / "log", registry, settle)
        self.costs = Costs()
        self._homes = 0
        self._paths = host_paths(work / "host")

    def _options(self, word: str, across: bool, state: str, url: str, known: bool) -> Json:
        images = [{**image, "registry": url} for image in self.images]
        for image in images:
            if not known:
                del image["manifest"]
        return {
            "registry": url,
            "repository": _RELEASE.format(word) if across else "{repository}",
            "artifacts": images if state != "committed" else [],
            "channel": word,
            "transaction": word,
            "state": state,
            "state_folder": str(self.work / "state"),
        }

    def ours(
        self, word: str, across: bool, url: str = "", calls: int = 1, known: bool = True
    ) -> tuple[list[Step], dict[str, str]]:
        """One run of the module; or two, as promotion makes them. ``known``: the bundle has the manifests."""
        options = [
            self._options(word, across, state, url or self.registry.url, known)
            for state in (("published",) if calls == 1 else ("prepared", "committed"))
        ]
        steps = [Step(argv("oci_publish", one, self.work), stdout=self.work / "stdout") for one in options]
        return steps, {**environment(), "PYTHONPATH": self._paths}

    def skopeo(
        self, word: str, across: bool, known: bool, at_once: int = 1
    ) -> tuple[list[Step], dict[str, str]]:
        """One run for each image: it copies one. ``known`` is to start with what it noted in the last run."""
        self._homes += not known
        home = self.work / f"home{self._homes}"
        home.mkdir(exist_ok=True)
        home.chmod(0o777)
        plain = [
            "skopeo",
            "copy",
            "--quiet",
            "--insecure-policy",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
        ]
        if os.geteuid() == 0:
            plain = [*_NOBODY, *plain]  # root's notes lie where we would not want to write
        base = f"docker://127.0.0.1:{self.registry.port}/"
        pairs = []
        for image in self.images:
            target = image["repository"]
            if across:
                target = f"{word}/{target.rpartition('/')[2]}"
            pairs.append((f"{base}{image['repository']}:built", f"{base}{target}:{word}"))
        env = {**environment(), "HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
        if at_once == 1:
            return [Step([*plain, *pair], stdout=self.work / "stdout") for pair in pairs], env
        words = "\n".join(f"{source} {target}" for source, target in pairs)
        (self.work / "pairs").write_text(words + "\n")
        many = ["xargs", "-a", str(self.work / "pairs"), "-P", str(at_once), "-n", "2", *plain]
        return [Step(many, stdout=self.work / "stdout")], env

    def run(self, case: str, who: str, word: str) -> None:
        across = case == ACROSS
        if who in (OURS, TWO, READ):
            steps, env = self.ours(word, across, calls=1 if who == OURS else 2, known=who != READ)
        else:
            steps, env = self.skopeo(word, across, who == WARM, 8 if who == MANY else 1)
        self.costs.add(case, who, self.meter.cost(steps, env))
        self.check(word, across)

    def check(self, word: str, across: bool) -> None:
        """Everyone has the same digests in the end, or the figures mean nothing."""
        pusher = Pusher(self.registry.url)
        for image in self.images:
            repository = image["repository"]
            if across:
                repository = f"{word}/{repository.rpartition('/')[2]}"
            assert pusher.tagged(repository, word) == f"sha256:{image['sha256']}", f"{repository}:{word}"

    def moved(self, across: bool) -> int:
        """Bytes of blobs that ours moves, by a proxy that counts them; not measured."""
        assert self.registry.process
        with RegistryProxy(self.registry.port) as proxy:
            word = f"counted-{across}".lower()
            steps, env = self.ours(word, across, proxy.url)
            self.meter._run(
                [
                    {"argv": list(one.argv), "cwd": "/", "stdout": str(one.stdout), "env": env}
                    for one in steps
                ],
                [],
            )
            self.check(word, across)
            return sum(one.blob_bytes for one in proxy.exchanges)


def measure(bench: Bench, rounds: int) -> None:
    """Everyone once a round, the first one alternating."""
    for case, peers in ((SAME, (OURS, TWO, READ, SKOPEO, MANY)), (ACROSS, (OURS, TWO, READ, SKOPEO, WARM))):
        for number in range(rounds):
            # What is known comes from the run before it, so these two keep their order.
            order = peers if number % 2 == 0 or case == ACROSS else peers[::-1]
            for who in order:
                bench.run(case, who, f"r{number}-{who.replace(' ', '-').replace(',', '')}")


def shown(bench: Bench, sizes: Sizes, rounds: int, moved: tuple[int, int], place: str) -> str:
    over = bench.costs.missed()
    verdict = f"over the bar: {', '.join(over)}" if over else "no bar is missed"
    counted = f"a cgroup ({bench.meter.place.kind})" if bench.meter.place else "wait4 and /proc"
    text = f"""
{sizes.images} images of {sizes.layers} layers of {sizes.layer >> 20} MiB each, which share nothing
({sizes.total / 2**30:.1f} GiB), in one docker-registry with its files {place}. Ours is two new
processes of the module, their start included, prepared and committed, as promotion makes them, with the
manifests in the bundle or not; "in one call" is the module by itself, `published`. All blobs are verified
or mounted. The bars are on the CPU seconds of client and registry together.
skopeo is a process for each image, as it copies one; "places known" is a run that has what the run before
it noted about where blobs are. CPU is counted by {counted}. Everyone gives one tag, and has the same digest
in the end. Bytes of layers and configurations that ours moved, counted by a proxy: {moved[0]} within
repositories, {moved[1]} across. Medians of {rounds} rounds, everyone in turn; {verdict}.
{report.machine()}. Again: `make bench-bundles`."""
    filled = textwrap.fill(" ".join(text.split()), 110, break_on_hyphens=False, break_long_words=False)
    return f"{filled}\n\n{bench.costs.bars()}\n\n{bench.costs.everything()}"


def run(root: Path, sizes: Sizes, rounds: int, settle: bool = True) -> tuple[str, list[str]]:
    """Measure; returns the section, and the bars that were missed."""
    work = root / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        with Registry(work / "registry") as registry:
            say(f"making {sizes.total / 2**30:.2f} GiB of images in {work}")
            images = make_images(registry.data, Pusher(registry.url), sizes)
            bench = Bench(work, registry, images, settle)
            measure(bench, rounds)
            moved = (bench.moved(False), bench.moved(True))
    finally:
        shutil.rmtree(work, ignore_errors=True)
    place = "in memory" if str(root).startswith("/dev/shm") else "on the disk"
    missed = bench.costs.missed() + (["bytes moved"] if any(moved) else [])
    return shown(bench, sizes, rounds, moved, place), missed


def main() -> None:
    """Measure, print, and with --write keep; fails when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY / ".cache/bench-bundles", help="the folder for everything"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often everyone promotes")
    parser.add_argument("--images", type=int, default=Sizes.images, help="how many images")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="small images, to see that this works: no bars")
    options = parser.parse_args()
    if options.rounds < 1 or options.images < 1:
        sys.exit("--rounds and --images must be at least 1")
    sizes = QUICK if options.quick else Sizes(options.images)
    text, missed = run(options.root.resolve(), sizes, options.rounds, settle=not options.quick)
    say("Result")
    print(text)
    if options.write and not options.quick:
        report.write_section(TITLE, text)
    if missed and not options.quick:
        sys.exit(f"over the bar: {', '.join(missed)}")


if __name__ == "__main__":
    main()
