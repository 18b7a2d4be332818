# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a careful reader does: the signed file first, then all by its digest, nothing by a fixed name."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import lzma
import posixpath
import time
import typing as t
import xml.etree.ElementTree as ET

_REPO = "{http://linux.duke.edu/metadata/repo}"
_COMMON = "{http://linux.duke.edu/metadata/common}"

Fetch = t.Callable[[str], bytes]  # a file of the repository by its name; FileNotFoundError when it is missing


class MismatchError(AssertionError):
    """A file is missing, or is not what a signed file says."""


@dataclasses.dataclass(frozen=True)
class File:
    """A package's file as an index lists it."""

    name: str
    sha256: str
    size: int

    def below(self, folder: str) -> File:
        """The same, for one who does not look from ``folder`` but from above it."""
        return dataclasses.replace(self, name=posixpath.normpath(f"{folder}/{self.name}"))

    def check(self, fetch: Fetch) -> None:
        """Fetch it and compare."""
        checked(fetch, self.name, self.sha256, self.size)


def checked(fetch: Fetch, name: str, digest: str, size: int | None = None) -> bytes:
    """A file's contents, if they are the ones that are expected."""
    try:
        data = fetch(name)
    except FileNotFoundError as error:
        raise MismatchError(f"{name} is missing") from error
    if hashlib.sha256(data).hexdigest() != digest or size not in (None, len(data)):
        raise MismatchError(f"{name} is not the one with the digest {digest}")
    return data


def unpacked(name: str, data: bytes) -> bytes:
    """The contents of a compressed file, by its suffix; members one after the other are one text."""
    if name.endswith(".gz"):
        return gzip.decompress(data)
    return lzma.decompress(data) if name.endswith(".xz") else data


def release_entries(text: str) -> dict[str, tuple[str, int]]:
    """The files that a Release or InRelease lists, with their sha256 and size in bytes."""
    found = {}
    for line in text.partition("\nSHA256:\n")[2].splitlines():
        if not line.startswith(" "):
            break
        digest, size, name = line.split()
        found[name] = (digest, int(size))
    return found


def read_apt(fetch: Fetch, suite: str, pause: float = 0) -> dict[str, File]:
    """The packages of a suite as ``name=version``, each with its file.

    InRelease is read first; ``pause`` seconds later all that it lists is read,
    by hash. An uncompressed index may be missing when a compressed one has its
    contents, as in Debian's own archive.
    """
    base = f"dists/{suite}/"
    entries = release_entries(fetch(f"{base}InRelease").decode())
    if not entries:
        raise MismatchError(f"{base}InRelease lists nothing")
    time.sleep(pause)
    found: dict[str, File] = {}
    texts: dict[str, bytes] = {}
    for name, (digest, size) in sorted(entries.items(), key=lambda item: item[0], reverse=True):
        folder, _slash, last = name.rpartition("/")
        plain = name.removesuffix(".gz").removesuffix(".xz")
        if name == plain and name in texts:
            if entries[name] != (hashlib.sha256(texts[name]).hexdigest(), len(texts[name])):
                raise MismatchError(f"{name} is not what is in its compressed files")
            continue
        data = unpacked(last, checked(fetch, f"{base}{folder}/by-hash/SHA256/{digest}", digest, size))
        texts.setdefault(plain, data)
        if plain.endswith("/Packages"):
            found.update(_stanzas(data.decode()))
    return found


def read_apt_plain(fetch: Fetch, suite: str, pause: float = 0) -> dict[str, File]:
    """What one does who knows nothing of by-hash: Release, then the indexes under their fixed names.

    That is right in a snapshot, which never changes, and not while a suite is published.
    """
    base = f"dists/{suite}/"
    release = fetch(f"{base}Release").decode()
    if not fetch(f"{base}InRelease").decode().partition("\n\n")[2].startswith(release):
        raise MismatchError(f"{base}InRelease is not the Release beside it")
    time.sleep(pause)
    found: dict[str, File] = {}
    for name, (digest, size) in release_entries(release).items():
        if name.endswith("/Packages.gz"):
            text = unpacked(name, checked(fetch, f"{base}{name}", digest, size)).decode()
            found.update(_stanzas(text))
    return found


def _stanzas(text: str) -> t.Iterator[tuple[str, File]]:
    for stanza in filter(None, text.split("\n\n")):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if line[:1].isalpha())
        file = File(fields["Filename"], fields["SHA256"], int(fields["Size"]))
        yield f"{fields['Package']}={fields['Version']}", file


def read_rpm(fetch: Fetch, _suite: str = "", pause: float = 0) -> dict[str, File]:
    """The packages of an rpm repository: repomd.xml first, then the metadata that its checksums name."""
    found = {}
    records = list(ET.fromstring(fetch("repodata/repomd.xml")).iter(f"{_REPO}data"))
    time.sleep(pause)
    for record in records:
        location, digest = record.find(f"{_REPO}location"), record.findtext(f"{_REPO}checksum")
        assert location is not None and digest is not None
        name = location.attrib["href"]
        text = unpacked(name, checked(fetch, name, digest, int(record.findtext(f"{_REPO}size") or -1)))
        if hashlib.sha256(text).hexdigest() != record.findtext(f"{_REPO}open-checksum"):
            raise MismatchError(f"the contents of {name} have another digest")
        for package in ET.fromstring(text) if record.get("type") == "primary" else []:
            place, size = package.find(f"{_COMMON}location"), package.find(f"{_COMMON}size")
            version = package.find(f"{_COMMON}version")
            assert place is not None and size is not None and version is not None
            label = f"{package.findtext(f'{_COMMON}name')}={version.attrib['ver']}"
            checksum = str(package.findtext(f"{_COMMON}checksum"))
            found[label] = File(place.attrib["href"], checksum, int(size.attrib["package"]))
    return found


READ: dict[str, t.Callable[..., dict[str, File]]] = {
    "apt": read_apt,
    "rpm": read_rpm,
    "apt-plain": read_apt_plain,
    "rpm-plain": read_rpm,
}
