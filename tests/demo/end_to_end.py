# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""check, gate and post from end to end on real packages, and every way in which a change may be bad."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo import (
    checkmode,
    demo,
    nodes,
    outside,
    promotion,
    proof,
    replay,
    runner_smoke,
    seen,
    services,
    tiny,
    upstream,
)
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, must, say, stage_rows
from ansible_collections.distrogate.ci.tests.tools.ports import free_port

Change = dict[str, str]
FLAT = {"check": {"stages": ["workspace", "build", "lint", "publish_test", "install_test", "seal"]}}


class EndToEnd:
    """The steps, in order; each leaves behind what the next ones need."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.output = self.said = ""
        self.hello = upstream.Project(site.root / "upstream", "hello")
        self.tiny = upstream.Project(site.root / "upstream", "tiny")

    def pipeline(self, name: str, *queue: Change, fails: bool = False, **variables: Any) -> Path:
        """Run a pipeline; returns its run directory."""
        before = set(self.site.runs())
        done = self.site.playbook(
            name, distrogate_queue=list(queue), **tiny.variables(self.site), **variables
        )
        self.output, self.said = self.output + done.stdout, done.stdout
        assert (done.returncode != 0) == fails, f"{name} ended with status {done.returncode}"
        return next(run for run in self.site.runs() if run not in before)

    def prepared(self) -> None:
        """The machine is prepared, and there are two projects."""
        must(self.site.playbook("prepare"))
        lists = [path.name for path in (self.site.rootfs / "te/current/rootfs/var/lib/apt/lists").iterdir()]
        assert any(name.endswith("_Packages") for name in lists), "a TE has to fetch all that apt knows"
        assert not any("_Translation-" in name for name in lists), lists
        self.hello = demo.make_project(self.site)
        self.tiny = tiny.make_project(self.site)

    def tested_and_released(self) -> None:
        """hello: what the gate tested is promoted and mirrored; real clients install it."""
        change = self.hello.propose(1, "Say what is new", demo.edited(self.hello, "New."))
        gate = self.pipeline("gate", change)
        self.hello.merge(change)
        post = self.pipeline("post", change)
        names = [row["stage"] for row in stage_rows(post)]
        assert names == ["freeze", "reuse", "promote", "mirror_release"], names
        artifacts = json.loads((gate / "bundle.json").read_text())["artifacts"]
        tested = {a["name"]: a["sha256"] for a in artifacts if "path" in a}
        mirror = self.site.mirror(1)
        released = {Path(name).name: digest for name, digest in outside.digests(mirror).items()}
        shipped = {name: digest for name, digest in tested.items() if not name.endswith(".src.rpm")}
        assert shipped.items() <= released.items(), "the mirror does not have exactly what was tested"
        port = free_port()
        with services.web_server(mirror, port, self.site.root / "mirrors/web.log"):
            url, key = f"http://127.0.0.1:{port}", (mirror / "apt/key.asc").read_text()
            assert "+dg" in proof.apt_installs(self.site, url, "bookworm", key, "hello")
            assert ".dg" in proof.dnf_installs(self.site, url, "hello")

    def second_on_first(self) -> None:
        """tiny: the second change is tested on top of the first, and its repository shows both packages."""
        first = self.tiny.propose(11, "First", {"first": "1\n"})
        second = self.tiny.propose(12, "Second", {"second": "2\n"})
        ahead = self.pipeline("gate", first)
        run = self.pipeline("gate", first, second)
        assert (run / "workspace/tiny/first").exists()
        assert (run / "workspace/tiny/second").exists()
        facts = {row["stage"]: row["facts"] for row in stage_rows(run)}
        own = self.site.root / "repositories/test" / facts["publish_test"]["key"] / run.name / "apt"
        index = gzip.decompress((own / "dists/bookworm/main/binary-amd64/Packages.gz").read_bytes()).decode()
        versions = {
            artifact["package_version"]
            for each in (ahead, run)
            for artifact in json.loads((each / "bundle.json").read_text())["artifacts"]
            if artifact["type"] == "deb"
        }
        assert len(versions) == 2
        assert all(f"Version: {version}\n" in index for version in versions), index
        for change in (first, second):
            self.tiny.merge(change)
            assert "build" not in [row["stage"] for row in stage_rows(self.pipeline("post", change))]

    def promoted(self) -> None:
        """What was gated goes to candidate, gets a version on stable, is held, and stable goes back."""
        first, second = [run for run in self.site.runs() if run.name.startswith(("gate-11-", "gate-12-"))]
        self.output += promotion.promotion(self.site, first, second)

    def other_tree(self) -> None:
        """tiny: a merged tree that no gate tested is built and install-tested again."""
        gated = self.tiny.propose(13, "Gated", {"third": "3\n"})
        other = self.tiny.propose(14, "Not gated", {"fourth": "4\n"})
        self.pipeline("gate", gated)
        self.tiny.merge(other)
        self.tiny.merge(gated)
        names = [row["stage"] for row in stage_rows(self.pipeline("post", gated))]
        assert {"build", "install_test", "promote", "mirror_release"} <= set(names), names

    def bad_changes(self) -> None:
        """A change that fails at a stage stops there, names it, frees the TE, and moves nothing."""
        before = outside.public_state(self.site)
        stages = {"merge": "workspace", "build": "build", "lint": "lint", "install": "install_test"}
        for number, (kind, stage) in enumerate({**stages, "system": "system_test"}.items(), 20):
            change = self._bad_change(kind, number)
            # Both tests install: side by side, either could be the first to fail.
            alone = {"distrogate_pipelines": FLAT} if kind == "install" else {}
            run = self.pipeline("check", change, fails=True, **alone)
            failures = [row for row in stage_rows(run) if row["verdict"] == "failure"]
            assert [row["stage"] for row in failures] == [stage], failures
            others = {row["stage"]: row["cancelled_by"] for row in stage_rows(run) if row["cancelled_by"]}
            assert set(others) <= {"install_test", "system_test"} and set(others.values()) <= {stage}, others
            seen.told(self.said, run, kind, stage)
            assert outside.free_tes(self.site) == ["te1"], "the TE was not released"
            assert not list((self.site.root / "leases").glob("*.json")), "a lease file was left"
        assert outside.public_state(self.site) == before, "a change that failed moved something"

    def seen(self) -> None:
        """What fails is told so that a person knows what to do, under any callback; a TE can be held."""
        for look in (seen.events, seen.held, seen.not_held, seen.refused):
            look(self.site)

    def _bad_change(self, kind: str, number: int) -> Change:
        if kind != "merge":
            return self.tiny.propose(number, f"Break {kind}", tiny.broken(kind))
        mine = self.tiny.propose(number, "Mine", {"first": "mine\n"})
        theirs = self.tiny.propose(number + 30, "Theirs", {"first": f"theirs {time.time_ns()}\n"})
        self.tiny.merge(theirs)
        return mine

    def alone(self) -> None:
        """A stage runs alone on a run directory."""
        short = {"check": {"stages": ["workspace", "build", "lint", "seal"]}}
        change = self.tiny.propose(15, "Alone", {"fifth": "5\n"})
        run = self.pipeline("check", change, distrogate_pipelines=short)
        done = self.site.playbook("stage", stage="lint", run_dir=str(run), **tiny.variables(self.site))
        assert re.search(r" lint +success .* reused", must(done).stdout), done.stdout

    def periodic(self) -> None:
        """A branch is tested as it is."""
        done = self.site.playbook("periodic", project="tiny", **tiny.variables(self.site))
        assert re.search(r" system_test +success ", must(done).stdout), done.stdout

    def not_ready(self) -> None:
        """A missing key, program or group is one sentence before the first stage."""
        change = self.tiny.propose(16, "Not ready", {"sixth": "6\n"})
        before = self.site.runs()
        wrong = (
            {"distrogate_signing_key": "F" * 40},
            {"preflight_programs_builder": {"no-such-tool": "no-such-package"}},
        )
        for variables in wrong:
            done = self.site.playbook(
                "check", distrogate_queue=[change], **tiny.variables(self.site), **variables
            )
            assert done.returncode
            assert "This host is not ready" in done.stdout, done.stdout
        for group in ("builders", "repository_hosts"):
            done = self.site.playbook("check", inventory=self._without(group), distrogate_queue=[change])
            assert done.returncode
            assert f"The inventory has no host in the group {group}" in done.stdout, done.stdout
        assert self.site.runs() == before, "a run began on a machine that is not ready"

    def _without(self, group: str) -> Path:
        """The local profile without a group."""
        folder = self.site.root / f"without-{group}"
        shutil.copytree(REPOSITORY / "inventories/local", folder, dirs_exist_ok=True)
        hosts = folder / "hosts.yml"
        hosts.write_text(hosts.read_text().replace(f"    {group}:\n", "    others:\n"))
        return folder

    def check_mode(self) -> None:
        """Check mode says what would be done and changes nothing."""
        checkmode.check_mode(
            self.site, self.hello.propose(17, "Check mode", demo.edited(self.hello, "Never."))
        )

    def runner(self) -> None:
        """ansible-runner, with the layout that AWX uses."""
        runner_smoke.smoke(self.site)

    def replayed(self) -> None:
        """A run is done again on another site, from its log bundle, and gives the same bundle."""
        run = self.pipeline("check", self.tiny.propose(18, "Again", {"seventh": "7\n"}))
        self.output += replay.replay(self.site, run)

    def nodes(self) -> None:
        """Stages as nodes of a workflow, each in an execution environment that ends with it."""
        nodes.nodes(self.site)

    def no_secret(self) -> None:
        """No secret is in an output, a run directory, a repository or a mirror."""
        assert outside.leaks(self.site, self.output) == []


def main() -> None:
    """All steps, on an empty site; or the steps named, on what an earlier run left when it failed."""
    wanted = sys.argv[1:]
    cache = REPOSITORY / ".cache"
    site = Site(cache / "end-to-end", cache / "rootfs")
    if not wanted:
        site.remove()
        site.root.mkdir(parents=True)
    test = EndToEnd(site)
    steps: list[Callable[[], None]] = [
        test.prepared,
        test.tested_and_released,
        test.second_on_first,
        test.promoted,
        test.other_tree,
        test.bad_changes,
        test.seen,
        test.alone,
        test.periodic,
        test.not_ready,
        test.check_mode,
        test.runner,
        test.replayed,
        test.nodes,
        test.no_secret,
    ]
    done = []
    try:
        for step in [step for step in steps if not wanted or step.__name__ in wanted]:
            say(f"{step.__name__}: {step.__doc__}")
            began = time.monotonic()
            if step == test.prepared:
                step()
            else:
                with site.mirrors():
                    step()
            done.append(f"ok  {step.__name__:24} {time.monotonic() - began:6.1f} s")
    finally:
        print("\n" + "\n".join(done))
    if not wanted:
        site.remove()


if __name__ == "__main__":
    main()
