# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site adds to an rpm repository's metadata: groups (comps.xml) and errata (updateinfo.xml).

The files are published as they are, so that what is checked is that a client
can read them without harm: well-formed, the right kind, nothing that expands.
"""

from __future__ import annotations

import typing as t
from xml.parsers import expat

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import open_package

_SIZE = 64 << 20  # bytes of a file
_BLOCK = 1 << 16
_TOKEN = 1 << 20  # bytes of one tag
_DEPTH = 32  # elements in each other
_NAMES = 1000  # different names of elements and attributes


def _bad(path: str, kind: str, why: str) -> DistrogateError:
    return DistrogateError("bad_metadata", f"{path} cannot be published as {kind}: {why}.", path=path)


class _Checker:
    """Handlers of expat that refuse what no such file needs."""

    def __init__(self, path: str, kind: str, root: str) -> None:
        self._path, self._kind, self._root = path, kind, root
        self._depth = 0
        self._names: set[str] = set()
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._entity
        self._parser.SkippedEntityHandler = self._entity

    def _refuse(self, why: str) -> t.NoReturn:
        raise _bad(self._path, self._kind, f"line {self._parser.CurrentLineNumber}: {why}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and name != self._root:
            self._refuse(f"its root is <{name[:80]}>, not <{self._root}>")
        self._depth += 1
        self._names.add(name)
        self._names.update(attributes)
        if self._depth > _DEPTH or len(self._names) > _NAMES:
            self._refuse(f"it has more than {_DEPTH} elements in each other, or {_NAMES} names")

    def _end(self, name: str) -> None:  # noqa: ARG002 -- expat's interface
        self._depth -= 1

    def _doctype(self, name: str, system: str | None, public: str | None, subset: int) -> None:  # noqa: ARG002
        if subset:
            self._refuse("it has a document type with declarations")

    def _entity(self, *_: t.Any) -> t.NoReturn:
        self._refuse("it has entities of its own")

    def check(self, data: bytes) -> None:
        try:
            for start in range(0, len(data), _BLOCK):
                self._parser.Parse(data[start : start + _BLOCK], False)
                if start - max(self._parser.CurrentByteIndex, 0) > _TOKEN:
                    self._refuse(f"it has a tag of more than {_TOKEN} bytes")
            self._parser.Parse(b"", True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise _bad(self._path, self._kind, f"it is not well-formed ({error})") from error


def _read(path: str, kind: str, root: str) -> bytes:
    with open_package(path) as stream:
        data = stream.read(_SIZE + 1)
    if len(data) > _SIZE:
        raise _bad(path, kind, f"it is larger than {_SIZE} bytes")
    _Checker(path, kind, root).check(data)
    return data


def read_comps(path: str) -> bytes:
    """The bytes of a comps.xml, which repomd.xml lists as ``group``; ``bad_metadata``, ``not_found``."""
    return _read(path, "comps.xml", "comps")


def read_updateinfo(path: str) -> bytes:
    """The bytes of an updateinfo.xml, which repomd.xml lists as ``updateinfo``; errors as for comps."""
    return _read(path, "updateinfo.xml", "updates")
