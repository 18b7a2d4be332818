# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a file is to its readers: switch file, plain-name index file, or content that never changes."""

from __future__ import annotations

import posixpath
import re
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._listing import Listing

CONTENT = "content"
PLAIN = "plain"
SWITCH = "switch"

_INDEX = re.compile(rb"^(Release(\.gpg)?|(Packages|Sources|Contents-[^/]+)(\.[a-z0-9]{1,5})?)$")
_CHECKSUM_NAMED = re.compile(rb"^[0-9a-f]{32,128}-")
_PACKED = re.compile(r"\.(gz|xz|bz2|zst|lzma|lz4|lz)$")
_SHA256_LINE = re.compile(r"^ ([0-9a-f]{64}) +([0-9]+) +(\S+)$")


def classify(path: bytes) -> str:
    """The class of one path.

    Switch files name all the others: a reader that has one finds the rest by
    content-addressed names. Plain-name files have names that the next state
    uses again. Everything else is taken as content: its name is never reused.
    """
    folders, name = path.split(b"/")[:-1], path.split(b"/")[-1]
    if name == b"InRelease" or (name == b"repomd.xml" and folders[-1:] == [b"repodata"]):
        return SWITCH
    if b"by-hash" in folders:
        return CONTENT
    if folders[-1:] == [b"repodata"]:
        return CONTENT if _CHECKSUM_NAMED.match(name) else PLAIN
    if b"dists" in folders or _INDEX.match(name) or name == b"key.asc":
        return PLAIN
    return CONTENT


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


def _missing_of_release(path: bytes, text: str, listing: Listing) -> t.Iterator[str]:
    root = path[: -len(path.rsplit(b"/", 1)[-1])]
    by_stem: dict[str, list[tuple[str, bool]]] = {}
    for name, sha256 in release_names(text):
        full = root + name.encode()
        entry = listing.get(full)
        if entry is not None and entry.sha256 != sha256:
            yield f"{name} is not the file that it names"
        addressed = root + posixpath.join(posixpath.dirname(name), "by-hash/SHA256", sha256).encode()
        by_stem.setdefault(_PACKED.sub("", name), []).append(
            (name, entry is not None or addressed in listing)
        )
    for stem, forms in by_stem.items():
        # Archives list the unpacked index too and publish only the packed ones.
        if not any(present for form, present in forms):
            yield f"{stem} is missing"


def repomd_names(data: bytes) -> t.Iterator[tuple[str, str | None]]:
    """(href, sha256 or None) of each record in a repomd.xml."""
    from xml.etree import ElementTree  # costs milliseconds

    for record in ElementTree.fromstring(data):
        if record.tag.rsplit("}", 1)[-1] != "data":
            continue
        href, sha256 = None, None
        for child in record:
            tag = child.tag.rsplit("}", 1)[-1]
            if tag == "location":
                href = child.get("href")
            elif tag == "checksum" and child.get("type") == "sha256":
                sha256 = (child.text or "").strip()
        if href:
            yield href, sha256


def _missing_of_repomd(path: bytes, data: bytes, listing: Listing) -> t.Iterator[str]:
    from xml.etree import ElementTree  # costs milliseconds

    root = path[: -len(b"repodata/repomd.xml")]
    try:
        names = list(repomd_names(data))
    except ElementTree.ParseError as error:
        yield f"is not XML: {error}"
        return
    for href, sha256 in names:
        entry = listing.get(root + href.encode())
        if entry is None:
            yield f"{href} is missing"
        elif sha256 is not None and entry.sha256 != sha256:
            yield f"{href} is not the file that it names"


def open_ends(listing: Listing, read: t.Callable[[bytes], bytes]) -> list[str]:
    """What the index files name and the listing lacks: empty when the state is whole."""
    problems = []
    for path in sorted(listing):
        name = path.rsplit(b"/", 1)[-1]
        if name in (b"InRelease", b"Release"):
            found = _missing_of_release(path, read(path).decode("utf-8", "replace"), listing)
        elif classify(path) == SWITCH:
            found = _missing_of_repomd(path, read(path), listing)
        else:
            continue
        problems += [f"{path.decode('utf-8', 'backslashreplace')}: {problem}" for problem in found]
    return problems
