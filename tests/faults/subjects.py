# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules that publish, each with a reader that compares all digests."""

from __future__ import annotations

import gzip
import hashlib
import pathlib
import subprocess
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.distrogate.ci.tests.faults.kill import Subject, gnupg, signed
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import publish
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import control, deb

_REPO = "{http://linux.duke.edu/metadata/repo}"
_COMMON = "{http://linux.duke.edu/metadata/common}"
_SPEC = """\
Name: hello
Version: {number}
Release: 1
Summary: x
License: GPL
BuildArch: noarch
%description
x
%files
"""


def checked(path: pathlib.Path, digest: str, size: int | None = None) -> bytes:
    data = path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest, path
    assert size is None or len(data) == size, path
    return data


class Repository(Subject):
    """What apt and rpm repositories share."""

    def prepare(self) -> None:
        self.number = 0
        self.key = gnupg(self.folder)
        self.root = self.folder / "repository"
        self.package = ""
        self.more()

    def arguments(self) -> dict[str, t.Any]:
        return {
            "root": str(self.root),
            "packages": [self.package],
            "signing_key": self.key,
            "gnupg_home": str(self.folder / "gnupg"),
            "timeout": 20,
        }


class Apt(Repository):
    """Reads InRelease, then by hash, as apt does."""

    module = "apt_publish"

    def arguments(self) -> dict[str, t.Any]:
        return {**super().arguments(), "suite": "bookworm"}

    def more(self) -> str:
        self.number += 1
        path = self.folder / f"hello_{self.number}_all.deb"
        path.write_bytes(deb(control("hello", str(self.number))))
        self.package = str(path)
        return f"hello={self.number}"

    def look(self) -> set[str]:
        suite = self.root / "dists" / "bookworm"
        signed(self.folder, str(suite / "InRelease"))
        found = set()
        lines = (suite / "InRelease").read_text().partition("\nSHA256:\n")[2].splitlines()
        entries = [line.split() for line in lines if line.startswith(" ")]
        assert entries
        for digest, size, name in entries:
            folder = (suite / name).parent
            data = checked(folder / "by-hash" / "SHA256" / digest, digest, int(size))
            for stanza in data.decode().split("\n\n") if name.endswith("Packages") else []:
                fields = dict(line.split(": ", 1) for line in stanza.splitlines() if line[:1].isalpha())
                if fields:
                    checked(self.root / fields["Filename"], fields["SHA256"], int(fields["Size"]))
                    found.add(f"{fields['Package']}={fields['Version']}")
        return found

    def at_rest(self) -> None:
        suite = self.root / "dists" / "bookworm"
        signed(self.folder, str(suite / "Release.gpg"), str(suite / "Release"))
        for line in (suite / "Release").read_text().partition("\nSHA256:\n")[2].splitlines():
            digest, size, name = line.split()
            checked(suite / name, digest, int(size))


class Rpm(Repository):
    """Reads repomd.xml, then the metadata that its checksums name, as dnf does."""

    module = "rpm_publish"

    def more(self) -> str:
        self.number += 1
        spec = self.folder / "hello.spec"
        spec.write_text(_SPEC.format(number=self.number))
        argv = ["rpmbuild", "--quiet", "--define", f"_topdir {self.folder}/rpm", "-bb", str(spec)]
        subprocess.run(argv, check=True, capture_output=True)
        self.package = str(self.folder / f"rpm/RPMS/noarch/hello-{self.number}-1.noarch.rpm")
        argv = ["rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", f"_gpg_name {self.key}"]
        home = {"PATH": "/usr/bin:/bin", "GNUPGHOME": str(self.folder / "gnupg")}
        subprocess.run([*argv, "--addsign", self.package], env=home, check=True, capture_output=True)
        return f"hello={self.number}"

    def look(self) -> set[str]:
        found = set()
        for record in ET.parse(self.root / "repodata" / "repomd.xml").iter(f"{_REPO}data"):
            location, checksum = record.find(f"{_REPO}location"), record.find(f"{_REPO}checksum")
            assert location is not None and checksum is not None
            data = checked(self.root / location.attrib["href"], str(checksum.text))
            for package in ET.fromstring(gzip.decompress(data)) if record.get("type") == "primary" else []:
                place, digest = package.find(f"{_COMMON}location"), package.find(f"{_COMMON}checksum")
                version = package.find(f"{_COMMON}version")
                assert place is not None and digest is not None and version is not None
                checked(self.root / place.attrib["href"], str(digest.text))
                found.add(f"{package.findtext(f'{_COMMON}name')}={version.attrib['ver']}")
        return found

    def at_rest(self) -> None:
        repodata = self.root / "repodata"
        signed(self.folder, str(repodata / "repomd.xml.asc"), str(repodata / "repomd.xml"))


class Mirrors(Subject):
    """Reads two mirrors; both must show what the source showed before or after."""

    module = "mirror_sync"

    def prepare(self) -> None:
        self.number = 0
        self.mirrors = [self.folder / name for name in ("mirror1", "mirror2")]
        for mirror in self.mirrors:
            mirror.mkdir()
        self.more()

    def arguments(self) -> dict[str, t.Any]:
        mirrors = [str(mirror) for mirror in self.mirrors]
        return {"source": str(self.folder / "source"), "name": "public", "mirrors": mirrors, "timeout": 60}

    def more(self) -> str:
        self.number += 1
        publish(self.folder / "source" / "apt", f"state {self.number}", pool=f"p_{self.number}.deb")
        return f"state {self.number}"

    def look(self) -> set[str]:
        shown = {self._shown(mirror) for mirror in self.mirrors}
        number = min(int(state.split()[1]) for state in shown)
        assert len(shown) == 1 or shown == {f"state {number}", f"state {number + 1}"}, shown
        for mirror in self.mirrors:
            for earlier in range(1, number + 1):
                assert (mirror / "apt" / "pool" / f"p_{earlier}.deb").exists()
        return {f"state {earlier}" for earlier in range(1, number + 1)}

    def _shown(self, mirror: pathlib.Path) -> str:
        suite = mirror / "apt" / "dists" / "stable"
        digest, size, name = (suite / "InRelease").read_text().splitlines()[-1].split()
        path = (suite / name).parent / "by-hash" / "SHA256" / digest
        return checked(path, digest, int(size)).decode()

    def at_rest(self) -> None:
        for mirror in self.mirrors:
            packages = (mirror / "apt/dists/stable/main/binary-amd64/Packages").read_text()
            assert packages == self._shown(mirror) == f"state {self.number}"


SUBJECTS: dict[str, type[Subject]] = {"apt": Apt, "rpm": Rpm, "mirrors": Mirrors}
