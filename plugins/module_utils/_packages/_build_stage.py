# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The build stage: from the workspace's description to artifacts in the run directory."""

from __future__ import annotations

import dataclasses
import os
import shutil
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import SUCCESS, Run, file_artifact
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, Terms, terms
from ansible_collections.distrogate.ci.plugins.module_utils._packages._build import Project, Settings
from ansible_collections.distrogate.ci.plugins.module_utils._packages._build_deb import build_deb
from ansible_collections.distrogate.ci.plugins.module_utils._packages._build_rpm import build_rpm, sign_rpms
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rootfs_identity import identity_of


def inputs_of(run: Run, params: dict[str, t.Any]) -> dict[str, t.Any]:
    """What a build reads: the checkouts of its projects, and the root filesystem. Errors ``no_workspace``,
    ``unknown_project``."""
    workspace = run.stage("workspace")
    if workspace is None or workspace["verdict"] != SUCCESS:
        raise DistrogateError(
            "no_workspace", "There is no workspace to build from. Run the stage workspace first."
        )
    known = workspace["facts"]["projects"]
    wanted = params["projects"] or [run.frozen["queue"][-1]["project"]]
    for name in wanted:
        if name not in known:
            raise DistrogateError(
                "unknown_project", f"The workspace has no project {name}; it has {sorted(known)}."
            )
    return {
        "workspace": {name: known[name] for name in wanted},
        "rootfs": identity_of(params["rootfs"]),
    }


def agreed(run: Run, params: dict[str, t.Any]) -> Terms:
    """The stage's terms. What lies behind an address or in a folder of the host may change without a notice:
    then no other run's result is taken."""
    found = terms(params, **inputs_of(run, params))
    moving = params["sources"] or params["bind"]
    return dataclasses.replace(found, shared=None) if moving else found


def build(run: Run, stage: Stage, params: dict[str, t.Any], say: t.Callable[[str], None]) -> None:
    """Build what ``params`` (the module's options) ask for; fills the stage's inputs and artifacts."""
    projects = stage.terms.inputs["workspace"]
    scratch = params["scratch"] or run.file("scratch", stage.name)
    artifacts = run.file("artifacts")
    shutil.rmtree(artifacts, ignore_errors=True)  # of an earlier try of this stage
    for folder in (scratch, artifacts):
        os.makedirs(folder, exist_ok=True)
    settings = Settings(
        rootfs=stage.terms.inputs["rootfs"]["path"],  # whatever current is by now
        scratch=scratch,
        artifacts=artifacts,
        log=stage.log,
        timeout=params["timeout"],
        environment=params["environment"],
        sources=tuple(params["sources"]),
        binds=tuple(params["bind"]),
    )
    for name, known in projects.items():
        stage.inputs[name] = known["tree"]
        say(f"builds {name}")
        _build_project(run, stage, name, known, settings=settings, params=params)


def _build_project(
    run: Run,
    stage: Stage,
    name: str,
    known: dict[str, t.Any],
    *,
    settings: Settings,
    params: dict[str, t.Any],
) -> None:
    path = run.file(*known["path"].split("/"))
    project = Project(name, path, known["tree"], known["date"], known["count"])
    kinds = known["packages"]
    if not kinds:
        raise DistrogateError(
            "nothing_to_build", f"Project {name} names no packages. Give projects.{name}.packages."
        )
    packages = []
    if kinds.get("deb"):
        packages += build_deb(project, settings)
    if kinds.get("rpm"):
        assumed = params["rpm_dependencies"] == "assume"
        packages += build_rpm(project, str(kinds["rpm"]), settings, not assumed)
    signed = [package["path"] for package in packages if package["kind"] in ("rpm", "srpm")]
    if signed and params["signing_key"]:
        sign_rpms(signed, params["signing_key"], params["gnupg_home"], date=project.date, log=stage.log)
    for package in packages:
        facts = {key: package[key] for key in ("package", "package_version", "architecture")}
        origin = {"project": name, "commit": known["commit"], "tree": known["tree"]}
        stage.artifacts.append(file_artifact(run, package["path"], package["kind"], origin=origin, **facts))
