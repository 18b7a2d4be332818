# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Seals a run's artifacts as a bundle, and signs what was said of it."""

from __future__ import annotations

import os
import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _remarks, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import (
    Archive,
    archive_name,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import (
    bundle_text,
    digest_hex,
    packages,
    parse_bundle,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import (
    bundle_options,
    locate,
    register,
    register_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_trust import read_statements
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import now
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_files import RemoteRun
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_sealing import (
    missing,
    remarked,
    sealed_bundle,
)
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts

Json = dict[str, t.Any]
_STATEMENTS = "statements/"


class ActionModule(ControllerAction, ActionBase):
    """The host's part is the module ``run_files``; keys and signatures stay on the controller."""

    _requires_connection = True
    options: t.ClassVar[dict[str, t.Any]] = bundle_options()

    def perform(self, call: ActionCall) -> None:
        """Seal, sign what has no statement yet, and register."""
        params = call.params
        key = _statements.load_signing_key(params["signing_key"], params["signing_key_env"], os.environ)
        added = [(entry["predicate_type"], _remarks.checked(entry, time.time())) for entry in params["add"]]
        with Hosts(self, call.variables) as hosts:
            if params["state"] == "stated":
                self._state(call, hosts, key, added)
            else:
                self._seal(call, hosts, key, added)

    def _seal(
        self, call: ActionCall, hosts: Hosts, key: _statements.SigningKey, added: list[tuple[str, Json]]
    ) -> None:
        run = RemoteRun(hosts, hosts.own, call.params["run_dir"], "stages")
        stages = run.stages
        sealed = now()
        bundle = sealed_bundle(run, stages)
        _check_wanted(call.params["bundle"], bundle, run)
        text = bundle_text(bundle)
        statements = missing(run, stages, bundle, text=text, key=key, sealed=sealed)
        statements.update(remarked(run, bundle["digest"], key, added))
        # The bundle first: statements about a bundle that was never sealed would bar another one.
        files = {} if run.bundle_text == text else {"bundle.json": text}
        _add(call, run, bundle, key, {**files, **_signed(statements, key)})
        _archive(call, run, text, bundle["digest"], key.public)
        if not call.check_mode:
            facts: Json = {
                "run_dir": run.run_dir,
                "host": hosts.own,
                "pipeline": str(run.frozen.get("pipeline", "")),
                "sealed": sealed,
            }
            if not call.params["archive"]:  # its index has them, and a store takes small values
                facts["packages"] = packages(bundle)
            with open_store(call.params["store"]) as store:
                if register(store, bundle, facts, key.public.keyid, key.public.pem):
                    call.difference.add("registered", None, bundle["digest"])

    def _state(
        self, call: ActionCall, hosts: Hosts, key: _statements.SigningKey, added: list[tuple[str, Json]]
    ) -> None:
        """Say something of a bundle that is sealed, without vouching for what it is."""
        params = call.params
        host, run_dir = hosts.own, params["run_dir"]
        if run_dir is None:
            with open_store(params["store"], create=False) as store:
                facts = locate(store, params["bundle"])
            host, run_dir = facts["host"], facts["run_dir"]
        run = RemoteRun(hosts, host, run_dir, None)
        if run.bundle_text is None:
            raise DistrogateError(
                "not_sealed", f"{run_dir} has no bundle.json: there is nothing to speak of. Seal it first."
            )
        bundle = parse_bundle(run.bundle_text, f"{run_dir}/bundle.json")
        _check_wanted(params["bundle"], bundle, run)
        statements = remarked(run, bundle["digest"], key, added)
        _add(call, run, bundle, key, _signed(statements, key))
        _archive(call, run, run.bundle_text, bundle["digest"], key.public)
        if not call.check_mode:
            with open_store(params["store"]) as store:
                if register_key(store, key.public.keyid, key.public.pem):
                    call.difference.add("registered", None, key.public.keyid)


def _check_wanted(wanted: str | None, bundle: Json, run: RemoteRun) -> None:
    if wanted is not None and digest_hex(wanted) != digest_hex(bundle["digest"]):
        raise DistrogateError(
            "other_bundle",
            f"{run.run_dir} holds {bundle['digest']}, and {wanted} was asked for. Nothing was said of either."
            " Name the run directory of that bundle, or leave it to the store.",
        )


def _signed(statements: dict[str, Json], key: _statements.SigningKey) -> dict[str, str]:
    return {_STATEMENTS + name: _statements.sign(value, key) for name, value in statements.items()}


def _add(
    call: ActionCall, run: RemoteRun, bundle: Json, key: _statements.SigningKey, files: dict[str, str]
) -> None:
    call.result.update(bundle=bundle, digest=bundle["digest"], signer=key.public.keyid, added=sorted(files))
    for name in files:
        call.difference.add(name, None, "added")
    if files and not call.check_mode:
        run.add(files)
    for name, text in files.items():
        if name.startswith(_STATEMENTS):
            run.statements[name[len(_STATEMENTS) :]] = text


def _archive(call: ActionCall, run: RemoteRun, text: str, digest: str, key: _statements.PublicKey) -> None:
    """Bring the archive what it lacks. Nothing leaves it, so only what a known key signed may enter."""
    if not call.params["archive"]:
        return
    keys = [key]
    if not call.check_mode:
        with open_store(call.params["store"]) as store:
            keys += KnownKeys(store).keys()
    good = read_statements(run.statements, digest, keys)[0]
    texts = [(statement.name, run.statements[statement.name]) for statement in good]
    said = {archive_name(name, text): text for name, text in texts}
    added = Archive(call.params["archive"]).add(digest, text, said, call.check_mode)
    call.result["archived"] = added
    for name in added:
        call.difference.add(f"archived {name}", None, "added")
