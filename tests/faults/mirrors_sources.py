# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A source with one of our repositories, which our publisher writes, and mirrors of it to look at."""

from __future__ import annotations

import os
import pathlib
import typing as t

from ansible_collections.distrogate.ci.tests.faults import samples
from ansible_collections.distrogate.ci.tests.faults.kill import gnupg
from ansible_collections.distrogate.ci.tests.faults.reading import READ
from ansible_collections.distrogate.ci.tests.faults.run import BrokenPromiseError, Outcome, run

SUITE = "bookworm"
PRIVATE = b".distrogate"
STAGING = b".distrogate-staging"
MODULES = {"apt": "apt_publish", "rpm": "rpm_publish"}
Options = dict[str, t.Any]


class Release:
    """``source`` holds ``apt/`` or ``rpm/``; every package in ``shown`` is published there."""

    def __init__(self, folder: pathlib.Path, kind: str = "apt", body: int = 0, **options: t.Any) -> None:
        """``body`` are bytes in each package that no compression makes fewer; ``options`` the publisher's."""
        self.folder, self.kind, self.body = folder, kind, body
        self.source = folder / "source"
        self.root = self.source / kind
        self.root.mkdir(parents=True)
        self.key = gnupg(folder)
        self.options = options
        self.shown: set[str] = set()

    def publish(self, *names: str, **options: t.Any) -> None:
        """Make packages of these names, version 1, and publish them."""
        folder = self.folder / "incoming"
        if self.kind == "apt":
            paths = samples.debs(folder, names, os.urandom(self.body) if self.body else b"x")
        else:
            paths = samples.rpms(folder, names)
        self.put(list(paths.values()), **options)
        self.shown |= {f"{name}=1" for name in names}

    def put(self, paths: t.Sequence[str], **options: t.Any) -> None:
        """Publish files."""
        arguments = {
            "root": str(self.root),
            "packages": list(paths),
            "signing_key": self.key,
            "gnupg_home": str(self.folder / "gnupg"),
            "timeout": 300,
            **({"suite": SUITE} if self.kind == "apt" else {}),
            **self.options,
            **options,
        }
        done = run(MODULES[self.kind], arguments, self.folder)
        if done.status:
            raise BrokenPromiseError(f"{paths}: {done}")

    def read(self, mirror: pathlib.Path, suite: str = SUITE) -> set[str]:
        """What a mirror shows to a reader that compares every digest; nothing before its first state."""
        base = mirror / self.kind
        switch = f"dists/{suite}/InRelease" if self.kind == "apt" else "repodata/repomd.xml"
        if not (base / switch).exists():
            return set()

        def fetch(name: str) -> bytes:
            return (base / name).read_bytes()

        found = READ[self.kind](fetch, suite)
        for file in found.values():
            file.check(fetch)
        return set(found)

    def sync(self, mirrors: t.Iterable[str], *tracer: str, **options: t.Any) -> Outcome:
        """Run mirror_sync."""
        return run("mirror_sync", self.arguments(mirrors, **options), self.folder, *tracer)

    def arguments(self, mirrors: t.Iterable[str], **options: t.Any) -> Options:
        """Options of mirror_sync that every version has."""
        return {
            "source": str(self.source),
            "name": "public",
            "mirrors": list(mirrors),
            "timeout": 60,
            "keep": 3,
            "keep_seconds": 60,
            **options,
        }


def tree(root: pathlib.Path) -> dict[bytes, bytes]:
    """Every file below a folder that is for readers, with its contents; no link is followed."""
    found = {}
    top = os.fsencode(root)
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in (PRIVATE, STAGING)]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path):
                found[os.path.relpath(path, top)] = b"no file"
                continue
            with open(path, "rb") as stream:
                found[os.path.relpath(path, top)] = stream.read()
    return found


def remains(root: pathlib.Path) -> list[str]:
    """What a killed transfer left: waiting files, and rsync's own unfinished ones."""
    found = []
    for folder, folders, names in os.walk(root):
        if ".distrogate" in folders:
            folders.remove(".distrogate")
        found += [os.path.join(folder, name) for name in folders if name == os.fsdecode(STAGING)]
        found += [os.path.join(folder, name) for name in names if _unfinished(name)]
    return found


def _unfinished(name: str) -> bool:
    """rsync writes ``.NAME.XXXXXX``."""
    return name.startswith(".") and len(name.rpartition(".")[2]) == 6 and name.count(".") > 1


def outcomes(done: Outcome) -> dict[str, str]:
    """What became of each mirror, by its address."""
    return {row["address"]: row["outcome"] for row in done.result.get("mirrors", [])}
