# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading an .rpm made by a stranger, with the bindings of createrepo_c, after a look at its sizes."""

from __future__ import annotations

import os
import re
import struct
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._isolated import isolated
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Origin, Package, Read
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import (
    PackageFile,
    bad_package,
)

TABLE = "packages"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~^]{0,127}")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9_]{0,31}")
_HEADER = 16 << 20  # bytes of one header that librpm may be given; it takes many times that
_VALUES = 300_000  # of one tag: more files than any package has
_IDENTITY = frozenset((1000, 1001, 1002, 1003, 1022))  # name, version, release, epoch, arch
_MEMORY = 128 << 20  # bytes that reading one may take
_SECONDS = 60  # of processor time for one
_NO_XML = re.compile("[\ufffe\uffff]")
_CHANGELOGS = 10  # newest entries of a changelog that are shown, as createrepo_c does


def bindings() -> t.Any:
    """The Python module createrepo_c; error ``missing_tool``."""
    try:
        import createrepo_c
    except ImportError as error:
        raise DistrogateError(
            "missing_tool",
            "The Python module createrepo_c is missing on the repository host. Install python3-createrepo-c"
            " (Debian) or python3-createrepo_c (Fedora), and use the system's Python for modules.",
            tool="createrepo_c",
        ) from error
    return createrepo_c


def check_rpm(file: PackageFile) -> None:
    """Look at lead and headers (rpm's manual, format V4) before librpm does: it allocates what they say."""
    lead = file.at(0, 96)
    if len(lead) != 96 or lead[:4] != b"\xed\xab\xee\xdb":
        raise bad_package(file.path, "it is not an rpm")
    begin = 96
    for which in ("signature", "main"):
        head = file.at(begin, 16)
        if len(head) != 16 or head[:3] != b"\x8e\xad\xe8":
            raise bad_package(file.path, f"its {which} header is missing")
        entries, size = struct.unpack(">II", head[8:])
        length = 16 + 16 * entries + size
        if length > _HEADER or begin + length > file.size:
            raise bad_package(file.path, f"its {which} header is cut off or larger than {_HEADER} bytes")
        _check_index(file.at(begin + 16, 16 * entries), which, file.path)
        begin += length + (-length % 8 if which == "signature" else 0)


def _check_index(index: bytes, which: str, path: str) -> None:
    """No list is too long, and what identifies the package is there once, with one value."""
    seen: set[int] = set()
    for tag, _kind, _offset, count in struct.iter_unpack(">IIII", index):
        if count > _VALUES:
            raise bad_package(path, f"its {which} header has a list of more than {_VALUES} values")
        if which == "main" and tag in _IDENTITY:
            if tag in seen or count != 1:
                raise bad_package(path, "its name, epoch, version, release or arch has two values")
            seen.add(tag)


def read_rpms(paths: t.Sequence[str]) -> t.Iterator[Read]:
    """Packages and their entries in primary, filelists and other.

    librpm and createrepo_c are C, and may crash or grow with what strangers made:
    they read in a child process.
    """
    if paths:
        bindings()  # its error is this process's, and the child has it loaded
    results = isolated(_read, paths, bad_package, memory=_MEMORY, seconds=_SECONDS)
    for facts, lanes, origin in results:
        name, version, architecture, sha256, size, place = facts
        package = Package(name, version, architecture, sha256, size, place, TABLE, tuple(lanes))
        yield Read(package, (Origin(*origin),))


def _read(path: str) -> tuple[tuple[str, ...], tuple[str, ...], Origin]:
    """Facts, entries and origin of one package."""
    crc = bindings()
    os.environ["HOME"] = os.devnull  # of the child: librpm would make a database in the user's home
    with PackageFile(path) as file:
        check_rpm(file)
        mark = file.mark
    try:
        found = crc.package_from_rpm(path, crc.SHA256, "", "", _CHANGELOGS)
        facts = _facts(found, path)
        found.location_href = facts[-1]
        found.time_file = found.time_build  # the arrival's time would give one package many entries
        lanes = tuple(text if text.endswith("\n") else text + "\n" for text in crc.xml_dump(found))
    except (UnicodeError, SystemError) as error:  # as the bindings tell of it
        raise bad_package(path, "its texts are not UTF-8") from error
    except (crc.CreaterepoCError, OSError, ValueError) as error:
        raise bad_package(path, str(error)) from error
    except MemoryError as error:
        raise bad_package(path, "reading it takes too much memory") from error
    if any(_NO_XML.search(text) for text in lanes):
        raise bad_package(path, "its texts have characters that XML does not know")
    return facts, lanes, Origin(path, mark)


def _facts(found: t.Any, path: str) -> tuple[t.Any, ...]:
    """Name, version, architecture, sha256, size and place, checked."""
    _check(found, path)
    epoch = f"{int(found.epoch)}:" if int(found.epoch or 0) else ""
    place = f"packages/{found.name[0].lower()}/{found.name}-{found.version}-{found.release}.{found.arch}.rpm"
    version = f"{epoch}{found.version}-{found.release}"
    return (found.name, version, found.arch, found.pkgId, found.size_package, place)


def _check(found: t.Any, path: str) -> None:
    for what, pattern in (
        ("name", _NAME),
        ("version", _VERSION),
        ("release", _VERSION),
        ("arch", _ARCHITECTURE),
    ):
        value = getattr(found, what) or ""
        if not pattern.fullmatch(value):
            raise bad_package(path, f"its {what} {value[:80]!r} does not follow the rules of rpm")
