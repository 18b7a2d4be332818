# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repomd.xml says, read without entities: they could make a small file a large one."""

from __future__ import annotations

import typing as t


class Data(t.NamedTuple):
    """One file that a repomd.xml names; what it does not say is empty."""

    href: str
    sha256: str
    timestamp: str


class Repomd(t.NamedTuple):
    """``error`` says why it is no repomd.xml."""

    revision: str
    data: list[Data]
    error: str = ""


class _Reader:
    """Collects the texts of the elements that matter."""

    def __init__(self) -> None:
        self.revision = ""
        self.data: list[Data] = []
        self._path: list[str] = []
        self._one: dict[str, str] = {}
        self._key = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rsplit(":", 1)[-1]
        self._path.append(name)
        self._key = ""
        if self._path[1:] == ["data"]:
            self._one = {}
        elif self._path[1:] == ["data", "location"]:
            self._one["href"] = attributes.get("href", "")
        elif self._path[1:] == ["data", "checksum"] and attributes.get("type") == "sha256":
            self._key = "sha256"
        elif self._path[1:] in (["data", "timestamp"], ["revision"]):
            self._key = name

    def text(self, text: str) -> None:
        if self._key == "revision":
            self.revision += text
        elif self._key:
            self._one[self._key] = self._one.get(self._key, "") + text

    def end(self, _tag: str) -> None:
        if self._path[1:] == ["data"]:
            found = {key: self._one.get(key, "").strip() for key in ("href", "sha256", "timestamp")}
            self.data.append(Data(**found))
        self._path.pop()
        self._key = ""


def _refuse(*_declaration: t.Any) -> None:
    raise ValueError("it declares entities")


def read_repomd(data: bytes) -> Repomd:
    """Read the file; never raises for what a stranger wrote."""
    from xml.parsers import expat  # only when a repomd.xml changed

    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        return Repomd("", [], f"it is not XML: {error}")
    except ValueError as error:
        return Repomd("", [], str(error))
    return Repomd(reader.revision.strip(), reader.data)
