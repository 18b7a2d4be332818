# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What file_publish and git_publish do with ``state`` and ``transaction``, whatever they publish."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._ledger import STATE, Ledger, load_ledger
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call, Difference
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import (
    Transaction,
    checked_identifier,
    discarded,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._tree import Tree

Json = dict[str, t.Any]
SPEC: dict[str, t.Any] = {
    "root": {"type": "path", "required": True},
    "artifacts": {"type": "list", "elements": "dict", "default": []},
    "channel": {"type": "str"},
    "version": {"type": "str"},
    "state": {
        "type": "str",
        "choices": ["present", "prepared", "committed", "undone"],
        "default": "present",
    },
    "transaction": {"type": "str"},
    "ttl": {"type": "int", "default": 3600},
    "timeout": {"type": "int", "default": 600},
}
REQUIRED_IF = [("state", state, ["transaction"]) for state in ("prepared", "committed", "undone")]


@dataclasses.dataclass
class Plan:
    """What will change: ``changes`` are (name, before, after), ``data`` is the ledger's new contents.

    ``asked`` tells one request from another; ``undo`` is what going back needs later, ``work`` what
    deciding does.
    """

    asked: t.Any
    result: Json
    data: Json
    changes: list[tuple[str, t.Any, t.Any]] = dataclasses.field(default_factory=list)
    undo: Json = dataclasses.field(default_factory=dict)
    work: t.Any = None

    def describe(self, difference: Difference) -> None:
        for name, before, after in self.changes:
            difference.add(name, before, after)


Made = t.TypeVar("Made", bound=Plan)


class Adapter(Tree, t.Generic[Made]):
    """One call of a module. A subclass says what changes, stages it, and knows how to take it back."""

    kind = ""

    def __init__(self, call: Call, root: str) -> None:
        self.params = call.params
        super().__init__(root, self.params["timeout"])
        self.check_mode = call.check_mode
        self.difference = call.difference
        self.identifier = checked_identifier(self.params["transaction"]) if self.params["transaction"] else ""

    def plan(self, ledger: Ledger) -> Made:
        """What ``present`` and ``prepared`` would change."""
        raise NotImplementedError

    def plan_undo(self, ledger: Ledger, undo: Json) -> Made:
        """What going back changes; ``undo`` is that of the plan that was committed."""
        raise NotImplementedError

    def stage(self, transaction: Transaction, plan: Made) -> None:
        """Put what changes into the transaction."""
        raise NotImplementedError

    def nothing(self, ledger: Ledger) -> Json:
        """The result of a call that only ends a transaction."""
        raise NotImplementedError

    def decide(self, transaction: Transaction) -> None:
        """Make it so."""
        transaction.commit()

    def decide_once(self, transaction: Transaction) -> None:
        """The same for what was not prepared by a call of its own: when that fails, all of it goes."""
        with discarded(transaction):
            self.decide(transaction)

    def take_back(self, waiting: Transaction, ledger: Ledger) -> None:
        """Take back what a prepared transaction did outside of its folder, and write down what stays."""

    def tidy(self) -> None:
        """Remove what the ledger says is gone."""

    def clean(self) -> None:
        """Remove what only this run needed, however it ended."""

    def has_ended(self, identifier: str) -> bool:
        return identifier in self.ledger().finished

    def ledger(self) -> Ledger:
        """The state as decided: what a killed writer committed counts, finished or not."""
        return load_ledger(self.log.pending(STATE), self.kind)

    def run(self) -> Json:
        """Do what ``state`` says; returns the module's result."""
        work = self._end if self.params["state"] in ("committed", "undone") else self._begin
        if self.check_mode or (work == self._end and not os.path.isdir(self.root)):
            return work()
        with self.held(self.identifier):
            try:
                self.tidy()
                result = work()
                self.tidy()
                return result
            finally:
                self.clean()

    def _begin(self) -> Json:
        """present and prepared."""
        ledger, waiting = self.ledger(), self.find(self.identifier)
        prepare = self.params["state"] == "prepared"
        if waiting is not None and not prepare:
            raise self._used("is prepared and waits to be committed or undone")
        plan = self.plan(ledger)
        plan.describe(self.difference)
        finished = ledger.finished.get(self.identifier)
        if waiting is not None or (prepare and finished):
            return self._again(plan, waiting, finished)
        changes = not self.difference.empty
        if changes and finished:
            raise self._used(f"is {finished['state']} already")
        described = {side: dict(names) for side, names in self.difference.as_result().items()}
        request = digest_json(plan.asked)
        meta = {"result": plan.result, "request": request, "difference": described, "work": plan.work}
        if prepare:
            self.difference.add("transaction", "", "prepared")
        if not self.difference.empty and not self.check_mode:
            self._write(ledger, plan, changes, meta, prepare)
        return plan.result

    def _write(self, ledger: Ledger, plan: Made, changes: bool, meta: Json, prepare: bool) -> None:
        transaction = self.log.begin(self.identifier)
        with discarded(transaction):
            if changes:
                self.stage(transaction, plan)
                ledger.data = plan.data
            ledger.finish(self.identifier, "committed", plan.undo if changes else None)
            transaction.put(STATE, ledger.dump())
            # What is published at once is prepared for no time: killed before it is decided, it is dropped.
            transaction.prepare(meta, self.clock() + self.params["ttl"] if prepare else 0)
        if not prepare:
            self.decide_once(transaction)

    def _again(self, plan: Made, waiting: Transaction | None, finished: Json | None) -> Json:
        """The same preparation once more is no change; another one under the same id is an error."""
        changes = not self.difference.empty
        self.difference.before.clear()
        self.difference.after.clear()
        if waiting is not None:
            if waiting.meta["request"] != digest_json(plan.asked):
                raise self._used("is prepared with other artifacts or options")
            return t.cast(Json, waiting.meta["result"])
        if finished is None or finished["state"] != "committed" or changes:
            raise self._used("has ended already")
        return plan.result

    def _used(self, why: str) -> DistrogateError:
        return DistrogateError(
            "transaction_used", f"The transaction {self.identifier} of {self.root} {why}. Use another id."
        )

    def _end(self) -> Json:
        """committed and undone."""
        ledger, wanted = self.ledger(), self.params["state"]
        waiting, finished = self.find(self.identifier), ledger.finished.get(self.identifier)
        if finished and finished["state"] == wanted:
            return self.nothing(ledger)
        if waiting is not None and not finished:
            return self._end_waiting(waiting, ledger)
        if finished is None:
            raise DistrogateError(
                "unknown_transaction",
                f"{self.root} knows no transaction {self.identifier}: it was never prepared here, or it"
                " expired. Prepare it again.",
            )
        if wanted == "committed":
            raise self._used("was undone")
        return self._undo(ledger, finished)

    def _end_waiting(self, waiting: Transaction, ledger: Ledger) -> Json:
        self.difference.add("transaction", "prepared", self.params["state"])
        if self.params["state"] == "committed":
            described = waiting.meta["difference"]
            for name in described["before"]:
                self.difference.add(name, described["before"][name], described["after"][name])
            if not self.check_mode:
                self.decide(waiting)
            return t.cast(Json, waiting.meta["result"])
        if not self.check_mode:
            self.take_back(waiting, ledger)
            ledger.finished[self.identifier] = {"state": "undone", "serial": ledger.serial}
            self._remember(ledger)  # first, so that a call after a kill knows how it ended
            waiting.discard()
        return self.nothing(ledger)

    def _remember(self, ledger: Ledger) -> None:
        transaction = self.log.begin()
        with discarded(transaction):
            transaction.put(STATE, ledger.dump())
            transaction.commit()

    def _undo(self, ledger: Ledger, finished: Json) -> Json:
        """Take back what was committed last."""
        if ledger.latest != self.identifier:
            raise DistrogateError(
                "not_latest",
                f"The transaction {self.identifier} of {self.root} is not the latest:"
                f" {ledger.latest or 'another'} was published since. Undo that one, or publish anew.",
            )
        self.difference.add("transaction", "committed", "undone")
        if finished.get("undo") is None:
            plan = None
        else:
            plan = self.plan_undo(ledger, finished["undo"])
            plan.describe(self.difference)
        if not self.check_mode:
            transaction = self.log.begin()
            with discarded(transaction):
                if plan is not None:
                    self.stage(transaction, plan)
                    ledger.data = plan.data
                ledger.finish(self.identifier, "undone", None)
                transaction.put(STATE, ledger.dump())
                transaction.commit()
        return self.nothing(ledger) if plan is None else plan.result
