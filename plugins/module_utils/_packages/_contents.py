# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files a .deb installs, as a Contents index names them.

The tar headers are read here, not by tarfile, which believes what sizes they
give. A Contents index (wiki.debian.org/DebianRepository/Format) escapes
nothing: names stand in it as they are, in UTF-8, whatever blanks they have.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._inflate import DataTar
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import bad_package

_MEMBERS = 1_000_000  # members of the tar
_NAME = 4096  # bytes of a name, and of a link's target
_TEXT = 64 << 20  # bytes of all names
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LEADING = re.compile(rb"(?:\.?/)+")
_WHERE = re.compile(r"[!-+.-~-]{1,300}")  # one word without a comma, which would make two packages of it
_DIRECTORY, _PAX, _LONG_NAME, _LONG_LINK = b"5", b"xgX", b"L", b"K"
_FILES, _OTHERS = b"0\x007", b"12346"  # with contents; links, devices and pipes


def _number(field: bytes, path: str) -> int:
    """A number of a tar header: octal digits, or GNU's binary form for what has too many of them."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if digits.strip(b"01234567"):
        raise bad_package(path, "a number in its data archive is broken")
    return int(digits or b"0", 8)


def _header(block: bytes, path: str) -> tuple[bytes, bytes, int]:
    """Name, type and size from a header of a tar (POSIX.1-1988, or GNU's)."""
    if len(block) != 512 or sum(block) - sum(block[148:156]) + 256 != _number(block[148:156], path):
        raise bad_package(path, "its data archive is cut off or broken")
    name = block[:100].partition(b"\0")[0]
    prefix = block[345:500].partition(b"\0")[0]
    if block[257:263] == b"ustar\0" and prefix:
        name = prefix + b"/" + name
    return name, block[156:157], _number(block[124:136], path)


def _members(tar: DataTar, path: str) -> t.Iterator[tuple[bytes, bytes]]:
    """Name and type of each member, with GNU's long names put where they belong."""
    long_name: bytes | None = None
    for _number in range(2 * _MEMBERS):
        block = tar.read(512)
        if not block.strip(b"\0"):
            return  # the end, marked or not
        name, kind, size = _header(block, path)
        padded = size + -size % 512
        if kind in (_LONG_NAME, _LONG_LINK):
            if size > _NAME + 1:
                raise bad_package(path, f"its data archive has a name of more than {_NAME} bytes")
            data = tar.read(padded)
            if len(data) != padded:
                raise bad_package(path, "its data archive is cut off")
            if kind == _LONG_NAME:
                long_name = data[:size].partition(b"\0")[0]
            continue
        if kind in _PAX:
            raise bad_package(path, "its data archive has pax headers, which dpkg does not unpack")
        if kind not in _DIRECTORY + _FILES + _OTHERS or (size and kind not in _FILES):
            raise bad_package(path, f"its data archive has a member of type {kind!r} and {size} bytes")
        yield name if long_name is None else long_name, kind
        long_name = None
        tar.skip(padded)
    raise bad_package(path, f"its data archive has more than {_MEMBERS} members")


def _text(name: bytes, path: str) -> str:
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        text = name.decode("latin-1")  # as Debian's archive does
    if _CONTROL.search(text) or ".." in text.split("/"):
        raise bad_package(path, f"its data archive has the file name {text[:200]!r}")
    return text


def contents_of(path: str, timeout: float = 600) -> list[str]:
    """The names of all that a .deb installs but directories, sorted, without a leading "./".

    ``timeout`` is in seconds. Errors: ``not_found``, ``missing_tool``, ``bad_package``.
    """
    names: set[str] = set()
    left = _TEXT
    count = 0
    with DataTar(path, timeout) as tar:
        for whole, kind in _members(tar, path):
            leading = _LEADING.match(whole)
            name = whole[leading.end() :] if leading else whole
            count += 1
            left -= len(name)
            if len(name) > _NAME or left < 0 or count > _MEMBERS:
                raise bad_package(
                    path, f"its file names are longer than {_NAME} or {_TEXT} bytes, or too many"
                )
            text = _text(name, path)
            if kind != _DIRECTORY and text and not text.endswith("/"):
                names.add(text)
    return sorted(names)


def contents_lines(names: t.Iterable[str], where: str) -> str:
    """Lines of a Contents index; ``where`` is the package as SECTION/NAME, or NAME."""
    if not _WHERE.fullmatch(where):
        raise DistrogateError("bad_name", f"{where!r} is not a package's section/name.")
    return "".join([f"{name:<55} {where}\n" for name in names])
