# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stage that a role opens and closes: begun, ended, failed, cancelled."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._call import AnyCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import reused
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import SUCCESS, Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    STAGE_OPTIONS,
    Stage,
    Terms,
    short,
)

_STATES = ["started", "success", "failure", "cancelled"]


def stage_options() -> dict[str, t.Any]:
    """``stage``."""
    return {
        "argument_spec": {
            "run_dir": {"type": "path", "required": True},
            "stage": {"type": "str", "required": True},
            "state": {"type": "str", "choices": _STATES, "required": True},
            "reusable": {"type": "bool", "default": False},
            "settings": {"type": "dict", "default": {}},
            "files": {"type": "list", "elements": "str", "default": []},
            "inputs": {"type": "dict", "default": {}},
            "artifacts": {"type": "list", "elements": "dict", "default": []},
            "facts": {"type": "dict", "default": {}},
            "results": {"type": "list", "elements": "str", "default": []},
            "explanation": {"type": "str", "default": ""},
            "reason": {"type": "str", "default": ""},
            "cancelled_by": {"type": "str", "default": "signal"},
            "since_ns": {"type": "int"},
            "log": {"type": "str", "default": ""},
            **STAGE_OPTIONS,
        }
    }


def started(call: AnyCall, run: Run) -> None:
    params = call.params
    agreed = Terms(
        settings=params["settings"],
        reads=tuple(params["reads"]),
        adds=None if params["adds"] is None else tuple(params["adds"]),
        force=params["force"],
        code=params["code"],
        controller=params["controller"],
    )
    stage = Stage(run, params["stage"], agreed)
    stage.look()
    record = reused(stage, call.result, params["files"]) if params["reusable"] else None
    if record is None and not call.check_mode:
        stage.begin(alone=False)
    call.result.update(
        run=run.frozen,
        stages=run.stages(),
        artifacts=run.artifacts(),
        reused=record is not None,
        started_ns=stage.started_ns,
    )


def ended(call: AnyCall, run: Run) -> None:
    params = call.params
    stage = Stage(run, params["stage"])
    stage.resume()
    for name in ("inputs", "artifacts", "facts", "results"):
        setattr(stage, name, params[name])
    if params["log"]:
        os.makedirs(os.path.dirname(stage.log), exist_ok=True)
        with open(stage.log, "a", encoding="utf-8") as log:
            log.write(params["log"].rstrip("\n") + "\n")
    by = params["cancelled_by"] if params["state"] == "cancelled" else ""
    said = (params["state"], params["explanation"], params["reason"])
    call.result["stage"] = stage.write(*said, cancelled_by=by)


def cancelled(call: AnyCall, run: Run) -> None:
    params = call.params
    _under_way.stop(run, params["stage"])
    record, since = run.stage(params["stage"]), params["since_ns"]
    if record is None or record["verdict"] != SUCCESS or since is None or record["started_ns"] < since:
        ended(call, run)
        return
    _under_way.end(run, params["stage"])
    call.result["stage"] = short(run, record)


def failed(call: AnyCall, run: Run) -> t.NoReturn:
    params = call.params
    record = run.stage(params["stage"])
    known = record is not None and record["verdict"] == "failure"
    if record is not None and known and _under_way.note(run, params["stage"]) is None:
        call.result["stage"] = short(run, record)  # it has said so itself
    elif params["reason"] != "stage_busy" and not _under_way.of_another(
        run, params["stage"], params["controller"]
    ):
        ended(call, run)  # else the stage is another's
    log = run.log(params["stage"])
    begun = f"Stage {params['stage']} failed: "
    said = params["explanation"] or "no reason was given."
    where = f"\nThe log is {log}" if os.path.exists(log) and log not in said else ""
    whole = said if said.startswith(begun) else begun + said
    # Only here: what it reads by takes long to load.
    from ansible_collections.distrogate.ci.plugins.module_utils._runs._matters import lines_that_matter

    lines = lines_that_matter(log)
    raise DistrogateError(params["reason"] or "stage_failed", whole + where, lines=lines)


def perform(call: AnyCall) -> None:
    """What ``state`` asks for."""
    run = Run(call.params["run_dir"])
    if call.params["state"] == "started":
        started(call, run)
        return
    if call.check_mode:
        return
    call.difference.add("stage", None, f"{call.params['stage']}: {call.params['state']}")
    act = {"success": ended, "cancelled": cancelled, "failure": failed}
    act[call.params["state"]](call, run)
