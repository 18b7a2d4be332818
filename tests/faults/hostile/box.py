# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A repository in a box: what is written outside it, or by an input that is refused, is seen."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import stat
import subprocess
import typing as t

_HASHED = 8 << 20  # bytes; of larger files size, time and inode must do
_VOLATILE = ("repository/.distrogate/lock",)
Listing = dict[str, tuple[t.Any, ...]]


def _fingerprint(path: str) -> tuple[t.Any, ...]:
    info = os.lstat(path)
    what: t.Any = ""
    if stat.S_ISLNK(info.st_mode):
        what = os.readlink(path)
    elif stat.S_ISREG(info.st_mode) and info.st_size <= _HASHED:
        with open(path, "rb") as stream:
            what = hashlib.sha256(stream.read()).hexdigest()
    elif stat.S_ISREG(info.st_mode):
        what = (info.st_mtime_ns, info.st_ino)
    return (oct(info.st_mode), info.st_uid, info.st_size if stat.S_ISREG(info.st_mode) else 0, what)


def listing(folder: pathlib.Path) -> Listing:
    """Every name under a folder with its kind, mode, owner and contents."""
    found: Listing = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(top, name)
            found[os.path.relpath(path, folder)] = _fingerprint(path)
    return found


class Box:
    """``incoming`` has the input, ``outside`` is where paths try to go, ``tmp`` must be empty again."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder / "box"
        self.saved = folder / "saved"
        self.root = self.folder / "repository"
        self.incoming = self.folder / "incoming"
        self.tmp = self.folder / "tmp"
        for path in (self.incoming, self.tmp, self.folder / "outside", self.folder / "usr/share"):
            path.mkdir(parents=True)
        for path in (self.folder / "outside/canary", self.folder / "canary", folder / "canary"):
            path.write_text("sings")

    def save(self) -> None:
        """Keep the repository as it is, for ``restore``."""
        subprocess.run(["cp", "-a", str(self.root), str(self.saved)], check=True)

    def restore(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.saved), str(self.root)], check=True)

    def clean(self) -> None:
        """Make ``incoming`` anew."""
        shutil.rmtree(self.incoming)
        self.incoming.mkdir()

    def listing(self) -> Listing:
        found = listing(self.folder)
        for name in _VOLATILE:
            found.pop(name, None)
        found["/tmp/dg-pwned"] = (os.path.lexists("/tmp/dg-pwned"),)
        found["around"] = tuple(sorted(os.listdir(self.folder.parent)))
        return found


def differences(before: Listing, after: Listing, published: bool) -> list[str]:
    """What changed that must not: anything outside the repository, and in it if nothing was published."""
    changed = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    inside = ("repository", "repository/")
    problems = [name for name in changed if not (published and name.startswith(inside))]
    pool = ("repository/pool/", "repository/packages/")
    # A package that was there stays as it is, whatever comes.
    return problems + [name for name in changed if name in before and name.startswith(pool)]
