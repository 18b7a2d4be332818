# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between the debs and the rpms under attack."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile import (
    ar,
    debs_archive,
    debs_control,
    debs_data,
    debs_members,
    debs_packed,
    debs_tar,
    dscs,
    dscs_text,
    inputs,
    rpm_writer,
    rpms_cut,
    rpms_index,
    rpms_text,
)
from ansible_collections.distrogate.ci.tests.faults.hostile.apt_reader import AptReader
from ansible_collections.distrogate.ci.tests.faults.hostile.case import PUBLISHED, Case, Source, written
from ansible_collections.distrogate.ci.tests.faults.hostile.rpm_reader import RpmReader


class Reader(t.Protocol):
    def digests(self) -> set[str]: ...

    def compare(self, digest: str, package: pathlib.Path, scratch: str) -> str: ...


def good_deb(name: str, version: bytes = b"1.0", text: bytes = b"a package") -> bytes:
    return ar.deb(ar.control(name, Version=version, Description=text))


def good_rpm(name: str, version: bytes = b"1.0", text: bytes = b"a package") -> bytes:
    tags = rpm_writer.good_tags(name)
    tags[rpm_writer.VERSION] = rpm_writer.texts(rpm_writer.STRING, version)
    tags[rpm_writer.SUMMARY] = rpm_writer.texts(rpm_writer.I18N, text)
    return rpm_writer.rpm(tags)


@dataclasses.dataclass(frozen=True)
class Format:
    """``generators`` make the cases; ``options`` are those of the module besides the common ones.

    ``readers`` are patterns of the product's files that look into packages: their
    branches are counted.
    """

    module: str
    suffix: str
    reader: t.Callable[[pathlib.Path], Reader]
    good: inputs.Good
    generators: tuple[t.Callable[[Source], t.Iterator[Case]], ...]
    options: dict[str, t.Any]
    readers: tuple[str, ...]

    def cases(self, source: Source) -> t.Iterator[Case]:
        for generator in self.generators:
            yield from generator(source)
        if "contents" not in self.options:
            yield from inputs.cases(self.suffix[1:], self.suffix, source, self.good)

    def good_case(self, source: Source, kind: str) -> Case:
        """A package that nobody could refuse."""
        return written(kind, "", f"{source.fresh()}{self.suffix}", self.good(source.fresh()), PUBLISHED)


FORMATS = {
    "apt": Format(
        "apt_publish",
        ".deb",
        AptReader,
        good_deb,
        (
            debs_control.cases,
            debs_archive.cases,
            debs_members.cases,
            debs_tar.cases,
            debs_packed.cases,
            dscs.cases,
            dscs_text.cases,
        ),
        {"suite": "bookworm"},
        ("_deb*.py", "_dsc*.py", "_package_file.py"),
    ),
    "contents": Format(
        "apt_publish",
        ".deb",
        AptReader,
        good_deb,
        (debs_data.cases,),
        {"suite": "bookworm", "contents": True},
        ("_contents*.py", "_inflate*.py"),
    ),
    "rpm": Format(
        "rpm_publish",
        ".rpm",
        RpmReader,
        good_rpm,
        (rpms_text.cases, rpms_index.cases, rpms_cut.cases),
        {},
        ("_rpm_read*.py", "_package_file.py"),
    ),
}
