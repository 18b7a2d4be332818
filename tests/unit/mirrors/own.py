# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small repository of ours, published through real transactions, and a source that looks at it."""

from __future__ import annotations

import hashlib
import os
import pathlib

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import Touched, TouchLog
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._blobs import Blobs
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._lists import Lists
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshots import Snapshot, Snapshots
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._source import Seen, Source

INDEX = "dists/stable/main/binary-amd64"


class Own:
    """An apt repository; ``moment`` is the time of its index files, in whole seconds as publishers set it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.moment = 1_700_000_000
        (root / ".distrogate").mkdir(parents=True)
        (root / ".distrogate" / "lock").touch()

    def stage(self, text: str, *pool: str) -> Transaction:
        """What a publisher stages for one state."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        transaction = Transactions(str(self.root)).begin()
        for name in pool:
            place = transaction.place(f"pool/{name}", hashlib.sha256(name.encode()).hexdigest())
            pathlib.Path(place).write_text(name)
        transaction.put(f"{INDEX}/by-hash/SHA256/{digest}", text.encode(), moment=self.moment, sha256=digest)
        transaction.put(f"{INDEX}/Packages", text.encode(), moment=self.moment)
        release = self.release(text)
        transaction.put("dists/stable/Release", release, moment=self.moment)
        transaction.put("dists/stable/InRelease", release, switch=True, moment=self.moment)
        transaction.put(".distrogate/state.json", text.encode())
        transaction.tell({"packages": {"scope": "stable", "added": list(pool), "removed": []}})
        return transaction

    def release(self, text: str) -> bytes:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return f"SHA256:\n {digest} {len(text)} main/binary-amd64/Packages\n".encode()

    def publish(self, text: str, *pool: str) -> None:
        self.stage(text, *pool).commit()

    def drop(self, *names: str) -> None:
        transaction = Transactions(str(self.root)).begin()
        for name in names:
            transaction.drop(name)
        transaction.put(".distrogate/state.json", b"{}")
        transaction.commit()

    def log(self) -> pathlib.Path:
        return self.root / ".distrogate" / "touched" / "log"


def snapshots_of(path: pathlib.Path, name: str = "public") -> Snapshots:
    folder = path / ".distrogate" / "mirrors" / name / "snapshots"
    return Snapshots(str(folder), Lists(str(path / ".distrogate" / "lists")))


def source_of(path: pathlib.Path, name: str = "public", timeout: float = 5) -> Source:
    """A new object each time, as each run has."""
    blobs = Blobs(str(path / ".distrogate" / "mirrors" / name / "blobs"))
    return Source(str(path), snapshots_of(path, name), blobs, timeout)


def listed(path: pathlib.Path, snapshot: Snapshot) -> dict[bytes, str]:
    """The digests that a snapshot names."""
    return {name: entry.sha256 for name, entry in snapshots_of(path).entries(snapshot)}


def there(path: pathlib.Path) -> dict[bytes, str]:
    """The digests of all public files, the naive way."""
    found = {}
    top = os.fsencode(path)
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name != b".distrogate"]
        for name in names:
            with open(os.path.join(folder, name), "rb") as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
            found[os.path.relpath(os.path.join(folder, name), top)] = digest
    return found


def every_file(path: pathlib.Path) -> dict[str, tuple[int, int, int]]:
    """All there is below a folder, private files too."""
    found = {}
    for folder, folders, names in os.walk(path):
        for name in [*folders, *names]:
            status = os.lstat(os.path.join(folder, name))
            found[os.path.join(folder, name)] = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return found


def look(root: pathlib.Path, seen: Seen | None = None, **options: bool) -> Seen:
    """What the next run sees."""
    return source_of(root).observe(seen.snapshot if seen else None, **options)


def reason(root: pathlib.Path, seen: Seen | None = None, **options: bool) -> str:
    """Why the next run fails."""
    with pytest.raises(DistrogateError) as caught:
        look(root, seen, **options)
    return caught.value.reason


def touch(root: pathlib.Path, *paths: bytes) -> None:
    """Log paths of which nothing is known."""
    TouchLog(str(root)).append([Touched(path) for path in paths])
