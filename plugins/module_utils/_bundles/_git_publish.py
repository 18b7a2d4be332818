# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What git_publish does: tags are pushed one by one, and what was begun is finished or taken back."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._adapter import SPEC, Adapter, Plan
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_access import (
    PROTOCOLS,
    Access,
    checked_url,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_push import Remotes, row_of
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_tags import (
    Wanted,
    taken,
    wanted_tags,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._ledger import Ledger
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY, digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE, Transaction

Json = dict[str, t.Any]
GIT_SPEC: dict[str, t.Any] = {
    **SPEC,
    "tag": {"type": "str", "default": "{version}"},
    "tag_message": {"type": "str", "default": "{name} {version}"},
    "tagger_name": {"type": "str", "default": "distrogate.ci"},
    "tagger_email": {"type": "str", "default": "distrogate.ci@localhost"},
    "push_urls": {"type": "dict", "default": {}},
    "protocols": {"type": "list", "elements": "str", "choices": list(PROTOCOLS), "default": ["https", "ssh"]},
    "ssh_key": {"type": "path", "no_log": False},
    "known_hosts": {"type": "path"},
    "ssh_options": {"type": "list", "elements": "str", "default": []},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "password_urls": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "ca_file": {"type": "path"},
}
_LEAST = 60  # seconds for a command of git, also for who does not want to wait for other writers
_FOREVER = 253402300799  # the last second of the year 9999: only its own end ends it


@dataclasses.dataclass
class GitPlan(Plan):
    """``removed`` are tags that are taken back."""

    removed: list[Json] = dataclasses.field(default_factory=list)


class GitPublisher(Adapter[GitPlan]):
    """One call of git_publish."""

    kind = "tags"

    def __init__(self, call: Call) -> None:
        super().__init__(call, call.params["root"])
        params = self.params
        self.access = Access(
            protocols=tuple(params["protocols"]),
            timeout=max(_LEAST, params["timeout"]),
            ssh_options=tuple(params["ssh_options"]),
            password_urls=tuple(checked_url(url, PROTOCOLS) for url in params["password_urls"]),
            **{name: params[name] for name in ("ssh_key", "known_hosts", "username", "password", "ca_file")},
        )
        self.access.check()  # a bad option is an error before anything is done
        self._scratch = os.path.join(self.root, PRIVATE, "scratch")
        self.remotes = Remotes(self._scratch, self.access)

    @contextlib.contextmanager
    def _remotes(self) -> t.Iterator[Remotes]:
        """Where git works: in check mode nothing of the root is touched."""
        if not self.check_mode:
            yield self.remotes
            return
        with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
            yield Remotes(folder, self.access)

    def plan(self, ledger: Ledger) -> GitPlan:
        """Look at every remote, and check each commit that is not tagged yet."""
        wanted = wanted_tags(self.params)
        moment = int(self.clock())
        tags = {url: dict(known) for url, known in ledger.data.get("tags", {}).items()}
        work = []
        with self._remotes() as remotes:
            for one in wanted:
                if not remotes.has(one):
                    self._check_new(remotes, one, tags.get(one.url, {}).get(one.tag))
                    work.append(row_of(one, moment))
                tags.setdefault(one.url, {})[one.tag] = one.commit
        asked = [list(one) for one in wanted]
        names = [f"{one['url']} {one['tag']}" for one in work]
        changes = [("tags", dict.fromkeys(names), {name: one["commit"] for name, one in zip(names, work)})]
        result = _result(wanted)
        return GitPlan(asked, result, {"tags": tags}, changes, undo={"work": work}, work=work)

    def _check_new(self, remotes: Remotes, one: Wanted, before: str | None) -> None:
        """The tag never named another commit, and the remote has this one."""
        if before is not None and before != one.commit:
            raise taken(one, before, before)
        remotes.check(one)

    def stage(self, transaction: Transaction, plan: GitPlan) -> None:  # noqa: ARG002 -- see below
        """Nothing lies in the tree but its state; taking back is done before it is written down."""
        self.remotes.remove(plan.removed)

    def decide(self, transaction: Transaction) -> None:
        """From the first push on, whoever comes next finishes it; what can fail here fails before it."""
        rows = transaction.meta["work"] or []
        for row in rows:
            self.remotes.make_ready(row)
        if not transaction.meta.get("sending"):
            transaction.prepare({**transaction.meta, "sending": True}, _FOREVER)
        for row in rows:
            self.remotes.push(row)
        transaction.commit()

    def decide_once(self, transaction: Transaction) -> None:
        try:
            self.decide(transaction)
        except (DistrogateError, OSError):
            self._drop_once(transaction)
            raise

    def _drop_once(self, transaction: Transaction) -> None:
        """Nobody can ask for it later, so what was pushed is taken back now, or at the next run."""
        if transaction.committed:
            return
        if transaction.meta.get("sending"):
            self.remotes.remove(transaction.meta["work"] or ())
        transaction.discard()

    def recover(self, identifier: str) -> None:
        """Go on with pushes that were begun, unless this call decides about them."""
        super().recover(identifier)
        self.clean()  # what a killed git left may be broken
        waiting = self.log.reservation()
        if waiting is None or not waiting.meta.get("sending") or self.has_ended(waiting.identifier):
            return
        if waiting.identifier != identifier or self.params["state"] not in ("committed", "undone"):
            try:
                self._go_on(waiting)
            finally:
                self.clean()

    def _go_on(self, waiting: Transaction) -> None:
        try:
            self.decide(waiting)
        except DistrogateError as error:
            if waiting.identifier.startswith("."):
                self._drop_once(waiting)
                return
            raise DistrogateError(
                error.reason,
                f"The transaction {waiting.identifier} of {self.root} began to push its tags, and cannot go"
                f" on: {error.message}\nRepair that and commit it again, or undo it.",
                transaction=waiting.identifier,
            ) from error

    def take_back(self, waiting: Transaction, ledger: Ledger) -> None:
        """Half of the tags may be there; their names stay taken."""
        if not waiting.meta.get("sending"):
            return
        rows = waiting.meta["work"] or []
        self.remotes.remove(rows)
        tags = ledger.data.setdefault("tags", {})
        for row in rows:
            tags.setdefault(row["url"], {})[row["tag"]] = row["commit"]

    def plan_undo(self, ledger: Ledger, undo: Json) -> GitPlan:
        rows = undo["work"]
        names = [f"{row['url']} {row['tag']}" for row in rows]
        before = {name: row["commit"] for name, row in zip(names, rows)}
        changes = [("tags", before, dict.fromkeys(names))]
        return GitPlan(None, self.nothing(ledger), ledger.data, changes, removed=rows)

    def clean(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def nothing(self, ledger: Ledger) -> Json:  # noqa: ARG002 -- tags have no state but their own
        return _result([])


def _result(wanted: t.Sequence[Wanted]) -> Json:
    rows = [
        {
            "name": one.name,
            "digest": one.digest,
            "address": f"{one.url}#refs/tags/{one.tag}",
            "tag": one.tag,
            "commit": one.commit,
        }
        for one in wanted
    ]
    state = digest_json([[one.url, one.tag, one.commit] for one in wanted]) if wanted else None
    return {"published": rows, "previous": None, "state_digest": state}
