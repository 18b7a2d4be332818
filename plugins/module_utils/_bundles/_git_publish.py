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
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_remote import (
    PROTOCOLS,
    Access,
    Scratch,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_tags import (
    Wanted,
    taken,
    wanted_tags,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._ledger import Ledger
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE, Transaction

Json = dict[str, t.Any]
GIT_SPEC: dict[str, t.Any] = {
    **SPEC,
    "tag": {"type": "str", "default": "{version}"},
    "message": {"type": "str", "default": "{name} {version}"},
    "tagger_name": {"type": "str", "default": "distrogate.ci"},
    "tagger_email": {"type": "str", "default": "distrogate.ci@localhost"},
    "push_urls": {"type": "dict", "default": {}},
    "protocols": {"type": "list", "elements": "str", "choices": list(PROTOCOLS), "default": ["https", "ssh"]},
    "ssh_key": {"type": "path", "no_log": False},
    "known_hosts": {"type": "path"},
    "ssh_options": {"type": "list", "elements": "str", "default": []},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
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
            **{name: params[name] for name in ("ssh_key", "known_hosts", "username", "password", "ca_file")},
        )
        self.access.ssh()  # a bad option is an error before anything is done
        self._scratch = os.path.join(self.root, PRIVATE, "scratch")

    @contextlib.contextmanager
    def _folder(self) -> t.Iterator[str]:
        """Where git works: in check mode nothing of the root is touched."""
        if not self.check_mode:
            yield self._scratch
            return
        with tempfile.TemporaryDirectory(prefix="dg-") as folder:
            yield folder

    def plan(self, ledger: Ledger) -> GitPlan:
        """Look at every remote, and check each commit that is not tagged yet."""
        wanted = wanted_tags(self.params)
        moment = int(self.clock())
        tags = {url: dict(known) for url, known in ledger.data.get("tags", {}).items()}
        work = []
        with self._folder() as folder:
            for one in wanted:
                scratch = Scratch(self._place(folder, one.url), self.access)
                if not self._is_there(scratch, one):
                    self._check_new(scratch, one, tags.get(one.url, {}).get(one.tag))
                    work.append(_row(one, moment))
                tags.setdefault(one.url, {})[one.tag] = one.commit
        asked = [list(one) for one in wanted]
        names = [f"{one['url']} {one['tag']}" for one in work]
        changes = [("tags", dict.fromkeys(names), {name: one["commit"] for name, one in zip(names, work)})]
        result = _result(wanted)
        return GitPlan(asked, result, {"tags": tags}, changes, undo={"work": work}, work=work)

    def _place(self, folder: str, url: str) -> str:
        return os.path.join(folder, digest_json(url).rpartition(":")[2])

    def _is_there(self, scratch: Scratch, one: Wanted) -> bool:
        there, commit = scratch.remote_tag(one.url, one.tag)
        if there and commit != one.commit:
            raise taken(one, there, commit)
        return bool(there)

    def _check_new(self, scratch: Scratch, one: Wanted, before: str | None) -> None:
        """The tag never named another commit, and the remote has this one with this tree."""
        if before is not None and before != one.commit:
            raise taken(one, before, before)
        scratch.fetch(one.url, one.commit)
        tree = scratch.tree(one.url, one.commit)
        if tree != one.tree:
            said = f"the tree {tree}" if tree else "no such commit"
            raise DistrogateError(
                "digest_mismatch" if tree else "bad_commit",
                f"{one.url} has {said} for the commit {one.commit} of {one.name}; the bundle says {one.tree}."
                " Nothing was tagged. Push that commit, or seal what is there.",
                url=one.url,
                commit=one.commit,
            )

    def stage(self, transaction: Transaction, plan: GitPlan) -> None:
        """Nothing lies in the tree but its state; taking back is done before it is written down."""
        self._remove(plan.removed)

    def decide(self, transaction: Transaction) -> None:
        """From the first push on, whoever comes next finishes it."""
        if not transaction.meta.get("sending"):
            transaction.prepare({**transaction.meta, "sending": True}, _FOREVER)
        for row in transaction.meta["work"] or ():
            self._push(row)
        transaction.commit()

    def decide_once(self, transaction: Transaction) -> None:
        try:
            self.decide(transaction)
        except DistrogateError:
            self._drop_once(transaction)
            raise
        except OSError:
            if not transaction.committed and not transaction.meta.get("sending"):
                transaction.discard()
            raise

    def _drop_once(self, transaction: Transaction) -> None:
        """Nobody can ask for it later, so what was pushed is taken back now, or at the next run."""
        if not transaction.committed:
            self._remove(transaction.meta["work"] or ())
            transaction.discard()

    def recover(self, identifier: str) -> None:
        """Go on with pushes that were begun, unless this call decides about them."""
        super().recover(identifier)
        self.tidy()  # what a killed git left may be broken
        waiting = self.log.reservation()
        if waiting is None or not waiting.meta.get("sending") or self.has_ended(waiting.identifier):
            return
        if waiting.identifier == identifier and self.params["state"] in ("committed", "undone"):
            return
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

    def _push(self, row: Json) -> None:
        """Push one tag, if it is not there."""
        scratch = Scratch(self._place(self._scratch, row["url"]), self.access)
        one = _wanted(row)
        if self._is_there(scratch, one):
            return
        scratch.fetch(one.url, one.commit)
        if scratch.write_tag(one.url, row["text"]) != row["object"]:
            raise DistrogateError("git_failed", f"git gave the tag {one.tag} another name than expected.")
        done = scratch.push(one.url, one.tag, row["object"], "")
        if not self._is_there(scratch, one):  # whatever git said: another may have pushed the same
            raise scratch.failed(one.url, f"push the tag {one.tag}", done)

    def _remove(self, rows: t.Iterable[Json]) -> None:
        """Remove tags, but none that is not the very object of ours."""
        for row in rows:
            scratch = Scratch(self._place(self._scratch, row["url"]), self.access)
            if scratch.remote_tag(row["url"], row["tag"])[0] != row["object"]:
                continue
            scratch.make(row["url"], row["commit"])
            done = scratch.push(row["url"], row["tag"], "", row["object"])
            if scratch.remote_tag(row["url"], row["tag"])[0] == row["object"]:
                raise scratch.failed(row["url"], f"remove the tag {row['tag']}", done)

    def take_back(self, waiting: Transaction, ledger: Ledger) -> None:
        """Half of the tags may be there; their names stay taken."""
        if not waiting.meta.get("sending"):
            return
        rows = waiting.meta["work"] or []
        self._remove(rows)
        tags = ledger.data.setdefault("tags", {})
        for row in rows:
            tags.setdefault(row["url"], {})[row["tag"]] = row["commit"]

    def plan_undo(self, ledger: Ledger, undo: Json) -> GitPlan:
        rows = undo["work"]
        names = [f"{row['url']} {row['tag']}" for row in rows]
        before = {name: row["commit"] for name, row in zip(names, rows)}
        changes = [("tags", before, dict.fromkeys(names))]
        return GitPlan(None, self.nothing(ledger), ledger.data, changes, removed=rows)

    def tidy(self) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)

    def nothing(self, ledger: Ledger) -> Json:
        return _result([])


def _row(one: Wanted, moment: int) -> Json:
    return {**one._asdict(), "text": one.object_text(moment), "object": one.object_name(moment)}


def _wanted(row: Json) -> Wanted:
    return Wanted(*(row[name] for name in Wanted._fields))


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
