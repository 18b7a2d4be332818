# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a Debian source package made by a stranger: a .dsc and the files beside it (policy 5.4)."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import re
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._deb import parse_control
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import (
    PackageFile,
    bad_package,
)

_SIZE = 1 << 20  # bytes of a .dsc
_FILES = 64  # files that one source package has at most
_BLOCK = 1 << 20
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{1,127}")
_VERSION = re.compile(r"(?:[0-9]{1,9}:)?[0-9][A-Za-z0-9.+~-]{0,127}")
_FORMAT = re.compile(r"[0-9]{1,2}\.[0-9]{1,2}(?: \([a-z]{1,32}\))?")
_ARCHITECTURES = re.compile(r"[a-z0-9-]{1,64}(?:\s+[a-z0-9-]{1,64})*")
_BINARIES = re.compile(r"[a-z0-9+.-]{2,128}(?:\s*,\s*[a-z0-9+.-]{2,128})*")
_ENTRY = re.compile(r"[ \t]+([0-9a-f]{32,64})[ \t]+([0-9]{1,15})[ \t]+([!-~]{1,255})[ \t]*")
_OURS = frozenset(("package", "directory"))
_LISTS = {"files": 32, "checksums-sha1": 40, "checksums-sha256": 64}  # hexadecimal digits of their digests
_ARMOR = re.compile(rb"[A-Za-z0-9+/=]{0,100}|(?:Version|Comment|Hash|Charset): [ -~]{0,200}")
_BEGIN, _SIGNATURE = b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----BEGIN PGP SIGNATURE-----"
_END = b"-----END PGP SIGNATURE-----"


class SourceFile(t.NamedTuple):
    """One file of a source package; ``size`` is in bytes."""

    name: str
    sha256: str
    size: int
    path: str


@dataclasses.dataclass(frozen=True)
class SourcePackage:
    """A source package; ``sha256`` is that of the .dsc, which is also the first of ``files``.

    ``control`` is what the .dsc says, as a Sources index takes it over: without lists of files.
    """

    name: str
    version: str
    sha256: str
    files: tuple[SourceFile, ...]
    control: str

    def stanza(self, directory: str) -> str:
        """Its paragraph in a Sources index, without the last newline; the files are in ``directory``.

        Digests are SHA-256 alone, which apt and dpkg-source are content with.
        """
        listing = [f" {one.sha256} {one.size} {one.name}" for one in self.files]
        return "\n".join([self.control, f"Directory: {directory}", "Checksums-Sha256:", *listing])


def _signed_part(data: bytes, path: str) -> bytes:
    """The text of a clearsigned file, or all of a plain one; text that nobody signed is refused beside it."""
    lines = data.split(b"\n")
    if lines[0].rstrip() != _BEGIN:
        return data
    stripped = [line.rstrip() for line in lines]
    try:
        first = stripped.index(b"") + 1
        last = stripped.index(_SIGNATURE, first)
        end = stripped.index(_END, last)
    except ValueError as error:
        raise bad_package(path, "its signature is cut off") from error
    outside = [*stripped[1:first], *stripped[last + 1 : end]]
    if any(stripped[end + 1 :]) or not all(_ARMOR.fullmatch(line) for line in outside):
        raise bad_package(path, "it has text outside of the signed part")
    return b"\n".join(lines[first:last])


def _value(fields: dict[str, str], name: str, pattern: re.Pattern[str], path: str) -> str:
    value = fields.get(name, "")
    if not pattern.fullmatch(value):
        raise bad_package(path, f"its {name} {value[:80]!r} does not follow Debian's policy")
    return value


def _listed(fields: dict[str, str], field: str, path: str) -> dict[str, tuple[int, str]]:
    """Size and digest of each file that the field lists, by name."""
    lines = fields[field].split("\n")
    listed: dict[str, tuple[int, str]] = {}
    if lines[0] or len(lines) > _FILES + 1:
        raise bad_package(path, f"its {field} is no list, or has more than {_FILES} files")
    for line in lines[1:]:
        match = _ENTRY.fullmatch(line)
        if match is None or len(match.group(1)) != _LISTS[field] or match.group(3) in listed:
            raise bad_package(path, f"its {field} has the line {line[:160]!r}")
        listed[match.group(3)] = (int(match.group(2)), match.group(1))
    return listed


def _names(name: str, version: str) -> re.Pattern[str]:
    """What dpkg-source calls the files of this version (dpkg-source(1))."""
    whole = version.partition(":")[2] or version
    upstream = whole.rpartition("-")[0] or whole
    packed = r"tar\.(?:gz|bz2|xz|lzma)"
    original = rf"{re.escape(upstream)}\.orig(?:-[A-Za-z0-9-]{{1,64}})?\.{packed}"
    ours = rf"{re.escape(whole)}\.(?:(?:debian\.)?{packed}|diff\.gz|git|gitshallow)"
    return re.compile(rf"{re.escape(name)}_(?:{original}|{ours})(?:\.asc)?")


def _files(fields: dict[str, str], path: str) -> dict[str, tuple[int, str]]:
    """Size and SHA-256 of the files, by name; all lists of the .dsc must name the same files."""
    missing = [field for field in ("files", "checksums-sha256") if field not in fields]
    if missing:
        raise bad_package(path, f"it has no field {missing[0]}")
    lists = {field: _listed(fields, field, path) for field in _LISTS if field in fields}
    wanted = lists["checksums-sha256"]
    sizes = {name: size for name, (size, _digest) in wanted.items()}
    if not wanted or any({name: one[0] for name, one in each.items()} != sizes for each in lists.values()):
        raise bad_package(path, "its lists of files are empty, or name different files or sizes")
    return wanted


def _checked_file(folder: int, name: str, size: int, digest: str, path: str) -> SourceFile:
    """A regular file in the open ``folder`` with this size and digest; links are not followed."""
    where = os.path.join(os.path.dirname(path), name)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise bad_package(path, f"{name}, which it names, is not a regular file") from error
        raise DistrogateError(
            "not_found", f"{where}, which {path} names, cannot be read: {error.strerror}.", path=where
        ) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise bad_package(path, f"{name}, which it names, is not a regular file")
        if found.st_size != size:
            raise bad_package(
                path, f"{name} should have {size} bytes (SHA-256 {digest}), not {found.st_size}"
            )
        hasher, left = hashlib.sha256(), size
        while left > 0 and (block := os.read(descriptor, min(left, _BLOCK))):
            hasher.update(block)
            left -= len(block)
    finally:
        os.close(descriptor)
    if hasher.hexdigest() != digest:
        raise bad_package(path, f"{name} has the SHA-256 {hasher.hexdigest()}, but should have {digest}")
    return SourceFile(name, digest, size, where)


def _index_text(text: str, name: str) -> str:
    """The .dsc's text without its name and lists of files, which an index has in its own way."""
    kept = [f"Package: {name}"]
    skip = False
    for line in text.split("\n"):
        if line[0] not in " \t":
            field = line.partition(":")[0].lower()
            skip = field in ("source", "files") or field.startswith("checksums-")
        if not skip:
            kept.append(line)
    return "\n".join(kept)


def read_dsc(path: str) -> SourcePackage:
    """Read and verify a .dsc and all files that it names; a signature around it is not verified."""
    with PackageFile(path) as file:
        data = file.at(0, _SIZE + 1)
    if len(data) > _SIZE:
        raise bad_package(path, f"it is larger than {_SIZE} bytes")
    fields, text = parse_control(_signed_part(data, path), path)
    for field in _OURS.intersection(fields):
        raise bad_package(path, f"it has the field {field}, which belongs to the repository")
    name, version = _value(fields, "source", _NAME, path), _value(fields, "version", _VERSION, path)
    _value(fields, "format", _FORMAT, path)
    for optional, pattern in (("binary", _BINARIES), ("architecture", _ARCHITECTURES)):
        if optional in fields:
            _value(fields, optional, pattern, path)
    own = f"{name}_{version.partition(':')[2] or version}.dsc"
    if os.path.basename(path) != own:
        raise bad_package(path, f"its name should be {own}")
    wanted, pattern = _files(fields, path), _names(name, version)
    for listed in wanted:
        if not pattern.fullmatch(listed):
            raise bad_package(path, f"it names the file {listed!r}, which is not one of its own")
    digest = hashlib.sha256(data).hexdigest()
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        files = [_checked_file(folder, one, size, sha256, path) for one, (size, sha256) in wanted.items()]
    finally:
        os.close(folder)
    itself = SourceFile(own, digest, len(data), path)
    return SourcePackage(name, version, digest, (itself, *files), _index_text(text, name))
