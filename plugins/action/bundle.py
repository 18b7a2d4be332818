# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Seals a run's artifacts as a bundle, and signs what was said of it."""

from __future__ import annotations

import hashlib
import os
import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import (
    SEAL,
    bundle_text,
    make_bundle,
    packages,
    parse_bundle,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import bundle_options, register
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy import (
    artifact_reasons,
    read_statements,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_rules import newest_verdicts
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import now
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_files import RemoteRun
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts


class ActionModule(ControllerAction, ActionBase):
    """The host's part is the module ``run_files``; keys and signatures stay on the controller."""

    _requires_connection = True
    options: t.ClassVar[dict[str, t.Any]] = bundle_options()

    def perform(self, call: ActionCall) -> None:
        """Seal, sign what has no statement yet, and register."""
        params = call.params
        key = _statements.load_signing_key(params["signing_key"], params["signing_key_env"], os.environ)
        with Hosts(self, call.variables) as hosts:
            run = RemoteRun(hosts, hosts.own, params["run_dir"], "stages")
            bundle = _sealed(run, run.stages)
            text = bundle_text(bundle)
            call.result.update(bundle=bundle, digest=bundle["digest"], signer=key.public.keyid)
            statements = _missing(run, bundle, text, key, params["add"])
            files = {} if run.bundle_text == text else {"bundle.json": text}
            # The bundle first: statements about a bundle that was never sealed would bar another one.
            files.update(
                {f"statements/{name}": _statements.sign(value, key) for name, value in statements.items()}
            )
            for name in files:
                call.difference.add(name, None, "added")
            call.result["added"] = sorted(files)
            if files and not call.check_mode:
                run.add(files)
        if not call.check_mode:
            facts = {
                "run_dir": run.run_dir,
                "host": hosts.own,
                "pipeline": str(run.frozen.get("pipeline", "")),
                "sealed": now(),
                "packages": packages(bundle),
            }
            with open_store(params["store"]) as store:
                if register(store, bundle, facts, key.public.keyid, key.public.pem):
                    call.difference.add("registered", None, bundle["digest"])


def _sealed(run: RemoteRun, stages: dict[str, t.Any]) -> dict[str, t.Any]:
    """The bundle as the stages tell it, which must be what lies there, in files and in bundle.json."""
    bundle = make_bundle(run.frozen, stages, run.run_dir)
    reasons = artifact_reasons(bundle["artifacts"], run.found)
    if reasons:
        raise DistrogateError(
            "artifact_changed",
            " ".join(reason.message for reason in reasons) + " Run the stage that makes it again.",
            refused=[reason.as_dict() for reason in reasons],
        )
    if run.bundle_text is not None:
        old = parse_bundle(run.bundle_text, f"{run.run_dir}/bundle.json")
        if old != bundle:
            raise DistrogateError(
                "bundle_sealed",
                f"{run.run_dir} is sealed as {old['digest']}, and its stages now tell of {bundle['digest']}."
                " Give the new artifacts a run directory of their own.",
                sealed=old["digest"],
            )
    return bundle


def _missing(
    run: RemoteRun,
    bundle: dict[str, t.Any],
    text: str,
    key: _statements.SigningKey,
    added: list[dict[str, t.Any]],
) -> dict[str, dict[str, t.Any]]:
    """The statements that the run directory does not have yet, by file name."""
    digest = bundle["digest"]
    found: dict[str, dict[str, t.Any]] = {}
    provenance = f"provenance-{key.public.keyid[:16]}.json"
    sha256 = hashlib.sha256(text.encode("utf-8")).hexdigest()
    found[provenance] = _statements.provenance_statement(bundle, sha256, run.frozen, run.host, now())
    for name, record in run.stages.items():
        stated = None if name == SEAL else _statements.stage_statement(digest, record)
        if stated is not None:
            found[stated[0]] = stated[1]
    verdicts = newest_verdicts(read_statements(run.statements, digest, [key.public])[0])
    for verdict in added:
        content = {
            name: value for name, value in verdict.items() if value is not None and name != "predicate_type"
        }
        last = verdicts.get(verdict["name"])
        if last and all(last.predicate.get("stage" if k == "name" else k) == v for k, v in content.items()):
            continue  # said already, and nothing else since
        extra: dict[str, t.Any] = {name: content[name] for name in ("url", "explanation") if name in content}
        value = _statements.verdict_statement(
            digest, verdict["name"], verdict["result"], time.time_ns(), extra
        )
        found[f"verdict-{digest_json(value)[7:23]}.json"] = value
    return {name: value for name, value in found.items() if name not in run.statements}
