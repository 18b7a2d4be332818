# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What apt_publish and rpm_publish do with their options, state by state."""

from __future__ import annotations

import functools
import gc
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._call import AnyCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._gpg import Signer, Signs
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import (
    Transaction,
    checked_identifier,
    discarded,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._changes import (
    plan_absent,
    plan_present,
    plan_undo,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._keys import Keys
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Format, Json, Scope, State
from ansible_collections.distrogate.ci.plugins.module_utils._packages._outcome import (
    no_change,
    outcome_result,
    request_digest,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._plan import Plan, Request
from ansible_collections.distrogate.ci.plugins.module_utils._packages._repository import Repository
from ansible_collections.distrogate.ci.plugins.module_utils._packages._restore import plan_restore
from ansible_collections.distrogate.ci.plugins.module_utils._packages._snapshots import NOW
from ansible_collections.distrogate.ci.plugins.module_utils._packages._staging import Staging

Signers = t.Callable[[t.Sequence[str], t.Optional[str]], Signs]


class Publisher:
    """One call of a module."""

    def __init__(self, call: AnyCall, fmt: Format, digest_key: str, signers: Signers = Signer) -> None:
        self.params = call.params
        self.check_mode = call.check_mode
        self.difference: Difference = call.difference
        self.fmt = fmt
        self.digest_key = digest_key
        home = self.params["gnupg_home"]
        self._signers = functools.lru_cache(maxsize=None)(lambda keys: signers(keys, home))
        self.identifier = checked_identifier(self.params["transaction"]) if self.params["transaction"] else ""
        self.repository = Repository(self.params["root"], fmt, self.params["timeout"])
        self.now = self.repository.clock()

    def _keys(self, state: State) -> Keys:
        """The keys that sign; an error here comes before anything is written."""
        return Keys(
            self.params, state.scopes.get(self.fmt.scope), self.repository.root, self._signers, self.now
        )

    def run(self) -> Json:
        """Do what ``state`` says; returns the module's result."""
        collecting = gc.isenabled()
        gc.disable()  # with many packages, looking for cycles takes a tenth of the time, and there are none
        try:
            return self._run()
        finally:
            if collecting:
                gc.enable()

    def _run(self) -> Json:
        if self.params["state"] in ("committed", "undone"):
            return self._end()
        state = self.repository.state()
        if self.params["state"] == "absent" and self.params["restore"]:
            raise DistrogateError("bad_restore", "restore publishes packages: it does not go with absent.")
        if self.params["state"] == "absent" and self.fmt.scope not in state.scopes:
            return self._result(no_change(state, self.fmt))
        keys = self._keys(state)
        if self.check_mode:
            return self._begin(state, keys, self.repository.find(self.identifier))
        with self.repository.held(self.identifier):
            state = self.repository.state()
            return self._begin(state, self._keys(state), self.repository.find(self.identifier))

    def _request(self, state: State, keys: Keys) -> Request:
        scope = state.scopes.get(self.fmt.scope)
        required = self.params["require_bundle"]
        if required is None:
            required = bool(scope and scope.settings["require_bundle"])
        kept = {**keys.settings, "require_bundle": required}
        return Request(state, self.fmt, self.repository.root, self.params, kept, self.now)

    def _plan(self, state: State, keys: Keys) -> Plan:
        request = self._request(state, keys)
        if self.params["restore"]:
            return plan_restore(request, self.params["restore"])
        if self.params["state"] == "absent":
            return plan_absent(request, self.params["packages"])
        return plan_present(request, self.params["packages"], self.params["digests"])

    def _begin(self, state: State, keys: Keys, waiting: Transaction | None) -> Json:
        """present, absent and prepared."""
        prepare = self.params["state"] == "prepared"
        if waiting is not None and not prepare:
            raise self._used("is prepared and waits to be committed or undone")
        finished = state.finished.get(self.identifier)
        plan = self._plan(state, keys)
        if waiting is not None or (prepare and finished):
            return self._again(state, plan, waiting, finished)
        plan.describe(self.difference, self.fmt)
        described = {side: dict(names) for side, names in self.difference.as_result().items()}
        changes = not self.difference.empty
        if changes and finished:
            raise self._used(f"is {finished['state']} already")
        if prepare:
            self.difference.add("transaction", "", "prepared")
        result = outcome_result(plan, state.serial + changes, self.params.get("list_packages", False))
        if not self.difference.empty and not self.check_mode:
            transaction = self.repository.log.begin(self.identifier)
            with discarded(transaction):
                after = self._stage(transaction, state, plan if changes else None, keys, "committed")
                if prepare:
                    meta = {"result": result, "request": self._asked(plan), "difference": described}
                    transaction.prepare(meta, self.repository.clock() + self.params["ttl"])
                else:
                    transaction.commit()
                    state = after
        return self._result(result, state, keys)

    def _stage(
        self, transaction: Transaction, state: State, plan: Plan | None, keys: Keys, outcome: str
    ) -> State:
        if plan is None:
            self.repository.remember(transaction, state, outcome)
            return state
        staging = Staging(transaction, state, plan, self.fmt, keys.signer, self.params, self.now)
        return staging.stage(outcome)

    def _asked(self, plan: Plan) -> str:
        packages = [f"{one.key} {one.sha256}" for one in (*plan.added, *plan.skipped)]
        if self.params["restore"]:
            packages.append(plan.after.state_digest)  # by whichever name it was asked for
        return request_digest(self.params, self.fmt.scope, packages)

    def _again(self, state: State, plan: Plan, waiting: Transaction | None, finished: Json | None) -> Json:
        """The same preparation once more is no change; another one under the same id is an error."""
        if waiting is not None:
            if waiting.meta["request"] != self._asked(plan):
                raise self._used("is prepared with other packages or options")
            return self._result(waiting.meta["result"], state)
        moved = plan.added or (self.params["restore"] and plan.removed)
        if finished is None or finished["state"] != "committed" or moved:
            raise self._used("has ended already")
        again = outcome_result(plan, state.serial, self.params.get("list_packages", False))
        return self._result(again, state)

    def _used(self, why: str) -> DistrogateError:
        return DistrogateError(
            "transaction_used",
            f"The transaction {self.identifier} of {self.repository.root} {why}. Use another id.",
        )

    def _end(self) -> Json:
        """committed and undone."""
        if self.check_mode or not os.path.isdir(self.repository.root):
            return self._end_held()
        with self.repository.held(self.identifier):
            return self._end_held()

    def _end_held(self) -> Json:
        state, wanted = self.repository.state(), self.params["state"]
        waiting, finished = self.repository.find(self.identifier), state.finished.get(self.identifier)
        nothing = no_change(state, self.fmt)
        if finished and finished["state"] == wanted:
            return self._result(nothing, state)
        if waiting is not None and not finished:
            return self._end_waiting(waiting, state, nothing)
        if finished is None:
            raise DistrogateError(
                "unknown_transaction",
                f"{self.repository.root} knows no transaction {self.identifier}:"
                " it was never prepared here, or it expired. Prepare it again.",
            )
        if wanted == "committed":
            raise self._used("was undone")
        return self._undo(state, finished)

    def _end_waiting(self, waiting: Transaction, state: State, nothing: Json) -> Json:
        result = waiting.meta["result"] if self.params["state"] == "committed" else nothing
        self.difference.add("transaction", "prepared", self.params["state"])
        if self.params["state"] == "committed":
            described = waiting.meta["difference"]
            for name in described["before"]:
                self.difference.add(name, described["before"][name], described["after"][name])
        if not self.check_mode:
            if self.params["state"] == "committed":
                waiting.commit()
                state = self.repository.state()
            else:
                self.repository.drop(waiting, state)
        return self._result(result, state)

    def _undo(self, state: State, finished: Json) -> Json:
        """Undo what was committed last."""
        undo = finished.get("undo")
        if state.latest != self.identifier or finished["scope"] != self.fmt.scope:
            raise DistrogateError(
                "not_latest",
                f"The transaction {self.identifier} of {self.repository.root} is not the latest:"
                f" {state.latest or 'another'} was published since. Undo that one, or publish anew.",
            )
        self.difference.add("transaction", "committed", "undone")
        keys = self._keys(state)
        if undo is None:
            plan = None
            result = no_change(state, self.fmt)
        else:
            plan = plan_undo(self._request(state, keys), undo)
            plan.describe(self.difference, self.fmt)
            result = outcome_result(plan, state.serial + 1)
        if not self.check_mode:
            transaction = self.repository.log.begin()
            state.finished[self.identifier] = {**finished, "state": "undone"}
            with discarded(transaction):
                state = self._stage(transaction, state, plan, keys, "undone")
                transaction.commit()
        return self._result(result, state, keys)

    def _result(self, result: Json, state: State | None = None, keys: Keys | None = None) -> Json:
        """Add what describes the repository as a whole."""
        scope = (state.scopes.get(self.fmt.scope) if state else None) or Scope()
        key = keys.signer.public_key() if keys else self._published_key()
        digest = scope.switch_sha256 or None
        if self.check_mode and not self.difference.empty:
            digest = None  # it has a date in it
        snapshot = self.params["snapshot"]
        if snapshot == NOW:
            snapshot = next((row["name"] for row in result["snapshots"]), "")
        return {
            **result,
            "state_digest": result["state_digest"] or scope.state_digest,
            self.digest_key: digest,
            "key": key,
            "sources": self.fmt.sources(scope, key),
            "snapshot_sources": self.fmt.for_snapshot(snapshot).sources(scope, key) if snapshot else "",
        }

    def _published_key(self) -> str:
        try:
            with open(inside(self.repository.root, "key.asc"), encoding="ascii") as stream:
                return stream.read()
        except FileNotFoundError:
            return ""
