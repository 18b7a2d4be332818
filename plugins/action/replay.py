# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the inputs of a run that is done again, and compare them with this site."""

from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._version import VERSION
from ansible_collections.distrogate.ci.plugins.module_utils._runs import _inputs
from ansible_collections.distrogate.ci.plugins.module_utils._runs._drift import GONE, line
from ansible_collections.distrogate.ci.plugins.module_utils._runs._replay_drift import Site, differences
from ansible_collections.distrogate.ci.plugins.module_utils._runs._replay_options import REPLAY_OPTIONS
from ansible_collections.distrogate.ci.plugins.module_utils._runs._source import read_frozen
from ansible_collections.distrogate.ci.plugins.plugin_utils._code import code_digest
from ansible_collections.distrogate.ci.plugins.plugin_utils._controller import controller_versions
from ansible_collections.distrogate.ci.plugins.plugin_utils._parameters import collect
from ansible_collections.distrogate.ci.plugins.plugin_utils._variables_file import write_variables

Json = dict[str, t.Any]


class ActionModule(ControllerAction, ActionBase):
    """The controller's part: the archive, parameters, code; the module's: what is on the builder."""

    _requires_connection = True
    options: t.ClassVar[Json] = {
        "argument_spec": REPLAY_OPTIONS,
        "required_if": [("state", "compared", ["cache"])],
    }

    def perform(self, call: ActionCall) -> None:
        """Read; with state compared say what differs, and stop when that is not accepted."""
        params = call.params
        frozen = self._frozen(call)
        call.result["run"] = _again(frozen, params["projects"])
        if params["state"] == "read":
            variables = _inputs.taken_over(frozen, params["projects"])
            call.result["variables_file"] = write_variables(variables)
            return
        found = self._module(call, {**params, "frozen": frozen})
        here = {
            **found["here"],
            "controller": controller_versions(),
            "code": code_digest(),
            "collection": VERSION,
            "parameters": collect(call.variables, self._loader, frozen["stages"]),
            "repositories": params["repositories"],
        }
        site = Site(here, params["projects"], params["pipelines"], found["gone"])
        drift = differences(frozen, site)
        call.result["drift"] = drift
        _judge(frozen, drift, params["accept_drift"])
        for each in drift:
            call.progress(f"accepted: {line(each)}")

    def _frozen(self, call: ActionCall) -> Json:
        params = call.params
        if params["frozen"]:
            return _inputs.checked(params["frozen"])
        path = os.path.abspath(params["run"])
        if os.path.exists(path):
            return _inputs.checked(read_frozen(path))
        return t.cast(Json, self._module(call, {**params, "state": "read"})["frozen"])

    def _module(self, call: ActionCall, options: Json) -> Json:
        action: t.Any = self
        given = {name: value for name, value in options.items() if value is not None}
        result: Json = action._execute_module(
            module_name="distrogate.ci.replay", module_args=given, task_vars=dict(call.variables)
        )
        if result.get("failed"):
            raise DistrogateError(
                str(result.get("reason", "host_failed")), str(result.get("msg", "The module replay failed."))
            )
        return result


def _again(frozen: Json, projects: Json) -> Json:
    """What the pipeline is given."""
    known = {name: project["url"] for name, project in frozen["projects"].items()}
    addresses = {name: projects[name]["url"] for name in known if isinstance(projects.get(name), dict)}
    return {
        "id": frozen["id"],
        "pipeline": frozen["pipeline"],
        "profile": frozen.get("profile", ""),
        "queue": frozen["queue"],
        "stages": _inputs.stages_of(frozen),
        "ahead": [key for key in frozen.get("ahead") or [] if isinstance(key, str)],
        "projects": {
            name: {"url": project["url"], "packages": project.get("packages") or {}}
            for name, project in frozen["projects"].items()
        },
        "base_commits": {name: project["base_commit"] for name, project in frozen["projects"].items()},
        "fetch_from": {name: url for name, url in addresses.items() if url != known[name]},
    }


def _judge(frozen: Json, drift: list[Json], accepted: bool) -> None:
    """Stop when the run cannot be done again, or would be another one."""
    gone = [each for each in drift if each["kind"] == GONE]
    if gone or (drift and not accepted):
        lines = "\n".join(f"- {line(each)}" for each in drift[:50])
        what = "cannot be done again: an input is gone" if gone else "would not be the same"
        hint = "" if gone else "\nTo do it with these differences, add -e accept_drift=true."
        raise DistrogateError("drift", f"The run {frozen['id']} {what}.\n{lines}{hint}", drift=drift)
