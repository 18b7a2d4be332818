# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Strange names and trees, as sources and as what lies on a mirror; a canary tree around each mirror."""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import stat
import typing as t

from ansible_collections.distrogate.ci.tests.faults.mirrors_sources import Options, tree
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, Outcome, run
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon

NAMES = (
    b"a b", b" leading", b"trailing ", b"new\nline", b"\n", b"two\n\nlines", b"car\rriage", b"tab\tbed",
    b"-", b"--", b"-rf", b"--delete", b"-e sh", b"--files-from=x", b"#comment", b";comment", b"!clear",
    b"\xff\xfe", b"caf\xe9", b"\xc3\xa9", b"\xed\xb2\x80", b"\xe2\x80\xa8", b"\x01\x1b[31m", b"\x7f",
    b"\\", b"\\#012", b"a\\#1b", b"*", b"?", b"[a]", b"[!a]", b"**", b"{a,b}", b"~", b"~root", b"a~",
    b"'", b'"', b"`id`", b"$(id)", b"$HOME", b"&", b"|", b";", b"%s", b"%VAR%", b"=", b"@", b":", b"a:b",
    b"host::module", b"rsync:", b"...", b"..a", b".hidden", b".rsync-filter", b".~tmp~x", b".name.abcdef",
    b"+ x", b"- x", b"x" * 255, b"CON", b"a,b", b"mirror.json", b"journal.json", b"InRelease.new",
)  # fmt: skip
_DEPTH = 3
REFUSALS = {
    "link out": "symlink_in_source",
    "link within": "symlink_in_source",
    "dangling link": "symlink_in_source",
    "link to a folder": "symlink_in_source",
    "pipe": "special_file_in_source",
    "socket": "special_file_in_source",
    "device": "special_file_in_source",
}


class Around:
    """Everything in a folder but the mirror in it: each name, kind, mode, time and byte."""

    def __init__(self, folder: pathlib.Path, mirror: pathlib.Path) -> None:
        self.folder, self.mirror = folder, os.fsencode(mirror)

    def picture(self) -> dict[bytes, tuple[t.Any, ...]]:
        found = {}
        for folder, folders, names in os.walk(os.fsencode(self.folder)):
            for name in [*folders, *names]:
                path = os.path.join(folder, name)
                if path == self.mirror:
                    continue
                status = os.lstat(path)
                data = b""
                if stat.S_ISREG(status.st_mode):
                    data = pathlib.Path(os.fsdecode(path)).read_bytes()
                elif stat.S_ISLNK(status.st_mode):
                    data = os.readlink(path)
                found[path] = (status.st_mode, status.st_ino, status.st_mtime_ns, data)
            folders[:] = [name for name in folders if os.path.join(folder, name) != self.mirror]
        return found


class Hostile:
    """A tree that is no repository, a mirror below a daemon's module, and a mirror that is a folder."""

    def __init__(self, folder: pathlib.Path, seed: int) -> None:
        self.folder, self.chance = folder, random.Random(seed)
        self.source = folder / "source"
        self.source.mkdir()
        (self.source / "always").write_text("so that it is never empty")
        self.daemon = Daemon(folder / "daemon")
        self.mirrors = [self.daemon.path / "deep" / "mirror", folder / "local" / "mirror"]
        self.outside: list[Around] = []
        for mirror in self.mirrors:
            mirror.mkdir(parents=True)
            for name in ("canary", "canary folder", "mirror2", "mirro", ".distrogate"):
                (mirror.parent / name / "sub").mkdir(parents=True)
                for file in ("file", "old", "sub/file", "mirror.json", "InRelease"):  # names that links meet
                    (mirror.parent / name / file).write_text(name)
            (mirror.parent / "dists").write_text("a file beside it")
            self.outside.append(
                Around(mirror.parent.parent if mirror.parent.name == "deep" else mirror.parent, mirror)
            )
        self.pictures = [around.picture() for around in self.outside]
        self.tried = self.refused = 0

    def __enter__(self: H) -> H:
        self.daemon.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.daemon.stop()

    def arguments(self, **options: t.Any) -> Options:
        addresses = [f"{self.daemon.address()}deep/mirror", str(self.mirrors[1])]
        common = {"source": str(self.source), "name": "hostile", "mirrors": addresses, "timeout": 20}
        return {**common, "keep": 1, "keep_seconds": 0, **options}

    def sync(self, what: str, **options: t.Any) -> Outcome:
        """A run after which nothing outside has changed, and which says why if it fails."""
        self.tried += 1
        done = run("mirror_sync", self.arguments(**options), self.folder)
        try:
            assert not done.traceback, "a traceback"
            assert done.status == 0 or (done.result.get("reason") and done.result.get("msg")), "no reason"
            self.untouched()
        except AssertionError as error:
            raise BrokenPromiseError(f"{what}: {error}: {done}") from error
        return done

    def untouched(self) -> None:
        for around, before in zip(self.outside, self.pictures):
            after = around.picture()
            changed = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
            assert not changed, f"outside the mirror {sorted(changed)[:5]} changed"

    def same(self, what: str, **options: t.Any) -> None:
        """A run that makes both mirrors what the source is."""
        done = self.sync(what, **options)
        assert done.status == 0, f"{what}: {done}"
        expected = tree(self.source)
        for mirror in self.mirrors:
            found = tree(mirror)
            wrong = [path for path in expected if found.get(path) != expected[path]]
            assert not wrong, f"{what}: {wrong[:3]} differ on {mirror}"

    def refusal(self, what: str) -> None:
        """Something in the source that no mirror may get: refused by name, and nothing is changed."""
        path, before = self.source / f"strange {what}", [tree(mirror) for mirror in self.mirrors]
        with self._placed(what, path):
            if not os.path.lexists(path):
                return  # only root makes devices
            done = self.sync(what)
            assert done.status and done.result["reason"] == REFUSALS[what], f"{what}: {done}"
            assert path.name in done.result["msg"], done.result["msg"]
            assert [tree(mirror) for mirror in self.mirrors] == before, f"{what}: the mirrors changed"
        self.refused += 1

    @contextlib.contextmanager
    def _placed(self, what: str, path: pathlib.Path) -> t.Iterator[None]:
        place(what, path, self.mirrors[1].parent / "canary")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    def grow(self, count: int) -> None:
        """Add, change and remove files with strange names, in folders with strange names."""
        for _number in range(count):
            parts = self.chance.choices(NAMES, k=self.chance.randint(1, _DEPTH))
            path = os.path.join(os.fsencode(self.source), *parts)
            with contextlib.suppress(OSError):  # a file stands where a folder should be, or the other way
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as stream:
                    stream.write(self.chance.randbytes(self.chance.randint(0, 50)))
        files = sorted(tree(self.source).keys() - {b"always"})
        for path in self.chance.sample(files, len(files) // 5):
            os.unlink(os.path.join(os.fsencode(self.source), path))

    def every_name(self) -> None:
        """Each name once as a file and once as a folder; then other contents; then all are gone."""
        top = os.fsencode(self.source)
        for text in (b"one", b"two"):
            for name in NAMES:
                for path in (os.path.join(top, b"files", name), os.path.join(top, b"folders", name, name)):
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path, "wb") as stream:
                        stream.write(text + name)
            self.same(f"every name, {text.decode()}")


H = t.TypeVar("H", bound=Hostile)


def place(what: str, path: pathlib.Path, canary: pathlib.Path) -> None:
    """Put something there that is neither a file nor a folder, if that is allowed."""
    if what == "pipe":
        os.mkfifo(path)
    elif what == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o644)
    elif what == "device":
        with contextlib.suppress(PermissionError):
            os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    else:
        inside = pathlib.Path("always")
        targets = {"link out": canary / "file", "link to a folder": canary, "link within": inside}
        path.symlink_to(targets.get(what, pathlib.Path("/nonexistent/nowhere")))
