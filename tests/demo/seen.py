# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person sees of a run that fails, under our callback and under Ansible's; and the TE that is held."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.demo import outside, tiny
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, Site, must

MATTERS = {
    "build": "false\nmake[1]: *** [debian/rules:6: override_dh_auto_build] Error 1",
    "lint": "E: tiny: extended-description-is-empty",
    "install": "no such luck\ndpkg: error processing package tiny (--configure):",
    "system": "$ tiny --self-test\n[it printed nothing]",
}

# Beside another one, a stage stands in front of its lines.
_MATTERS = re.compile(r"\s*(?:[0-9:]+ \[\w+\]\s+)?\| (.*)")


def _check(site: Site, kind: str, number: int, **variables: Any) -> tuple[str, Path]:
    """The output, and the run directory, of a change that fails."""
    change = tiny.project_of(site).propose(number, f"Break {kind} again", tiny.broken(kind))
    before = set(site.runs())
    done = site.playbook("check", distrogate_queue=[change], **tiny.variables(site), **variables)
    assert done.returncode != 0
    return done.stdout, next(run for run in site.runs() if run not in before)


def told(text: str, run: Path, kind: str, stage: str) -> None:
    """Our callback: a failure is told with the lines that matter, not with the last ones, and what to do."""
    shown = [found[1] for line in text.splitlines() if (found := _MATTERS.fullmatch(line))]
    assert MATTERS.get(kind, "") in "\n".join(shown), shown
    assert kind == "merge" or f"log:    {run}/logs/{stage}.log" in text, text
    assert f"-e run_dir={run} -e stage={stage}\n" in text, text
    assert f"failed at {stage}: " in text and "FAILED" in text, text


def events(site: Site) -> None:
    """Nothing but JSON on the standard output."""
    site.environment["DISTROGATE_OUTPUT"] = "json"
    try:
        text, run = _check(site, "build", 75)
    finally:
        del site.environment["DISTROGATE_OUTPUT"]
    found = [json.loads(line) for line in text.splitlines() if not line.startswith("[WARNING]")]
    ends = {event["stage"]: event for event in found if event["event"] == "stage_ends"}
    assert ends["workspace"]["verdict"] == "success" and ends["build"]["verdict"] == "failure"
    assert "false" in ends["build"]["lines"] and ends["build"]["run_dir"] == str(run)
    assert found[-1]["event"] == "run_ends" and found[-1]["failed"]


def held(site: Site) -> None:
    """Under Ansible's own callback: the same facts, and a TE that a person can get into for a while."""
    own = site.environment["ANSIBLE_STDOUT_CALLBACK"]
    site.environment["ANSIBLE_STDOUT_CALLBACK"] = "ansible.builtin.default"
    try:
        # Of stages side by side our callback tells, whichever one the pipeline has.
        stages = ["workspace", "build", "lint", "publish_test", "system_test"]
        alone = {"check": {"stages": stages}}
        text, run = _check(site, "system", 76, hold="2h", distrogate_pipelines=alone)
    finally:
        site.environment["ANSIBLE_STDOUT_CALLBACK"] = own
    record = json.loads((run / "stages/system_test.json").read_text())
    facts = record["facts"]["held"]
    for wanted in (
        "system_test begins",
        '"verdict": "failure"',
        f'"seconds": {record["seconds"]}',
        f"{run}/logs/system_test.log",
        "[it printed nothing]",
        f"TE {facts['te']} is held for ",
        facts["until"],
    ):
        assert wanted in text, wanted
    assert not list((site.root / "leases").glob(f"{run.name}*")), "a file of the lease was left"
    (te,) = outside.ansible(site, "te_info", store=outside.store(site))["tes"]
    assert te["status"] == "held" and te["held"]["expires"] == facts["until"], te
    sandbox = site.root / "te" / facts["te"] / str(facts["fence"])
    assert (sandbox / "upper").is_dir(), "the sandbox of a held TE is gone"
    assert f"kept sandbox {sandbox}: pinned" in must(site.playbook("janitor")).stdout
    enter = next(line for line in text.replace("\\n", "\n").splitlines() if "ansible-console" in line)
    argv = [str(REPOSITORY / ".venv/bin" / "ansible-console"), *shlex.split(enter)[1:]]
    given = {**site.environment, "PATH": f"{REPOSITORY / '.venv/bin'}:{site.environment['PATH']}"}
    done = subprocess.run(
        argv,
        input="cat /usr/bin/tiny\n",
        env=given,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "--self-test) exit 1" in done.stdout, done.stdout + done.stderr
    must(site.playbook("release_te", te=facts["te"]))
    assert outside.free_tes(site) == [facts["te"]] and not sandbox.exists()


def not_held(site: Site) -> None:
    """A hold that cannot be had hides nothing: the record says why the test failed, and the TE is free."""
    text, run = _check(site, "system", 78, hold="2h", distrogate_hold_person={"public_key": "x"})
    record = json.loads((run / "stages/system_test.json").read_text())
    assert (record["reason"], record["facts"]) == ("test_failed", {}), record
    assert "The TE is not held: " in text and MATTERS["system"].splitlines()[0] in text
    assert outside.free_tes(site), "the TE was not released"


def refused(site: Site) -> None:
    """A length of time that is none is refused before the first stage."""
    change = tiny.project_of(site).propose(77, "Hold for how long?", {"long": "1\n"})
    before = site.runs()
    done = site.playbook("check", distrogate_queue=[change], **tiny.variables(site), hold="2 weeks")
    assert done.returncode != 0 and "is no length of time" in done.stdout
    assert site.runs() == before, "a run was begun"


def _entered(site: Site, command: str, line: str) -> str:
    """What a line says that is typed after the command that enters a TE."""
    tools = REPOSITORY / ".venv/bin"
    argv = [str(tools / "ansible-console"), *shlex.split(command)[1:]]
    given = {**site.environment, "PATH": f"{tools}:{site.environment['PATH']}"}
    done = subprocess.run(
        argv, input=f"{line}\n", env=given, cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr
