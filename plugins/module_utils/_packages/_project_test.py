# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project's own lint and tests: its commands, run on its checkout in a sandbox without a network."""

from __future__ import annotations

import os
import shlex
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import SUCCESS, Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _build
from ansible_collections.distrogate.ci.plugins.module_utils._packages._source import source_archive

_TREE = f"{_build.FOLDER}/source"
RESULTS = "/results"
_HOSTS = b"127.0.0.1 localhost sandbox\n::1 localhost\n"  # a minimal root has none, and tests of servers ask
_LIMIT = 8 << 20  # bytes of a result file
_FAILED = ("command_failed", "command_timeout")


def tested_project(run: Run, name: str) -> dict[str, t.Any]:
    """What the workspace has of a project, the last change's when ``name`` is empty."""
    workspace = run.stage("workspace")
    if workspace is None or workspace["verdict"] != SUCCESS:
        raise DistrogateError("no_workspace", "There is no workspace to test. Run the stage workspace first.")
    known = workspace["facts"]["projects"]
    wanted = name or run.frozen["queue"][-1]["project"]
    if wanted not in known:
        raise DistrogateError(
            "unknown_project", f"The workspace has no project {wanted}; it has {', '.join(sorted(known))}."
        )
    return {"name": wanted, **{key: known[wanted][key] for key in ("path", "tree", "date")}}


def checked_commands(commands: t.Any, project: str) -> list[list[str]]:
    """Argument lists; none at all would be a test that nobody can fail."""
    if not commands:
        raise DistrogateError(
            "nothing_tested",
            f"Project {project} names no commands that test it. Give"
            f" distrogate_projects.{project}.project_test, or leave the stage out of the pipeline.",
        )
    if not all(argv for argv in commands):
        raise DistrogateError("bad_options", f"A command of project {project} is an empty list.")
    return [[str(word) for word in argv] for argv in commands]


def run_tests(
    run: Run,
    project: dict[str, t.Any],
    commands: list[list[str]],
    settings: _build.Settings,
    *,
    suite: Suite,
    say: t.Callable[[str], None],
) -> list[dict[str, t.Any]]:
    """Run all commands, also after one that failed; ``suite`` gets a test for each.

    Returns the JUnit files that they left in ``/results``. Error ``test_failed`` names the commands that
    failed; its detail ``taken`` has those files, too.
    """
    os.makedirs(settings.scratch, exist_ok=True)
    archive = os.path.join(settings.scratch, "source.tar")
    source_archive(run.file(*project["path"].split("/")), archive, "source", date=project["date"])
    with settings.sandbox("tests") as box:
        _build.place(box, settings, archive, _TREE)
        os.unlink(archive)
        owner = f"--owner={_build.BUILDER}"
        box.run(["install", "--directory", owner, f"--group={_build.BUILDER}", RESULTS])
        box.run(["tee", "/etc/hosts"], stdin=_HOSTS)
        failures = []
        for argv in commands:
            say(f"runs {shlex.join(argv)}")
            failures += _one(box, project, argv, settings, suite)
        taken = _results(box, settings)
    if failures:
        raise DistrogateError(
            "test_failed",
            f"{len(failures)} of {len(commands)} commands of {project['name']} failed.\n"
            + "\n".join(failures),
            taken=taken,
            log=settings.log,
        )
    return taken


def _one(
    box: Sandbox, project: dict[str, t.Any], argv: list[str], settings: _build.Settings, suite: Suite
) -> list[str]:
    """Run one command; what went wrong as one text, or nothing."""
    values = {"HOME": _build.FOLDER, "SOURCE_DATE_EPOCH": str(project["date"]), **settings.environment}
    options: dict[str, t.Any] = {"timeout": settings.timeout, "log": settings.log, "binds": settings.bound()}
    try:
        with suite.case(shlex.join(argv), project["name"]):
            box.run(argv, directory=_TREE, user=_build.BUILDER, environment=values, **options)
    except DistrogateError as error:
        if error.reason not in _FAILED:
            raise
        return [error.message]
    return []


def _results(box: Sandbox, settings: _build.Settings) -> list[dict[str, t.Any]]:
    """The files as the run directory's owner places them: read once, bounded, and gone from the scratch."""
    target = os.path.join(settings.scratch, "results")
    os.makedirs(target, exist_ok=True)
    taken = []
    for path in box.collect(RESULTS, ["*.xml"], target, limit=4 * _LIMIT):
        with open(path, "rb") as stream:
            data = stream.read(_LIMIT + 1)
        os.unlink(path)
        name = f"{RESULTS}/{os.path.basename(path)}"
        taken.append({"name": name, "kind": "results", "size": len(data), "data": data})
    return taken
