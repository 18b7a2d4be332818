# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a .deb made by a stranger: the control fields, with the standard library, bounded."""

from __future__ import annotations

import lzma
import re
import subprocess
import tempfile
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import base_environment, end_group
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import (
    PackageFile,
    bad_package,
)

_PACKED = 16 << 20  # bytes of control.tar.* that are read
_UNPACKED = 64 << 20  # bytes of control.tar
_CONTROL = 1 << 20  # bytes of the control file
_MEMBERS = 64  # members of the ar archive that are looked at
_FIELD = re.compile(r"[!\"$-,.-9;-~][!-9;-~]*:")
# Fields (Debian policy 5.1), each with its continuation lines, none of which is blank.
_LINE = rf"{_FIELD.pattern}[^\n]*(?:\n[ \t]+[^ \t\n][^\n]*)*"
_PARAGRAPH = re.compile(rf"{_LINE}(?:\n{_LINE})*")
_FIELDS = re.compile(r"^([!-9;-~]+):([^\n]*(?:\n[ \t][^\n]*)*)", re.MULTILINE)
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{1,127}")
_VERSION = re.compile(r"(?:[0-9]{1,9}:)?[0-9][A-Za-z0-9.+~-]{0,127}")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_SOURCE = re.compile(r"([a-z0-9][a-z0-9+.-]{1,127})(?: \([A-Za-z0-9.+~:-]+\))?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_PLAIN = (b"0", b"\0", b"5")  # types of members: files and folders
_KIND = re.compile(r"u?deb|ddeb")
_SECTION = re.compile(r"[a-z0-9][a-z0-9/-]{0,63}")
_OURS = frozenset(("filename", "size", "md5sum", "sha1", "sha256", "sha512"))


def _control_member(file: PackageFile) -> tuple[str, bytes]:
    """Name and bytes of control.tar*, after a walk over all members (ar(5)) that proves the file whole."""
    path = file.path
    if file.at(0, 8) != b"!<arch>\n":
        raise bad_package(path, "it is not an ar archive")
    found: tuple[str, bytes] | None = None
    data, offset, members = False, 8, 0
    while offset < file.size and members < _MEMBERS:
        header = file.at(offset, 60)
        if len(header) != 60 or header[58:] != b"`\n":
            raise bad_package(path, "it is cut off or broken")
        name, digits = header[:16].rstrip(b" ").rstrip(b"/"), header[48:58].rstrip(b" ")
        if not digits.isdigit():
            raise bad_package(path, "a size in the archive is not a number")
        begin, size = offset + 60, int(digits)
        if begin + size > file.size:
            raise bad_package(path, "it is cut off")
        if not members and (name != b"debian-binary" or file.at(begin, min(size, 2)) != b"2."):
            raise bad_package(path, "its first member is not debian-binary of format 2")
        if name.startswith(b"control.tar"):
            if found is not None or data:
                raise bad_package(path, "its control archive stands twice, or behind the data archive")
            if size > _PACKED:
                raise bad_package(path, f"its control archive is larger than {_PACKED} bytes")
            found = (name.decode("latin-1"), file.at(begin, size))
        data = data or name.startswith(b"data.tar")
        members += 1
        offset = begin + size + size % 2
    if found is None or not data:
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


def _whole(unpacker: t.Any, data: bytes, limit: int) -> bytes:
    """Unpack one stream; readers differ in what they make of a second one, or of a part."""
    output = bytes(unpacker.decompress(data, limit))
    if len(output) < limit and (not unpacker.eof or unpacker.unused_data):
        raise EOFError("it is cut off, or something stands behind it")
    return output


def _unpack(name: str, data: bytes, path: str) -> bytes:
    limit = _UNPACKED + 1
    try:
        if name == "control.tar":
            output = data
        elif name == "control.tar.gz":
            output = _whole(zlib.decompressobj(31), data, limit)
        elif name == "control.tar.xz":
            output = _whole(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=128 << 20), data, limit)
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
    """The member ``control`` of a tar in memory: header by header, nothing is ever extracted.

    Anything that could give a reader like dpkg another ``control`` than this is
    refused: a second one, and members that rename the next one.
    """
    found: bytes | None = None
    offset = 0
    while offset + 512 <= len(tar):
        header = tar[offset : offset + 512]
        if not header.strip(b"\0"):
            break
        name, digits = header[:100].partition(b"\0")[0], header[124:136].strip(b" \0")
        if not digits or digits.strip(b"01234567"):
            raise bad_package(path, "a size in the archive is not a number")
        if header[156:157] not in _PLAIN:
            raise bad_package(path, "its control archive has more than plain files and folders")
        size = int(digits, 8)
        if name.strip(b"./") == b"control" and header[156:157] != b"5":
            if found is not None:
                raise bad_package(path, "its control archive has two control files")
            if size > _CONTROL or offset + 512 + size > len(tar):
                raise bad_package(path, f"its control file is cut off or larger than {_CONTROL} bytes")
            found = tar[offset + 512 : offset + 512 + size]
        offset += 512 + (size + 511) // 512 * 512
    if found is None:
        raise bad_package(path, "it has no control file")
    return found


def parse_control(data: bytes, path: str) -> tuple[dict[str, str], str]:
    """Check one paragraph; returns its fields by lower-case name and its text without the last newline.

    What would end the paragraph early, or speak for the repository (Filename,
    Size, digests), is refused: it could forge another package's entry.
    """
    try:
        text = data.decode("utf-8").strip("\n")
    except UnicodeDecodeError as error:
        raise bad_package(path, "its control file is not UTF-8") from error
    if _CONTROLS.search(text):
        raise bad_package(path, "its control file has control characters")
    if not _PARAGRAPH.fullmatch(text):
        raise bad_package(path, _why_no_paragraph(text))
    found = _FIELDS.findall(text)
    fields = {name.lower(): value.strip(" \t") for name, value in found}
    if len(fields) != len(found):
        raise bad_package(path, "its control file has a field twice")
    if not _OURS.isdisjoint(fields):
        name = min(_OURS.intersection(fields))
        raise bad_package(path, f"its control file has the field {name}, which belongs to the repository")
    return fields, text


def _why_no_paragraph(text: str) -> str:
    for line in text.split("\n"):
        if not line.strip():
            return "its control file has more than one paragraph, or an empty line"
        if line[0] not in " \t" and not _FIELD.match(line):
            return f"its control file has a line that is no field: {line[:60]!r}"
    return "its control file begins with a continuation line, or is empty"


def _valid(fields: dict[str, str], name: str, pattern: re.Pattern[str], path: str) -> str:
    value = fields.get(name, "")
    if not pattern.fullmatch(value):
        raise bad_package(path, f"its {name} {value[:80]!r} does not follow Debian's policy")
    return value


class Control(t.NamedTuple):
    """What a binary package says of itself; ``text`` is its control file without the last newline."""

    name: str
    version: str
    architecture: str
    source: str
    kind: str  # deb, udeb or ddeb
    section: str
    text: str


def read_deb(file: PackageFile) -> Control:
    """The control file of a binary package, checked."""
    path = file.path
    member, packed = _control_member(file)
    fields, text = parse_control(_control_file(_unpack(member, packed, path), path), path)
    name = _valid(fields, "package", _NAME, path)
    fields.setdefault("source", name)
    fields.setdefault("package-type", "deb")
    return Control(
        name=name,
        version=_valid(fields, "version", _VERSION, path),
        architecture=_valid(fields, "architecture", _ARCHITECTURE, path),
        source=_valid(fields, "source", _SOURCE, path).split(" ")[0],
        kind=_valid(fields, "package-type", _KIND, path),
        section=fields.get("section", "") if _SECTION.fullmatch(fields.get("section", "")) else "",
        text=text,
    )
