# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody put links, pipes, devices, folders and nonsense onto a mirror, where our files belong.

The next run puts it right or says which mirror is wrong; it writes and deletes
nothing through a link. Without the thing all is well again.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import stat
import typing as t

from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY
from ansible_collections.distrogate.ci.tests.faults.mirrors_hostile import Hostile
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, Outcome
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import publish, publish_rpm

_SUITE = "apt/dists/stable"
# What is planted where a file of the source is, and where a folder of it is.
_FILES = ("top", "dir/file", "dir/old", f"{_SUITE}/InRelease", f"{_SUITE}/main/binary-amd64/Packages")
_FOLDERS = (
    "dir",
    "dir/sub",
    "apt",
    "apt/pool",
    _SUITE,
    f"{_SUITE}/main/binary-amd64/by-hash",
    "rpm/repodata",
)
_OURS = (
    ".distrogate",
    ".distrogate/mirror.json",
    ".distrogate/lists",
    ".distrogate/claims",
    ".distrogate-staging",
    "dir/.distrogate-staging",
    f"{_SUITE}/.distrogate-staging",
    f"{_SUITE}/.distrogate-staging/InRelease",
)
_DEEP = "deep:" in (REPOSITORY / "plugins/modules/mirror_sync.py").read_text()
_LARGE = 64 << 20
_NONSENSE = b'{"name": "../../x", "parts": [[[[', b"\0" * 100, b"[]", b"null", b"{}", b"\xff" * 1000


class Planted(Hostile):
    """Each thing is planted on both mirrors."""

    number = planted = 0
    refusals: list[str]

    def __enter__(self) -> Planted:
        super().__enter__()
        self.refusals = []
        self.change()
        self.same("at first")
        return self

    def change(self) -> None:
        """Every file gets other contents; ``dir/old`` comes and goes, so that it is deleted on mirrors."""
        self.number += 1
        publish(self.source / "apt", f"state {self.number:06}", pool=f"p_{self.number:06}.deb")
        publish_rpm(self.source / "rpm", f"state {self.number:06}")
        (self.source / "dir" / "sub").mkdir(parents=True, exist_ok=True)
        for name in ("top", "dir/file", "dir/sub/file"):
            (self.source / name).write_text(f"{name} {self.number:06}")
        old = self.source / "dir" / "old"
        if old.exists():
            old.unlink()
        else:
            old.write_text("goes")

    def cases(self) -> list[tuple[str, str]]:
        """Every place with everything that may be there."""
        found = [(name, what) for name in _FILES for what in COMMON if what != "a file"]
        found += [(name, what) for name in _FOLDERS for what in COMMON if what != "a folder"]
        found += [(name, what) for name in _OURS for what in COMMON]
        found += [(".distrogate/mirror.json", what) for what in ("a large file", "nonsense")]
        found += [(".distrogate/claims/x.json", what) for what in ("a large file", "nonsense")]
        return self.chance.sample(found, len(found))

    def attempt(self, name: str, what: str) -> None:
        """Plant it, change the source, run twice; take it away, run again."""
        label = f"{what} as {name}"
        if not all(self._plant(mirror, name, what) for mirror in self.mirrors):
            return
        self.planted += 1
        self.change()
        done = self._told(label)
        if done.status == 0:
            self._switched(label)
        else:
            self.refusals.append(label)
        self.change()  # what is deleted goes through the link, if anything does
        self._told(label)
        for mirror in self.mirrors:
            self._take_away(mirror / name)
        self.change()
        self.deep(f"{label}, taken away")

    def _told(self, label: str) -> Outcome:
        done = self.sync(label)
        if done.status:
            said = str(done.result.get("msg")) + str(done.result.get("mirrors"))
            named = any(f"{mirror.parent.name}/mirror" in said for mirror in self.mirrors)
            if not named:
                raise BrokenPromiseError(f"{label}: refused, and no mirror is named: {done}")
        return done

    def _switched(self, label: str) -> None:
        """Success means that what changed is there, as files of the mirror itself.

        What it had before and somebody took away is not looked for: that is what a deep run is for.
        """
        index = f"{_SUITE}/main/binary-amd64/Packages"
        for mirror in self.mirrors:
            for name in (f"{_SUITE}/InRelease", index, "rpm/repodata/repomd.xml", "top", "dir/file"):
                path = mirror / name
                right = not _through_link(mirror, path) and path.is_file()
                if not right or path.read_bytes() != (self.source / name).read_bytes():
                    raise BrokenPromiseError(f"{label}: success, and {path} is not the source's file")

    def deep(self, label: str) -> None:
        """A run that looks at everything makes mirrors right, whatever was done to them."""
        if _DEEP:
            self.same(label, deep=True)
        else:
            # The first version looks at everything where it knows nothing.
            shutil.rmtree(self.source / ".distrogate")
            self.same(label)

    def _plant(self, mirror: pathlib.Path, name: str, what: str) -> bool:
        path = mirror / name
        if _through_link(mirror, path.parent) or (path.parent.exists() and not path.parent.is_dir()):
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._take_away(path)
        with contextlib.suppress(PermissionError):  # only root makes devices
            PLANTS[what](path, mirror.parent / "canary")
            return True
        return False

    def _take_away(self, path: pathlib.Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _through_link(mirror: pathlib.Path, path: pathlib.Path) -> bool:
    """Whether a link is on the way from the mirror to ``path``, or at its end."""
    parts = path.relative_to(mirror).parts
    return any(os.path.islink(mirror.joinpath(*parts[: count + 1])) for count in range(len(parts)))


def _folder(path: pathlib.Path, _canary: pathlib.Path) -> None:
    path.mkdir()
    (path / "somebody's").write_text("file")


def _nonsense(path: pathlib.Path, _canary: pathlib.Path) -> None:
    path.write_bytes(_NONSENSE[path.stat().st_ino % len(_NONSENSE)] if path.exists() else _NONSENSE[0])


def _large(path: pathlib.Path, _canary: pathlib.Path) -> None:
    with open(path, "wb") as stream:
        stream.truncate(_LARGE)


PLANTS: dict[str, t.Callable[[pathlib.Path, pathlib.Path], object]] = {
    "a link to a folder outside": lambda path, canary: path.symlink_to(canary),
    "a relative link outside": lambda path, canary: path.symlink_to(os.path.relpath(canary, path.parent)),
    "a link to a file outside": lambda path, canary: path.symlink_to(canary / "file"),
    "a link to nothing outside": lambda path, canary: path.symlink_to(canary / "new"),
    "a link to itself": lambda path, canary: path.symlink_to(path.name),
    "a pipe": lambda path, canary: os.mkfifo(path),
    "a device": lambda path, canary: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7)),
    "a folder": _folder,
    "a file": lambda path, canary: path.write_text("somebody's"),
    "nonsense": _nonsense,
    "a large file": _large,
}
COMMON = [what for what in PLANTS if what not in ("nonsense", "a large file")]
