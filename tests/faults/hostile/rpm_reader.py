# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A strict reader of an rpm repository."""

from __future__ import annotations

import gzip
import hashlib
import pathlib
import posixpath
import xml.etree.ElementTree as ET

_REPO = "{http://linux.duke.edu/metadata/repo}"
_COMMON = "{http://linux.duke.edu/metadata/common}"
_LISTS = {"primary": _COMMON, "filelists": "{http://linux.duke.edu/metadata/filelists}"}
_LISTS["other"] = "{http://linux.duke.edu/metadata/other}"


def _text(element: ET.Element, name: str) -> str:
    found = element.findall(name)
    assert len(found) == 1, f"{name} stands {len(found)} times"
    return found[0].text or ""


def _lists(root: pathlib.Path) -> dict[str, ET.Element]:
    """The three lists, with every digest and size compared."""
    lists = {}
    for record in ET.parse(root / "repodata" / "repomd.xml").iter(f"{_REPO}data"):
        place = record.findall(f"{_REPO}location")[0].attrib["href"]
        assert posixpath.normpath(place) == place and place.startswith("repodata/"), place
        packed = (root / place).read_bytes()
        assert hashlib.sha256(packed).hexdigest() == _text(record, f"{_REPO}checksum"), place
        assert len(packed) == int(_text(record, f"{_REPO}size"))
        data = gzip.decompress(packed)
        assert hashlib.sha256(data).hexdigest() == _text(record, f"{_REPO}open-checksum"), place
        assert len(data) == int(_text(record, f"{_REPO}open-size"))
        data.decode("utf-8")
        lists[record.attrib["type"]] = ET.fromstring(data)
    assert set(lists) == set(_LISTS)
    return lists


class RpmReader:
    """``digests`` of all packages that the repository shows, after everything was compared."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self._identity: dict[str, list[str]] = {}

    def digests(self) -> set[str]:
        lists = _lists(self.root)
        for kind, element in lists.items():
            packages = element.findall(f"{_LISTS[kind]}package")
            assert len(packages) == len(element) == int(element.attrib["packages"]), kind
        self._identity = {}
        for package in lists["primary"]:
            self._check(package)
        shown = set(self._identity)
        assert len(shown) == len(lists["primary"])
        for kind in ("filelists", "other"):
            assert sorted(package.attrib["pkgid"] for package in lists[kind]) == sorted(shown), kind
            for package in lists[kind]:
                version = package.findall(f"{_LISTS[kind]}version")[0].attrib
                same = [
                    package.attrib["name"],
                    version["epoch"],
                    version["ver"],
                    version["rel"],
                    package.attrib["arch"],
                ]
                assert same == self._identity[package.attrib["pkgid"]], f"{kind}: {same}"
        return shown

    def _check(self, package: ET.Element) -> None:
        digest = _text(package, f"{_COMMON}checksum")
        places = package.findall(f"{_COMMON}location")
        assert len(places) == 1
        place = places[0].attrib["href"]
        assert place.startswith("packages/") and posixpath.normpath(place) == place, place
        assert place.isascii() and place.isprintable() and not set(place) & set(" %?#&<>\"'"), place
        path = self.root / place
        assert path.is_file() and not path.is_symlink(), place
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, place
        version = package.findall(f"{_COMMON}version")[0].attrib
        name, arch = _text(package, f"{_COMMON}name"), _text(package, f"{_COMMON}arch")
        assert digest not in self._identity, f"{place} stands twice"
        self._identity[digest] = [name, version["epoch"], version["ver"], version["rel"], arch]

    def compare(self, digest: str, package: pathlib.Path, scratch: str) -> str:
        """Whether what is published of a package is what rpm reads in it; "" or a remark."""
        import rpm  # the distribution's bindings

        rpm.setVerbosity(rpm.RPMLOG_CRIT)
        transaction = rpm.TransactionSet(scratch)
        transaction.setVSFlags(0)
        try:
            with open(package, "rb") as stream:
                header = transaction.hdrFromFdno(stream.fileno())
        except rpm.error as error:
            return f"published, but rpm refuses it ({error})"
        source = header.isSource() or header[rpm.RPMTAG_SOURCEPACKAGE]
        arch = "src" if source else header["arch"]  # as createrepo_c and dnf see it
        real = [header["name"], str(header["epoch"] or 0), header["version"], header["release"], arch]
        shown = self._identity[digest]
        assert shown == real, f"rpm reads other fields: {shown} shown, {real} real"
        return ""
