# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an image is to be: everything that decides what is in it, and nothing else."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

FORMATS = ("qcow2", "raw", "tar", "root")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_ELEMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}")
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{1,99}(:[a-z0-9-]{1,20})?(=[A-Za-z0-9.+:~-]{1,100})?")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_PROJECT = re.compile(r"(?!.*(^|/)\.{0,2}(/|$))[A-Za-z0-9._+/@~-]{1,200}")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SIZE = re.compile(r"([1-9][0-9]{0,14})([KMGT]?)(iB|B)?")
_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_LARGEST = 64 << 40  # bytes
_TEXT = 1 << 20  # characters of one value of a stranger
_MOST = 5000  # entries of one list


@dataclasses.dataclass(frozen=True)
class Source:
    """A project whose ``commit`` goes into the image; ``path`` is a checkout (or repository) on this host."""

    project: str
    path: str
    commit: str


@dataclasses.dataclass(frozen=True)
class Repository:
    """Packages that come before the distribution's: deb822 ``text``, and the ``digest`` of their state."""

    text: str
    digest: str


@dataclasses.dataclass(frozen=True)
class ImageRequest:
    """One image: ``size`` in bytes (0: as needed), ``mirror`` the distribution's own sources (deb822 text).

    ``element_path`` are folders that hold elements, the first one wins; of ``repositories`` the first one
    has the highest priority; ``base`` is the path of an image or archive to begin with, or "".
    """

    name: str
    builder: str
    suite: str = ""
    elements: tuple[str, ...] = ()
    element_path: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    repositories: tuple[Repository, ...] = ()
    base: str = ""
    formats: tuple[str, ...] = ("qcow2",)
    size: int = 0
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    mirror: str = ""
    architecture: str = "amd64"


def checked(request: ImageRequest) -> ImageRequest:
    """The request itself, when no name in it could be taken for a path, an option or a line of its own."""
    checked_name(request.name)
    _each("element", request.elements, _ELEMENT)
    _each("package", request.packages, _PACKAGE)
    _each("project", [source.project for source in request.sources], _PROJECT)
    projects = [source.project for source in request.sources]
    for name in sorted({one for one in projects if projects.count(one) > 1}):
        raise _bad(f"sources has two projects {name}: nobody could say which of them is in the image.")
    _each("commit", [source.commit for source in request.sources], _COMMIT)
    _each("environment variable", list(request.environment), _VARIABLE)
    words = [word for word in (request.suite, request.builder, request.architecture) if word]
    _each("suite, builder or architecture", words, _WORD)
    for name in request.formats:
        if name not in FORMATS:
            raise _bad(f"The format {name[:100]!r} is none of {', '.join(FORMATS)}.")
    for folder in (*request.element_path, *([request.base] if request.base else [])):
        if not folder.startswith("/") or "\0" in folder:
            raise _bad(f"{folder[:200]!r} is no absolute path. Give the path on the host that builds.")
    texts = [request.mirror, *request.environment.values(), *(one.text for one in request.repositories)]
    if any("\0" in text or len(text) > _TEXT for text in texts):
        raise _bad(f"A value holds NUL, or more than {_TEXT} characters.")
    return request


def checked_name(name: str) -> str:
    """The name of an image: a folder of its own."""
    if not _NAME.fullmatch(name):
        raise _bad(
            f"name {name[:100]!r} may have letters, digits and ._+- only, at most 64, and begins with one of"
            " the first two."
        )
    return name


def size_in_bytes(text: str | int | None) -> int:
    """``10G``, ``512MiB`` or a number of bytes; 0 for nothing."""
    match = _SIZE.fullmatch(str(text or "0").strip())
    if match is None:
        if str(text or "0").strip() == "0":
            return 0
        raise _bad(f"size {str(text)[:100]!r} is no size such as 10G, 512M or a number of bytes.")
    found = int(match[1]) << _UNITS[match[2]]
    if found > _LARGEST:
        raise _bad(f"size {text} is more than {_LARGEST} bytes.")
    return found


def _each(what: str, names: t.Sequence[str], pattern: re.Pattern[str]) -> None:
    if len(names) > _MOST:
        raise _bad(f"There are {len(names)} entries of the kind {what}: it takes {_MOST} at most.")
    for name in names:
        if not pattern.fullmatch(name):
            raise _bad(f"{name[:200]!r} cannot be the name of a {what}.")


def _bad(sentence: str) -> DistrogateError:
    return DistrogateError("bad_request", sentence)
