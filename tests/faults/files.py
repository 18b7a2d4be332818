# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""file_publish under attack: who resolves a channel finds one whole set, the old one or the new one."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import typing as t

from ansible_collections.distrogate.ci.tests.faults.kill import Subject
from ansible_collections.distrogate.ci.tests.faults.repositories import copy_tree

NAME = "image"
_RELEASE = {"transaction": "release"}
_AT_ONCE = {"keep": 0, "keep_seconds": 0}


@dataclasses.dataclass(frozen=True)
class _Operation:
    """From a saved tree to another set, with ``options``; ``before`` and ``after`` are what is seen."""

    saved: str
    before: str
    after: str
    options: dict[str, t.Any]
    asked: str = ""


_OPERATIONS = {
    "new": _Operation("nothing", "", "first", {"version": "1.0.0"}, "first"),
    "move": _Operation("whole", "second", "third", {"version": "3.0.0"}, "third"),
    "back": _Operation("whole", "second", "first", {}, "first"),
    "collect": _Operation("whole", "second", "third", _AT_ONCE, "third"),
    "repair": _Operation("damaged", "", "second", {}, "second"),
    "prepare": _Operation("whole", "second", "second", {"state": "prepared", **_RELEASE}, "third"),
    "commit": _Operation("prepared", "second", "third", {"state": "committed", **_RELEASE}),
    "undo": _Operation("released", "third", "second", {"state": "undone", **_RELEASE}),
    "forget": _Operation("prepared", "second", "second", {"state": "undone", **_RELEASE}),
}


class Files(Subject):
    """Three sets of two files; the channel ``latest`` points to one of them."""

    module = "file_publish"
    operations = tuple(_OPERATIONS)
    where = "files"

    def prepare(self) -> None:
        self.root = self.folder / self.where
        self.incoming = self.folder / "incoming"
        self.incoming.mkdir(exist_ok=True)
        self.sets = {name: self._make(name) for name in ("zeroth", "first", "second", "third")}
        self.options: dict[str, t.Any] = {}
        for name in ("zeroth", "first", "second"):  # nothing names the zeroth in the end
            self._publish(name, version="1.0.0" if name == "first" else None)
        self._save("whole")
        (self.root / NAME / "latest" / "second.raw").unlink()
        self._save("damaged")
        copy_tree(self.folder / "saved-whole", self.root)
        self._publish("third", **_RELEASE)
        self._save("released")
        copy_tree(self.folder / "saved-whole", self.root)
        self._publish("third", state="prepared", ttl=1 << 30, **_RELEASE)
        self._save("prepared")

    def _make(self, name: str) -> list[dict[str, t.Any]]:
        found = []
        for suffix in ("raw", "txt"):
            path = self.incoming / f"{name}.{suffix}"
            path.write_text(f"{name} {suffix}\n" * 300)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found.append({"name": path.name, "sha256": digest, "path": path.name})
        return found

    def _publish(self, name: str, **options: t.Any) -> None:
        self.options = {"artifacts": self.sets[name], **options}
        self.call()

    def _save(self, name: str) -> None:
        copy_tree(self.root, self.folder / f"saved-{name}")

    def reset(self, operation: str) -> None:
        it = _OPERATIONS[operation]
        self.before, self.after = ({one} - {""} for one in (it.before, it.after))
        self.options = {"artifacts": self.sets[it.asked] if it.asked else [], **it.options}
        copy_tree(self.folder / f"saved-{it.saved}", self.root)

    def arguments(self) -> dict[str, t.Any]:
        return {
            "root": str(self.root),
            "name": NAME,
            "incoming": str(self.incoming),
            "channel": "latest",
            "timeout": 20,
            **self.options,
        }

    def look(self) -> set[str]:
        """Resolve the channel once, and read what the set's own sums name; a damaged set is none."""
        base = self.root / NAME
        found = {name: self._read(base / name) for name in self._links()}
        if "latest.previous" in found:
            assert found["latest.previous"], "what was before is not whole"
        for name, seen in found.items():
            if name[0].isdigit():
                assert seen == {{"1.0.0": "first", "3.0.0": "third"}[name]}
        return found.get("latest", set())

    def _links(self) -> list[str]:
        base = self.root / NAME
        return [one for one in os.listdir(base) if (base / one).is_symlink()] if base.exists() else []

    def _read(self, link: pathlib.Path) -> set[str]:
        folder = link.parent / os.readlink(link)
        sums = (folder / "SHA256SUMS").read_bytes()
        assert hashlib.sha256(sums).hexdigest() == folder.name
        names = set()
        for line in sums.decode().splitlines():
            digest, name = line.split("  ")
            if not (folder / name).exists():
                assert self.options["artifacts"] == self.sets["second"], f"{name} is missing"
                return set()
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
            names.add(name.partition(".")[0])
        return names

    def client(self, seen: set[str], at_rest: bool) -> None:
        """Nothing but a file system is needed to read it."""

    def at_rest(self) -> None:
        """Nothing is left over, and what nothing names is gone when it may be."""
        base = self.root / NAME
        private = sorted(os.listdir(base / ".distrogate"))
        assert private == ["lock", "state.json", "touched", "transactions"], private
        waiting = os.listdir(base / ".distrogate/transactions")
        assert waiting == (["release"] if self.options.get("state") == "prepared" else []), waiting
        if self.options.get("keep") == 0:
            names = {path.name for path in base.rglob("*.raw")}
            assert names == {"first.raw", "second.raw", "third.raw"}, names
        if self.options.get("state") != "prepared":
            used = {os.readlink(base / name) for name in self._links()}
            assert used <= set(os.listdir(base))
