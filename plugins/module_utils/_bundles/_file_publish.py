# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What file_publish does: sets of files that never change, and links that name them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _file_incoming
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._adapter import SPEC, Adapter, Plan
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_set import (
    SIGNATURE,
    SUMS,
    FileSet,
    file_set,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_shape import (
    address_of,
    check_back,
    check_known,
    last_of_all,
    listed,
    pairs,
    with_sizes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_signature import (
    Signature,
    signer_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_state import (
    Retention,
    fresh,
    links,
    point,
    restore,
    undo_record,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_tree import (
    FileTree,
    checked_link,
    checked_name,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._ledger import Ledger
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transaction

Json = dict[str, t.Any]
FILE_SPEC: dict[str, t.Any] = {
    **SPEC,
    "name": {"type": "str", "required": True},
    "incoming": {"type": "path"},
    "url": {"type": "str"},
    "key": {"type": "str", "no_log": False},
    "signing_key": {"type": "str", "no_log": False},
    "gnupg_home": {"type": "path"},
    "keep": {"type": "int", "default": 5},
    "keep_seconds": {"type": "int", "default": 900},
    "keep_versions": {"type": "int", "default": 0},
    "pinned": {"type": "list", "elements": "str", "default": []},
}


@dataclasses.dataclass
class FilePlan(Plan):
    """``missing`` files of the set are brought; ``moves`` are links and where they will point."""

    files: FileSet = dataclasses.field(default_factory=lambda: FileSet({}))
    signature: Signature | None = None
    missing: list[str] = dataclasses.field(default_factory=list)
    moves: dict[str, str | None] = dataclasses.field(default_factory=dict)


class FilePublisher(Adapter[FilePlan]):
    """One call of file_publish."""

    kind = "files"

    def __init__(self, call: Call) -> None:
        above = os.path.abspath(call.params["root"])
        super().__init__(call, inside(above, checked_name(call.params["name"])))
        self.tree = FileTree(self.root)
        self.tree.check_root(above)
        self.channel: str | None = call.params["channel"] or None
        self.version: str | None = call.params["version"] or None
        for kind, name in (("channel", self.channel), ("version", self.version)):
            if name is not None:
                checked_link(kind, name)
        self._url = address_of(call.params["url"], above)

    def plan(self, ledger: Ledger) -> FilePlan:
        if not self.channel and not self.version:
            raise DistrogateError("bad_name", "Say by which channel or version the files are to be found.")
        files = file_set(self.params["artifacts"], self.params["key"])
        before, after = fresh(ledger.data), fresh(ledger.data)
        there = before["sets"].get(files.identity, {"files": {}})
        known = there["files"]
        files = with_sizes(files, known)
        check_known(self.root, files, known)
        point(after, self.channel, self.version, files.identity)
        deep = links(before) != links(after) or files.identity not in before["sets"]
        missing = self.tree.wrong(files.identity, files, deep)
        if files.identity in before["gone"]:  # a killed writer has decided that it goes
            missing = sorted([*files.files, SUMS])
        if self.check_mode:
            for name in missing:
                if name != SUMS:
                    _file_incoming.check(self._incoming(), files.files[name])
        plan = FilePlan([self.root, self.channel, self.version, files.identity], {}, after, files=files)
        plan.signature = Signature(
            inside(self.root, files.identity), there.get("signed"), signer_of(self.params)
        )
        plan.missing = [*missing, *([SIGNATURE] if plan.signature.wanted else [])]
        after["sets"][files.identity] = {**there, "files": {**listed(files), **known}, "unused": None}
        return self._planned(ledger, before, after, plan)

    def plan_undo(self, ledger: Ledger, undo: Json) -> FilePlan:
        before, after = fresh(ledger.data), fresh(ledger.data)
        restore(after, undo)
        for channel in undo["channels"]:
            check_back(self.tree, channel, after)
        return self._planned(ledger, before, after, FilePlan(None, {}, after), undoing=True)

    def _planned(
        self, ledger: Ledger, before: Json, after: Json, plan: FilePlan, undoing: bool = False
    ) -> FilePlan:
        """Add which links move, what is removed, and what is returned."""
        plan.undo = {} if undoing else undo_record(before, after)
        if plan.missing or self._moves(before, after) or links(before) != links(after):
            rule = Retention(*(self.params[name] for name in Retention._fields))
            can_undo = plan.undo if self.identifier else {}
            rule.apply(after, can_undo, ledger.serial + 1, int(self.clock()))
            plan.changes = [("sets", sorted(before["sets"]), sorted(after["sets"]))]
        moves = self._moves(before, after)
        plan.moves = {name: target for name, (_there, target) in moves.items()}
        told = {**links(before), **{name: there for name, (there, _target) in moves.items()}}
        plan.changes.append(("missing_files", plan.missing, []))
        plan.changes.append(("links", *pairs(told, links(after))))
        plan.result = self._result(plan.files, before, after)
        return plan

    def _moves(self, before: Json, after: Json) -> dict[str, tuple[str | None, str | None]]:
        """Links that are to change, and those of this call that are not as they were left."""
        old, new = links(before), links(after)
        changed = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        mine = {name for name in (self.channel, self.version) if name} & {*new}
        pairs = {name: (self.tree.link(name), new.get(name)) for name in sorted(changed | mine)}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def stage(self, transaction: Transaction, plan: FilePlan) -> None:
        """The set first; then the version, ``previous``, and last the name that readers resolve."""
        identity = plan.files.identity
        whole = not os.path.lexists(inside(self.root, identity))
        for name in plan.missing:
            self._stage_file(transaction, plan, f"{identity}/{name}", whole)
        for name in sorted(plan.moves, key=last_of_all):
            target = plan.moves[name]
            if target is None:
                transaction.drop(name)
            else:
                transaction.put_link(name, target, switch=name == self.channel)

    def _stage_file(self, transaction: Transaction, plan: FilePlan, path: str, whole: bool) -> None:
        name = path.partition("/")[2]
        own = self._own_file(plan, name)
        sha256 = plan.files.files[name].sha256 if own is None else hashlib.sha256(own).hexdigest()
        staged = transaction.place(path, sha256) if whole else transaction.stage()
        if own is not None:
            with open(staged, "wb") as stream:
                stream.write(own)
            os.chmod(staged, 0o444)
        else:
            size = _file_incoming.bring(self._incoming(), plan.files.files[name], staged)
            plan.data["sets"][plan.files.identity]["files"][name] = [sha256, size]
        if not whole:
            transaction.put_staged(path, staged, sha256=sha256)

    def _own_file(self, plan: FilePlan, name: str) -> bytes | None:
        """What is not brought, but made here; None for what is brought."""
        if name == SUMS:
            return plan.files.sums
        if name != SIGNATURE or plan.signature is None:
            return None
        data, signed = plan.signature.make(plan.files.sums)
        plan.data["sets"][plan.files.identity]["signed"] = signed
        return data

    def _incoming(self) -> str:
        if not self.params["incoming"]:
            raise DistrogateError(
                "artifact_missing", "Files have to be brought, but incoming does not say from where."
            )
        return str(os.path.abspath(self.params["incoming"]))

    def tidy(self) -> None:
        self.tree.sweep(self.ledger().data.get("gone", {}))

    def nothing(self, ledger: Ledger) -> Json:
        data = fresh(ledger.data)
        return self._result(FileSet({}), data, data)

    def _result(self, files: FileSet, before: Json, after: Json) -> Json:
        channel = after["channels"].get(self.channel or "", {})
        identity = files.identity if files.files else channel.get("set")
        folder = self.version if self.version and files.files else identity
        had = before["channels"].get(self.channel or "", {})
        moved = before["channels"].get(self.channel or "") != after["channels"].get(self.channel or "")
        previous = had.get("set") if moved else channel.get("previous")
        return {
            "published": [
                {"name": name, "digest": f"sha256:{one.sha256}", "address": self._address(f"{folder}/{name}")}
                for name, one in sorted(files.files.items())
            ],
            "previous": f"sha256:{previous}" if previous else None,
            "state_digest": f"sha256:{identity}" if identity else None,
            "links": {name: self._address(name) for name in sorted(links(after))},
            "removed": [f"sha256:{one}" for one in sorted(after["gone"])] if before is not after else [],
        }

    def _address(self, name: str) -> str:
        return f"{self._url}/{urllib.parse.quote(os.path.basename(self.root))}/{urllib.parse.quote(name)}"
