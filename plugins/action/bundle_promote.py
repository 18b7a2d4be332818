# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points a channel at a bundle, and publishes exactly its artifacts."""

from __future__ import annotations

import getpass
import os
import socket
import time
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _policy, _promotion, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import digest_hex
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._channel_lock import channel_lock
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import (
    bundle_promote_options,
    locate,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    checked_channel,
    lock_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import now
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_files import (
    HostTarget,
    RemoteRun,
    add_files,
    plan_targets,
)
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts

Json = dict[str, t.Any]


class _World:
    """What a promotion needs from outside, provided by Ansible."""

    def __init__(self, hosts: Hosts, key: _statements.SigningKey, progress: t.Callable[[str], None]) -> None:
        self._hosts = hosts
        self._key = key
        self.progress = progress

    def target(self, plan: Json, origin: Json, transaction: str) -> HostTarget:
        return HostTarget(self._hosts, plan, origin, transaction)

    def statement(self, journal: Json) -> str:
        predicate = {name: journal[name] for name in ("channel", "version", "previous", "at", "by")}
        return _statements.sign(
            _statements.statement(journal["digest"], _statements.PROMOTION, predicate), self._key
        )

    def publish_statement(self, journal: Json) -> None:
        name = f"statements/promotion-{journal['channel']}-{journal['version']}.json"
        origin = journal["origin"]
        add_files(self._hosts, origin["host"], origin["run_dir"], {name: journal["statement"]})

    def now(self) -> str:
        return now()


class ActionModule(ControllerAction, ActionBase):
    """The journal is in the store, the files are on their hosts, the keys are here."""

    _requires_connection = True
    options: t.ClassVar[dict[str, t.Any]] = bundle_promote_options()

    def perform(self, call: ActionCall) -> None:
        """Read, judge, and move."""
        params = call.params
        channel = checked_channel(params["channel"])
        key = _statements.load_signing_key(params["signing_key"], params["signing_key_env"], os.environ)
        with (
            Hosts(self, call.variables) as hosts,
            open_store(params["store"], create=not call.check_mode) as store,
        ):
            world = _World(hosts, key, call.progress)
            promotion = _promotion.Promotion(store, channel, world)
            if call.check_mode:
                self._predict(call, hosts, store, promotion, key)
                return
            holder = {"by": _who(), "since": now(), "channel": channel}
            lock = lock_key(channel)
            with channel_lock(
                store,
                lambda: open_store(params["store"]),
                lock,
                holder,
                timeout=params["timeout"],
                progress=call.progress,
            ):
                recovered = promotion.recover()
                if recovered is not None:
                    call.difference.add("recovered", recovered["phase"], recovered["digest"])
                bundle, origin = _judge(call, hosts, store, key)
                if call.result["refused"]:
                    raise _refusal(channel, call.result["refused"])
                plans = plan_targets(hosts, params["targets"], bundle, params["timeout"])
                outcome = promotion.promote(bundle["digest"], plans, origin, holder["by"])
        call.result.update(
            {
                "version": outcome.version,
                "from": outcome.previous,
                "targets": outcome.targets,
                "channel": channel,
            }
        )
        if outcome.changed:
            call.difference.add(channel, outcome.previous, bundle["digest"])

    def _predict(
        self, call: ActionCall, hosts: Hosts, store: Store, promotion: _promotion.Promotion, key: t.Any
    ) -> None:
        """Say what would happen. A promotion left open by another is not taken up."""
        bundle, _origin = _judge(call, hosts, store, key)
        current = promotion.current()
        previous = current["digest"] if current else None
        call.result.update(
            {"version": None, "from": previous, "targets": [], "channel": call.params["channel"]}
        )
        if bundle and not call.result["refused"]:
            plan_targets(hosts, call.params["targets"], bundle, call.params["timeout"])
            call.difference.add(call.params["channel"], previous, bundle["digest"])
            if current and current["digest"] == bundle["digest"]:
                call.result["version"] = current["version"]


def _judge(call: ActionCall, hosts: Hosts, store: Store, key: _statements.SigningKey) -> tuple[Json, Json]:
    """Read the bundle where it lies and put all reasons against it into the result."""
    params = call.params
    if params["bundle"]:
        digest: str | None = "sha256:" + digest_hex(params["bundle"])
        facts = locate(store, params["bundle"])
        origin = {"host": facts["host"], "run_dir": facts["run_dir"]}
    else:
        digest = None
        origin = {"host": hosts.own, "run_dir": params["run_dir"]}
    run = RemoteRun(hosts, origin["host"], origin["run_dir"], "bundle")
    bundle, reasons, waived = _policy.evaluate(
        bundle_text=run.bundle_text,
        digest=digest,
        statements=run.statements,
        found=run.found,
        verdicts=params["policy"]["verdicts"],
        keys=_trusted(params["policy"]["signers"], store, key),
        now=time.time(),
    )
    call.result["refused"] = [reason.as_dict() for reason in reasons]
    call.result["waived"] = [reason.as_dict() for reason in waived]
    call.result["bundle"] = bundle["digest"] if bundle else digest
    return bundle or {}, origin


def _trusted(
    signers: list[str] | None, store: Store, key: _statements.SigningKey
) -> list[_statements.PublicKey]:
    """The keys that may vouch: files of public keys, or ids of keys that the store knows."""
    if signers is None:
        return [key.public]
    trusted = []
    for signer in signers:
        entry = store.get(f"key/{signer}") if "/" not in signer else None
        if entry is not None:
            public = _statements.load_public_key(entry.value, f"the key {signer} of the store")
            if public.keyid != signer:
                raise DistrogateError("bad_key", f"The store's key {signer} is another one: {public.keyid}.")
        else:
            try:
                with open(os.path.expanduser(signer), encoding="utf-8") as stream:
                    public = _statements.load_public_key(stream.read(65536), signer)
            except (OSError, UnicodeDecodeError) as error:
                raise DistrogateError(
                    "bad_key",
                    f"{signer} in policy.signers is neither a readable public key file nor a known key id.",
                ) from error
        trusted.append(public)
    return trusted


def _refusal(channel: str, refused: list[Json]) -> DistrogateError:
    listed = "\n".join(f"- {reason['message']} {reason['satisfy']}" for reason in refused)
    return DistrogateError(
        "promotion_refused", f"Nothing was promoted to {channel}, for these reasons:\n{listed}"
    )


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
