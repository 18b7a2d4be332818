# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a state is whole: what InRelease, Release and repomd.xml name is there, with that digest."""

from __future__ import annotations

import posixpath
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._repomd import read_repomd

_PACKED = re.compile(r"\.(gz|xz|bz2|zst|lzma|lz4|lz)$")
_SHA256_LINE = re.compile(r"^ ([0-9a-f]{64}) +([0-9]+) +(\S+)$")

Find = t.Callable[[t.Iterable[bytes]], t.Mapping[bytes, Entry]]


def names_others(path: bytes) -> bool:
    """Whether a file says what its repository is made of."""
    folder, _slash, name = path.rpartition(b"/")
    return name in (b"InRelease", b"Release") or (
        name == b"repomd.xml" and folder.rsplit(b"/", 1)[-1] == b"repodata"
    )


def open_ends(contents: t.Mapping[bytes, bytes], find: Find) -> list[str]:
    """What these files name and ``find`` does not find: empty when the state is whole."""
    problems = []
    for path, data in sorted(contents.items()):
        found = (
            _of_repomd(path, data, find) if path.endswith(b"repomd.xml") else _of_release(path, data, find)
        )
        problems += [f"{path.decode('utf-8', 'backslashreplace')}: {problem}" for problem in found]
    return problems


def release_names(text: str) -> t.Iterator[tuple[str, str]]:
    """(path, sha256) of each line in the SHA256 section of a Release or InRelease file."""
    inside = False
    for line in text.splitlines():
        if not line.startswith(" "):
            inside = line.strip().lower() == "sha256:"
        elif inside:
            match = _SHA256_LINE.match(line)
            if match:
                yield match.group(3), match.group(1)


class _Form(t.NamedTuple):
    """One form of an index, packed or not: its path by name, and by its digest."""

    name: str
    sha256: str
    named: bytes
    addressed: bytes


def _of_release(path: bytes, data: bytes, find: Find) -> t.Iterator[str]:
    root = path[: len(path) - len(path.rsplit(b"/", 1)[-1])]
    forms = []
    for name, sha256 in release_names(data.decode("utf-8", "replace")):
        addressed = posixpath.join(posixpath.dirname(name), "by-hash/SHA256", sha256)
        forms.append(_Form(name, sha256, root + name.encode(), root + addressed.encode()))
    found = find([place for form in forms for place in (form.named, form.addressed)])
    there: dict[str, bool] = {}
    for form in forms:
        stem = _PACKED.sub("", form.name)
        there.setdefault(stem, False)
        for place in (form.named, form.addressed):
            if place in found:
                there[stem] = True
                if found[place].sha256 != form.sha256:
                    shown = form.name if place == form.named else f"by-hash/SHA256/{form.sha256}"
                    yield f"{shown} is not the file that it names"
    # Archives list the unpacked index too and publish only the packed ones.
    yield from (f"{stem} is missing" for stem, present in there.items() if not present)


def _of_repomd(path: bytes, data: bytes, find: Find) -> t.Iterator[str]:
    root = path[: -len(b"repodata/repomd.xml")]
    repomd = read_repomd(data)
    if repomd.error:
        yield repomd.error
    found = find([root + one.href.encode("utf-8", "replace") for one in repomd.data if one.href])
    for one in repomd.data:
        entry = found.get(root + one.href.encode("utf-8", "replace"))
        if one.href and entry is None:
            yield f"{one.href} is missing"
        elif entry is not None and one.sha256 and entry.sha256 != one.sha256:
            yield f"{one.href} is not the file that it names"
