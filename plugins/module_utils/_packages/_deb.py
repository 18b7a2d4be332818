# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a .deb made by a stranger: the control fields, with the standard library, bounded."""

from __future__ import annotations

import lzma
import os
import re
import stat
import subprocess
import tempfile
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import base_environment, end_group
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_PACKED = 16 << 20  # bytes of control.tar.* that are read
_UNPACKED = 64 << 20  # bytes of control.tar
_CONTROL = 1 << 20  # bytes of the control file
_MEMBERS = 64  # members of the ar archive that are looked at
_FIELD = re.compile(r"[!\"$-,.-9;-~][!-9;-~]*")
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{1,127}")
_VERSION = re.compile(r"(?:[0-9]{1,9}:)?[0-9][A-Za-z0-9.+~-]{0,127}")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SOURCE = re.compile(r"([a-z0-9][a-z0-9+.-]{1,127})(?: \([A-Za-z0-9.+~:-]+\))?")
_OURS = frozenset(("filename", "size", "md5sum", "sha1", "sha256", "sha512"))


def bad_package(path: str, why: str) -> DistrogateError:
    """The error for a file that is not a package we would publish."""
    return DistrogateError("bad_package", f"{path} is not a package that can be published: {why}.", path=path)


def open_package(path: str) -> t.BinaryIO:
    """Open a regular file; a pipe or a device would block or never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise DistrogateError(
            "not_found", f"The package {path} cannot be read: {error.strerror}.", path=path
        ) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise bad_package(path, "it is not a regular file")
    return os.fdopen(descriptor, "rb")


def _number(field: bytes, base: int, path: str) -> int:
    text = field.strip(b" \0")
    digits = b"01234567" if base == 8 else b"0123456789"
    if not text or text.strip(digits):
        raise bad_package(path, "a size in the archive is not a number")
    return int(text, base)


def _control_member(stream: t.BinaryIO, path: str) -> tuple[str, bytes]:
    """Name and bytes of control.tar*, after a walk over all members that proves the file whole."""
    total = os.fstat(stream.fileno()).st_size
    if stream.read(8) != b"!<arch>\n":
        raise bad_package(path, "it is not an ar archive")
    found: tuple[str, bytes] | None = None
    names: list[str] = []
    offset = 8
    while offset < total and len(names) < _MEMBERS:
        stream.seek(offset)
        header = stream.read(60)
        if len(header) != 60 or header[58:] != b"`\n":
            raise bad_package(path, "it is cut off or broken")
        name, size = header[:16].decode("latin-1").rstrip(" ").rstrip("/"), _number(header[48:58], 10, path)
        if offset + 60 + size > total:
            raise bad_package(path, "it is cut off")
        if not names and (name != "debian-binary" or not stream.read(min(size, 2)) == b"2."):
            raise bad_package(path, "its first member is not debian-binary of format 2")
        if found is None and (name == "control.tar" or name.startswith("control.tar.")):
            if size > _PACKED:
                raise bad_package(path, f"its control archive is larger than {_PACKED} bytes")
            found = (name, stream.read(size))
        names.append(name)
        offset += 60 + size + size % 2
    if found is None or not any(name.startswith("data.tar") for name in names):
        raise bad_package(path, "it has no control or no data archive")
    return found


def _unzstd(data: bytes, path: str) -> bytes:
    """Unpack with the program zstd, reading no more than the limit."""
    with tempfile.TemporaryFile() as packed:
        packed.write(data)
        packed.seek(0)
        try:
            process = subprocess.Popen(
                ["zstd", "-dcq", "--memory=128MB"],
                stdin=packed,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=base_environment(),
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise DistrogateError(
                "missing_tool",
                f"Reading {path} needs the program zstd. Install the package zstd.",
                tool="zstd",
            ) from error
        try:
            output = t.cast(t.IO[bytes], process.stdout).read(_UNPACKED + 1)
            if len(output) <= _UNPACKED and process.wait() != 0:
                raise bad_package(path, "its control archive is broken")
        finally:
            end_group(process)
            if process.stdout is not None:
                process.stdout.close()
    return output


def _unpack(name: str, data: bytes, path: str) -> bytes:
    limit = _UNPACKED + 1
    try:
        if name == "control.tar":
            output = data
        elif name == "control.tar.gz":
            output = zlib.decompressobj(31).decompress(data, limit)
        elif name == "control.tar.xz":
            output = lzma.LZMADecompressor(memlimit=128 << 20).decompress(data, limit)
        elif name == "control.tar.zst":
            output = _unzstd(data, path)
        else:
            raise bad_package(path, f"the compression of {name!r} is not known")
    except (zlib.error, lzma.LZMAError, EOFError) as error:
        raise bad_package(path, f"its control archive is broken ({error})") from error
    if len(output) >= limit:
        raise bad_package(path, f"its control archive unpacks to more than {_UNPACKED} bytes")
    return output


def _control_file(tar: bytes, path: str) -> bytes:
    """The member ``control`` of a tar in memory: header by header, nothing is ever extracted."""
    offset = 0
    while offset + 512 <= len(tar):
        header = tar[offset : offset + 512]
        if not header.strip(b"\0"):
            break
        name, size = header[:100].split(b"\0")[0], _number(header[124:136], 8, path)
        if name in (b"./control", b"control") and header[156:157] in (b"0", b"\0"):
            if size > _CONTROL or offset + 512 + size > len(tar):
                raise bad_package(path, f"its control file is cut off or larger than {_CONTROL} bytes")
            return tar[offset + 512 : offset + 512 + size]
        offset += 512 + (size + 511) // 512 * 512
    raise bad_package(path, "it has no control file")


def parse_control(data: bytes, path: str) -> tuple[dict[str, str], str]:
    """Check one paragraph; returns its fields by lower-case name and its text without the last newline.

    What would end the paragraph early, or speak for the repository (Filename,
    Size, digests), is refused: it could forge another package's entry.
    """
    try:
        text = data.decode("utf-8").strip("\n")
    except UnicodeDecodeError as error:
        raise bad_package(path, "its control file is not UTF-8") from error
    if re.search("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]", text):
        raise bad_package(path, "its control file has control characters")
    fields: dict[str, str] = {}
    last = ""
    for line in text.split("\n"):
        if not line.strip():
            raise bad_package(path, "its control file has more than one paragraph")
        if line[0] in " \t":
            if not last:
                raise bad_package(path, "its control file begins with a continuation line")
            fields[last] += "\n" + line
            continue
        name, colon, value = line.partition(":")
        last = name.lower()
        if not colon or not _FIELD.fullmatch(name) or last in fields:
            raise bad_package(
                path, f"its control file has a line that is no field, or a field twice: {line[:60]!r}"
            )
        if last in _OURS:
            raise bad_package(path, f"its control file has the field {name}, which belongs to the repository")
        fields[last] = value.strip()
    return fields, text


def _valid(fields: dict[str, str], name: str, pattern: re.Pattern[str], path: str) -> str:
    value = fields.get(name, "")
    if not pattern.fullmatch(value):
        raise bad_package(path, f"its {name} {value[:80]!r} does not follow Debian's policy")
    return value


def read_deb(path: str) -> dict[str, str]:
    """The facts of a binary package: name, version, architecture, source, control (its text)."""
    with open_package(path) as stream:
        member, packed = _control_member(stream, path)
    fields, text = parse_control(_control_file(_unpack(member, packed, path), path), path)
    name = _valid(fields, "package", _NAME, path)
    fields.setdefault("source", name)
    source = _valid(fields, "source", _SOURCE, path).split(" ")[0]
    return {
        "name": name,
        "version": _valid(fields, "version", _VERSION, path),
        "architecture": _valid(fields, "architecture", _ARCHITECTURE, path),
        "source": source,
        "control": text,
    }
