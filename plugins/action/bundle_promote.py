# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points a channel at a bundle, and publishes exactly its artifacts."""

from __future__ import annotations

import getpass
import os
import socket
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _promotion, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import digest_hex
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._channel_lock import channel_lock
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import (
    bundle_promote_options,
    register_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_adapters import RESTORING
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_history import (
    earlier,
    targets_back,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    MAIN,
    ROLLED_BACK,
    Request,
    checked_channel,
    lock_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_taken import (
    has_own,
    notice,
    taken_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import now
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_judge import Judge
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_plans import plan_targets
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_world import World
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts

Json = dict[str, t.Any]


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
            judge = Judge(hosts, store, params["policy"], key.public, params["archive"])
            world = World(hosts, key, call.progress, params["archive"], judge)
            who = _who()
            promotion = _promotion.Promotion(store, channel, world, who)
            work = _Work(call, hosts, store, judge, promotion)
            if call.check_mode:
                work.predict()
                return
            with channel_lock(
                store,
                lambda: open_store(params["store"]),
                lock_key(channel),
                {"by": who, "since": now(), "channel": channel},
                timeout=params["timeout"],
                progress=call.progress,
            ):
                work.register(key.public)
                work.move(world, who)


class _Work:
    """One call: what is asked of the channel, and what comes of it."""

    def __init__(
        self, call: ActionCall, hosts: Hosts, store: Store, judge: Judge, promotion: _promotion.Promotion
    ) -> None:
        self._call = call
        self._hosts = hosts
        self._store = store
        self._judge = judge
        self._promotion = promotion
        self._channel: str = call.params["channel"]

    def register(self, key: _statements.PublicKey) -> None:
        """Before anything is signed: who reads the statement finds the key in the store."""
        if register_key(self._store, key.keyid, key.pem):
            self._call.difference.add("registered", None, key.keyid)

    def move(self, world: World, who: str) -> None:
        """Finish what was left, then promote or roll back."""
        self._left(self._promotion.recover())
        request = self._request(who, world)
        if request is None and self._is_done():
            return
        if request is None:
            raise _refusal(self._channel, self._call.result)
        outcome = self._promotion.promote(request, lambda: self._look_again(request))
        self._tell(outcome.version, outcome.previous, outcome.targets)
        if outcome.changed:
            self._call.difference.add(self._channel, outcome.previous, request.digest)
        if outcome.changed and outcome.previous == request.digest:
            self._call.difference.add("immutable", False, True)

    def _look_again(self, request: Request) -> None:
        """While the targets prepared somebody may have placed a hold, or said that a test failed."""
        back = request.state == ROLLED_BACK
        verdict = self._judge.judge(self._channel, request.digest, request.origin, back, files=False)
        self._call.result.update(refused=verdict.refused, waived=verdict.waived)
        if verdict.refused:
            raise _refusal(self._channel, self._call.result)

    def predict(self) -> None:
        """Say what would happen. A promotion left open by another is not taken up."""
        coming = self._left(self._promotion.left())
        request = self._request("nobody", coming=coming)
        current = coming or self._promotion.current()
        previous = current["digest"] if current else None
        self._tell(None, previous, [])
        if request is None:
            return
        same = current is not None and current["digest"] == request.digest
        self._call.result["version"] = current["version"] if current and same else request.known
        self._call.difference.add(self._channel, previous, request.digest)
        if current and same and request.immutable:
            self._call.difference.add("immutable", bool(current.get("immutable")), True)

    def _left(self, journal: Json | None) -> Json | None:
        """Tell of a promotion that was left open; returns what the channel has when it is completed."""
        if journal is None:
            return None
        ended = "undone" if journal["phase"] == "preparing" else "completed"
        told = {name: journal[name] for name in ("version", "at", "by")}
        self._call.result["recovered"] = {"bundle": journal["digest"], "ended": ended, **told}
        self._call.difference.add("recovered", journal["phase"], journal["digest"])
        return journal if ended == "completed" else None

    def _is_done(self) -> bool:
        """Whether nothing is asked of the channel, since all that the bundle has is published already."""
        if "msg" not in self._call.result:
            return False
        current = self._promotion.current()
        self._tell(None, current["digest"] if current else None, [])
        return True

    def _tell(self, version: str | None, previous: str | None, targets: list[Json]) -> None:
        self._call.result.update(
            {"version": version, "from": previous, "targets": targets, "channel": self._channel}
        )

    def _request(self, who: str, world: World | None = None, coming: Json | None = None) -> Request | None:
        """What is asked of the channel; None when it is refused, for the reasons in the result."""
        params, result = self._call.params, self._call.result
        digest = "sha256:" + digest_hex(params["bundle"]) if params["bundle"] else None
        back = params["state"] == ROLLED_BACK
        targets, row = params["targets"], {"series": params["series"], "version": None}
        if back:
            row, rows = earlier(self._store, self._channel, digest or (coming or {}).get("previous"))
            digest = row["digest"]
            targets = targets_back(rows, row["serial"], targets, RESTORING)
        place = self._judge.located(digest, params["run_dir"])
        verdict = self._judge.judge(self._channel, digest, place, back, coming=coming)
        result.update(refused=verdict.refused, waived=verdict.waived)
        result["bundle"] = verdict.bundle["digest"] if verdict.bundle else digest
        if verdict.bundle is not None and not back and taken_of(verdict.bundle):
            result["taken"], said = taken_of(verdict.bundle), notice(verdict.bundle, self._channel)
            self._call.progress(said)
            if not has_own(verdict.bundle):  # whether it might be promoted does not matter then
                result.update(msg=said, refused=[], waived=[])
                return None
        if verdict.bundle is None or verdict.refused:
            return None
        if world is not None:
            world.know(verdict.bundle["digest"], verdict.texts)
        return Request(
            digest=verdict.bundle["digest"],
            plans=plan_targets(
                self._hosts,
                targets,
                verdict.bundle,
                params["timeout"],
                rolling_back=back,
                numbered=params["version"] != "none",
            ),
            origin=verdict.texts.origin,
            by=who,
            version="none" if back else params["version"],
            series=row["series"] or MAIN,
            immutable=params["immutable"],
            state=params["state"],
            known=row["version"],
        )


def _refusal(channel: str, result: Json) -> DistrogateError:
    refused, done = result["refused"], result.get("recovered")
    listed = "\n".join(f"- {reason['message']} {reason['satisfy']}" for reason in refused)
    moved = done is not None and done["ended"] == "completed"
    nothing = f"Nothing was promoted to {channel}, for these reasons:"
    if done is not None and moved:
        nothing = (
            f"The promotion of {done['bundle']} to {channel}, which {done['by']} began at {done['at']}, was"
            " completed. What was asked for now was not promoted, for these reasons:"
        )
    fixed = [reason["rule"] for reason in refused] == ["immutable"]
    reason = "channel_immutable" if fixed else "promotion_refused"
    return DistrogateError(reason, f"{nothing}\n{listed}", **({"changed": True} if moved else {}))


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
