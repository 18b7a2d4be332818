# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a run made everything durable before the name that makes it visible.

A model of what is certain to be there after a power failure, as POSIX promises
it: a file's contents after fsync(2) of the file, a name after fsync(2) of its
folder, all of both after syncfs(2). It is fed with the log of a run.
"""

from __future__ import annotations

import os
import re

from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE
from ansible_collections.distrogate.ci.tests.faults.calls import Call, successful

CALLS = (
    "open,openat,creat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,"
    "mkdirat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,fallocate,copy_file_range,sendfile,ioctl,"
    "fsync,fdatasync,syncfs,sync"
)
_WRITES = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "ftruncate", "fallocate", "sendfile")


class Contents:
    """The contents of one file, under however many names."""

    def __init__(self, durable: bool) -> None:
        self.durable = durable


class Disk:
    """What is durable below ``root``; what was there before the run is."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.files: dict[str, Contents] = {}
        self.unsure: set[str] = set()  # names that were made or removed, and may not be after a power failure

    def inside(self, path: str, folder: str = "") -> bool:
        return path.startswith((folder or self.root) + "/")

    def contents(self, path: str) -> Contents:
        return self.files.setdefault(path, Contents(durable=self.inside(path)))

    def write(self, path: str) -> None:
        self.contents(path).durable = False

    def sync(self, path: str) -> None:
        """fsync(2) of a file or of a folder."""
        self.contents(path).durable = True
        self.unsure = {name for name in self.unsure if os.path.dirname(name) != path}

    def sync_all(self) -> None:
        for contents in self.files.values():
            contents.durable = True
        self.unsure.clear()

    def make(self, path: str, contents: Contents | None = None) -> None:
        self.files[path] = contents or Contents(durable=True)
        self.unsure.add(path)

    def remove(self, path: str) -> None:
        self.files.pop(path, None)
        self.unsure.add(path)

    def rename(self, old: str, new: str) -> None:
        """A file, or a folder with all that is below it."""
        self.make(new, self.contents(old))
        self.remove(old)
        for path in [path for path in self.files if self.inside(path, old)]:
            self.files[new + path[len(old) :]] = self.files.pop(path)
        for path in [path for path in self.unsure if self.inside(path, old)]:
            self.unsure.remove(path)
            self.unsure.add(new + path[len(old) :])

    def unsafe(self, folder: str) -> list[str]:
        """The paths at and below ``folder`` whose contents or names are not durable."""
        unwritten = {path for path, contents in self.files.items() if not contents.durable}
        return sorted(path for path in unwritten | self.unsure if path == folder or self.inside(path, folder))

    def lost(self, path: str) -> bool:
        """Whether a file may not be there, or not be whole, after a power failure."""
        chain = [path]
        while self.inside(chain[-1]):
            chain.append(os.path.dirname(chain[-1]))
        return not self.contents(path).durable or bool(self.unsure & set(chain[:-1]))


class Order:
    """Follows one run; ``complaints`` says what was out of order, by line of the log."""

    def __init__(self, root: str, switch: str) -> None:
        self.disk = Disk(os.path.normpath(root))
        self.switch = f"{self.disk.root}/{switch}"
        self.complaints: list[str] = []
        self.switched = self.changed = False
        self._private = f"{self.disk.root}/{PRIVATE}"
        self._passing = (f"{self._private}/transactions", f"{self._private}/lock")
        self._record_name = re.compile(re.escape(self._private) + "/transactions/[^/]+/record.json")
        self._record = ""
        self._removed: list[str] = []

    def _complain(self, call: Call, text: str) -> None:
        self.complaints.append(f"line {call.line}, {call.name}: {text}")

    def _public(self, path: str) -> bool:
        return self.disk.inside(path) and not self.disk.inside(path, self._private)

    def _unsafe_public(self) -> list[str]:
        return [path for path in self.disk.unsafe(self.disk.root) if self._public(path)]

    def follow(self, call: Call) -> None:
        """Judge a call by what is durable before it, then do it."""
        files, names, disk = call.files, call.names, self.disk
        if call.name in ("syncfs", "sync"):
            disk.sync_all()
        elif call.name in ("fsync", "fdatasync") and files:
            disk.sync(files[0])
        elif (call.name in _WRITES or (call.name == "ioctl" and "FICLONE" in call.rest)) and files:
            disk.write(files[0])
        elif call.name == "copy_file_range":
            disk.write(files[1])
        elif call.name in ("open", "openat", "creat"):
            if "O_CREAT" in call.rest and names[0] not in disk.files:
                disk.make(names[0], Contents(durable=False))
        elif call.name.startswith("rename"):
            self._before_put(call, names[-1], names[0])
            disk.rename(names[0], names[-1])
        elif call.name.startswith("link"):
            self._before_put(call, names[-1], names[0])
            disk.make(names[-1], disk.contents(names[0]))
        elif call.name.startswith("symlink"):
            self._before_put(call, names[-1], names[-1])
            disk.make(names[-1])
        elif call.name.startswith("mkdir"):
            disk.make(names[0])
        elif call.name.startswith(("unlink", "rmdir")):
            self._before_removal(call, names[0])
            disk.remove(names[0])

    def _before_put(self, call: Call, new: str, old: str) -> None:
        if self._record_name.fullmatch(new):
            self._before_record(call, new, old)
        elif self._public(new):
            self._before_change(call)
            if not self.disk.contents(old).durable:
                self._complain(call, f"the contents of {new} are not durable")
        if new == self.switch:
            for path in self._unsafe_public():
                self._complain(call, f"{path} is not durable when the switch makes it visible")
            for path in self._removed:
                self._complain(call, f"{path} was removed before the switch")
            self.switched = True

    def _before_record(self, call: Call, new: str, old: str) -> None:
        """The record says that everything is there: so it must be."""
        self._record = new
        allowed = (old, f"{self._private}/lock")
        unwritten = [path for path, contents in self.disk.files.items() if not contents.durable]
        staged = self.disk.unsafe(os.path.dirname(new))
        for path in sorted({*unwritten, *staged} - {os.path.dirname(new)}):
            if self.disk.inside(path) and (path not in allowed or path in unwritten) and path != allowed[1]:
                self._complain(call, f"{path} is not durable when the record is written")

    def _before_change(self, call: Call) -> None:
        """A change that readers see needs a decision that no power failure takes back."""
        if not self._record or self.disk.lost(self._record):
            self._complain(call, f"readers see a change, and the record {self._record} is not durable")
        self.changed = True

    def _before_removal(self, call: Call, path: str) -> None:
        if self._public(path) and call.name != "rmdir":
            self._before_change(call)
            self._removed.append(path)
            if self.switch in self.disk.unsure:
                self._complain(call, f"{path} is removed, and the switch is not durable")
        if path == self._record and self.changed:
            for unsafe in self.disk.unsafe(self.disk.root):
                if self.disk.inside(unsafe) and not unsafe.startswith(self._passing):
                    self._complain(call, f"the record is removed, and {unsafe} is not durable")
            self._record = ""

    def end(self) -> None:
        """After the last call."""
        self.complaints += [f"at the end {path} is not durable" for path in self._unsafe_public()]
        if not self.switched:
            self.complaints.append(f"{self.switch} was never put in place")


def complaints(log: str, root: str, switch: str) -> list[str]:
    """What is out of order in a log of what publishes to ``root``; nothing when all is well.

    The logs of several runs, one after the other, are one log: what a killed
    one left undone is the next one's to finish.
    """
    order = Order(root, switch)
    for call in successful(log):
        order.follow(call)
    order.end()
    return order.complaints
