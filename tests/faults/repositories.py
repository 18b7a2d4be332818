# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""apt and rpm repositories under attack; every attack begins with the same tree."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import subprocess
import typing as t

from ansible_collections.distrogate.ci.tests.faults.apt_client import AptClient
from ansible_collections.distrogate.ci.tests.faults.dnf_client import DnfClient
from ansible_collections.distrogate.ci.tests.faults.kill import Subject, gnupg, verifies
from ansible_collections.distrogate.ci.tests.faults.operations import NAMES, OPERATIONS, SNAPSHOT
from ansible_collections.distrogate.ci.tests.faults.reading import File, read_apt, read_rpm, release_entries
from ansible_collections.distrogate.ci.tests.faults.samples import debs, rpms

SUITE = "bookworm"


def copy_tree(source: pathlib.Path, target: pathlib.Path) -> None:
    """Make ``target`` the same as ``source``: links between its files stay, and times."""
    shutil.rmtree(target, ignore_errors=True)
    if source.exists():
        subprocess.run(["cp", "-a", str(source), str(target)], check=True)


class Repository(Subject):
    """What apt and rpm repositories share. There are three packages, of which some are published."""

    operations = tuple(OPERATIONS)
    where = "repository"  # the folder of the repository
    switch = snapshot_switch = ""
    real: AptClient | DnfClient

    def prepare(self) -> None:
        self.key = gnupg(self.folder)
        self.root = self.folder / self.where
        self.packages = self.make_packages()
        self.options: dict[str, t.Any] = {}
        self._publish("first")
        self._publish(snapshot=SNAPSHOT)
        self._publish("second")
        self._save("kept")
        shutil.rmtree(self.root)
        self._publish("first")
        self._publish("second")
        self._remove("second")  # so that there is something to collect
        self._publish("second")
        self._save("whole")
        self._publish("third", transaction="release")
        self._save("released")
        copy_tree(self.folder / "saved-whole", self.root)
        self._publish("third", state="prepared", transaction="release", ttl=1 << 30)
        self._save("prepared")
        public = ["gpg", "--homedir", str(self.folder / "gnupg"), "--batch", "--armor", "--export", self.key]
        (self.folder / "key.asc").write_bytes(subprocess.run(public, check=True, capture_output=True).stdout)
        self.connect()

    def make_packages(self) -> dict[str, str]:
        """The paths of three packages, by their names."""
        raise NotImplementedError

    def connect(self) -> None:
        """Make the real client."""
        raise NotImplementedError

    def packages_listed(self) -> dict[str, File]:
        """What the metadata list, with its digests compared."""
        raise NotImplementedError

    def snapshot_listed(self) -> dict[str, File]:
        """The same for the snapshot that an operation makes."""
        raise NotImplementedError

    def _publish(self, *names: str, **options: t.Any) -> None:
        self.options = {"packages": [self.packages[name] for name in names], **options}
        self.call()

    def _remove(self, *names: str) -> None:
        self.options = {"packages": list(names), "state": "absent"}
        self.call()

    def _save(self, name: str) -> None:
        copy_tree(self.root, self.folder / f"saved-{name}")

    def reset(self, operation: str) -> None:
        it = OPERATIONS[operation]
        self.before, self.after = it.before, it.after
        self.options = {"packages": [self.packages[name] for name in it.packages], **it.options}
        copy_tree(self.folder / f"saved-{it.saved}", self.root)
        self.real.forget()

    def arguments(self) -> dict[str, t.Any]:
        return {
            "root": str(self.root),
            "signing_key": self.key,
            "gnupg_home": str(self.folder / "gnupg"),
            "timeout": 20,
            **self.options,
        }

    def fetch(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def look(self) -> set[str]:
        if not self.before and not (self.root / self.switch).exists():
            return set()
        if (self.root / self.snapshot_switch).exists():
            assert self._checked(self.snapshot_listed()) == self.after
        return self._checked(self.packages_listed())

    def _checked(self, found: dict[str, File]) -> set[str]:
        for file in found.values():
            file.check(self.fetch)
        return set(found)

    def at_rest(self) -> None:
        if "snapshot" in self.options:
            assert (self.root / self.snapshot_switch).exists()
        if self.options.get("keep") == 0:
            assert not list(self.root.rglob("second*")), "what was replaced is still there"


class Apt(Repository):
    """Reads InRelease, then by hash, as apt does."""

    module = "apt_publish"
    switch = f"dists/{SUITE}/InRelease"
    snapshot_switch = f"dists/{SUITE}/snapshots/{SNAPSHOT}/InRelease"
    real: AptClient

    def make_packages(self) -> dict[str, str]:
        return debs(self.folder, NAMES)

    def connect(self) -> None:
        self.real = AptClient(self.folder / "apt", f"file://{self.root}", SUITE, self.folder / "key.asc")

    def arguments(self) -> dict[str, t.Any]:
        return {**super().arguments(), "suite": SUITE}

    def packages_listed(self) -> dict[str, File]:
        assert verifies(self.folder, self.root / self.switch)
        return read_apt(self.fetch, SUITE)

    def snapshot_listed(self) -> dict[str, File]:
        assert verifies(self.folder, self.root / self.snapshot_switch)
        return read_apt(self.fetch, f"{SUITE}/snapshots/{SNAPSHOT}")

    def client(self, seen: set[str], at_rest: bool) -> None:
        if seen:
            assert self.real.update() == seen
            self.real.download(seen)

    def at_rest(self) -> None:
        """The files with fixed names, which a reader may find amid a change, are right as well."""
        super().at_rest()
        suite = self.root / "dists" / SUITE
        release = (suite / "Release").read_text()
        assert verifies(self.folder, suite / "Release.gpg", suite / "Release")
        assert f"\n{release}" in (suite / "InRelease").read_text()
        for name, (digest, size) in release_entries(release).items():
            if (suite / name).exists() or name.endswith(".gz"):
                data = (suite / name).read_bytes()
                assert (hashlib.sha256(data).hexdigest(), len(data)) == (digest, size), name


class Rpm(Repository):
    """Reads repomd.xml, then the metadata that its checksums name, as dnf does."""

    module = "rpm_publish"
    switch = "repodata/repomd.xml"
    snapshot_switch = f"snapshots/{SNAPSHOT}/{switch}"
    real: DnfClient

    def make_packages(self) -> dict[str, str]:
        return rpms(self.folder, NAMES, self.key)

    def connect(self) -> None:
        self.real = DnfClient(self.folder / "dnf", f"file://{self.root}", self.folder / "key.asc")

    def packages_listed(self) -> dict[str, File]:
        return read_rpm(self.fetch)

    def snapshot_listed(self) -> dict[str, File]:
        folder = f"snapshots/{SNAPSHOT}"
        found = read_rpm(lambda name: self.fetch(f"{folder}/{name}"))
        return {label: file.below(folder) for label, file in found.items()}

    def _signed(self) -> bool:
        repodata = self.root / "repodata"
        return verifies(self.folder, repodata / "repomd.xml.asc", repodata / "repomd.xml")

    def client(self, seen: set[str], at_rest: bool) -> None:
        """repomd.xml and its signature are two files: their pair is promised at rest alone."""
        if seen:
            assert self.real.download(metadata_signed=at_rest or self._signed()) == seen

    def at_rest(self) -> None:
        super().at_rest()
        assert self._signed()
