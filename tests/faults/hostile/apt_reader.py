# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A strict reader of an apt repository: it wonders about everything that a lenient one would pass over."""

from __future__ import annotations

import gzip
import hashlib
import pathlib
import posixpath
import re
import subprocess
import typing as t

_LINE = re.compile(r"([!\"$-,.-9;-~][!-9;-~]*):(.*)")
_OURS = frozenset(("filename", "size", "md5sum", "sha1", "sha256", "sha512"))
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
Stanza = dict[str, str]


def parse(data: bytes) -> list[Stanza]:
    """Stanzas with their fields by lower-case name; AssertionError where two readers could differ."""
    text = data.decode("utf-8")
    found = re.search(_CONTROL, text)
    assert not found, f"a control character: {found!r}"
    stanzas: list[Stanza] = []
    for block in text.strip("\n").split("\n\n") if text else []:
        fields: Stanza = {}
        last = ""
        for line in block.split("\n"):
            assert line.strip(), f"a blank line within a stanza: {block[:200]!r}"
            if line[0] in " \t":
                assert last, f"a stanza begins with a continuation: {line[:80]!r}"
                fields[last] += "\n" + line
                continue
            match = _LINE.fullmatch(line)
            assert match, f"no field: {line[:80]!r}"
            last = match[1].lower()
            assert last not in fields, f"a field twice: {line[:80]!r}"
            fields[last] = match[2].strip()
        stanzas.append(fields)
    return stanzas


def _indexes(suite: pathlib.Path) -> dict[str, bytes]:
    """Every index of a suite by name, unpacked, with its digest compared; by hash, as apt does it."""
    listed: dict[str, tuple[str, int]] = {}
    for line in (suite / "InRelease").read_text().partition("\nSHA256:\n")[2].splitlines():
        if not line.startswith(" "):
            break
        digest, size, name = line.split()
        listed[name] = (digest, int(size))
    assert listed
    found = {}
    for name, (digest, size) in listed.items():
        path = suite / posixpath.dirname(name) / "by-hash/SHA256" / digest
        if not path.exists() and f"{name}.gz" in listed:
            continue  # as in Debian's own archive: listed, and there only in its compressed form
        data = path.read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (digest, size), path
        plain = name.removesuffix(".gz")
        if plain != name:
            data = gzip.decompress(data)
            if plain in listed:
                assert (hashlib.sha256(data).hexdigest(), len(data)) == listed[plain], plain
        found[plain] = data
    return found


def fields_by_dpkg(path: pathlib.Path, scratch: str) -> Stanza | None:
    """What dpkg-deb reads in a package; None when it refuses it."""
    argv = ["dpkg-deb", "--field", str(path)]
    done = subprocess.run(
        argv, capture_output=True, timeout=120, check=False, env={"PATH": "/usr/bin:/bin", "TMPDIR": scratch}
    )
    if done.returncode:
        return None
    stanzas = parse(done.stdout)
    assert len(stanzas) == 1
    return stanzas[0]


class AptReader:
    """``digests`` of all packages that the repository shows, after everything was compared."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self._packages: dict[str, Stanza] = {}

    def digests(self) -> set[str]:
        self._packages = {}
        indexes = _indexes(self.root / "dists" / "bookworm")
        for name, data in indexes.items():
            kind = posixpath.basename(name)
            assert kind in ("Packages", "Sources") or kind.startswith("Contents-"), name
            stanzas = parse(data) if kind in ("Packages", "Sources") else []
            places = []
            for stanza in stanzas:
                place, digest = self._source(stanza) if kind == "Sources" else self._binary(stanza)
                self._packages[digest] = stanza
                places.append(place)
            assert len(places) == len(set(places)), f"{name} names a file twice"
        for name, data in indexes.items():
            if posixpath.basename(name).startswith("Contents-"):
                self._contents(data)
        return set(self._packages)

    def _contents(self, data: bytes) -> None:
        """Each line is a name, blanks, and the section and name of a package that is there."""
        known = {(stanza.get("section", ""), stanza["package"]) for stanza in self._packages.values()}
        names = {package for _section, package in known}
        text = data.decode("utf-8")
        assert text.endswith("\n") or not text
        for line in text.split("\n")[:-1]:
            assert not re.search("[\x00-\x1f\x7f\x85\u2028\u2029]", line), (
                f"a control character: {line[:80]!r}"
            )
            name, _blanks, where = line.rpartition(" ")
            section, _slash, package = where.rpartition("/")
            assert name.strip() and package in names, f"no line of Contents: {line[:80]!r}"
            assert not section or (section, package) in known, f"another section: {line[:80]!r}"

    def _source(self, stanza: Stanza) -> tuple[str, str]:
        """The .dsc's place and digest, after a look at all files."""
        for needed in ("package", "version", "directory", "checksums-sha256"):
            assert stanza.get(needed), f"{needed} is missing: {stanza}"
        found = ("", "")
        for line in stanza["checksums-sha256"].strip().split("\n"):
            digest, size, name = line.split()
            assert "/" not in name, name
            self._file(f"{stanza['directory']}/{name}", int(size), digest)
            if name.endswith(".dsc"):
                found = (f"{stanza['directory']}/{name}", digest)
        assert found[0]
        return found

    def _binary(self, stanza: Stanza) -> tuple[str, str]:
        for needed in ("package", "version", "architecture", "filename", "size", "sha256"):
            assert stanza.get(needed), f"{needed} is missing: {stanza}"
        self._file(stanza["filename"], int(stanza["size"]), stanza["sha256"])
        return stanza["filename"], stanza["sha256"]

    def _file(self, place: str, size: int, digest: str) -> None:
        assert place.startswith("pool/") and posixpath.normpath(place) == place, place
        assert ".." not in place.split("/"), place
        path = self.root / place
        assert path.is_file() and not path.is_symlink(), place
        assert path.stat().st_size == size, place
        if size < 64 << 20:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == digest, place

    def compare(self, digest: str, package: pathlib.Path, scratch: str) -> str:
        """Whether what is published of a package is what dpkg reads in it; "" or a remark."""
        if package.suffix == ".dsc":
            return ""
        shown = {name: value for name, value in self._packages[digest].items() if name not in _OURS}
        shown = {name: value for name, value in shown.items() if name != "description-md5"}
        real = fields_by_dpkg(package, scratch)
        if real is None:
            return "published, but dpkg-deb refuses it"
        assert shown == real, f"dpkg reads other fields: {_differ(shown, real)}"
        return ""


def _differ(one: t.Mapping[str, str], other: t.Mapping[str, str]) -> str:
    names = sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
    return ", ".join(
        f"{name}: {one.get(name)!r:.60} shown, {other.get(name)!r:.60} real" for name in names[:4]
    )
