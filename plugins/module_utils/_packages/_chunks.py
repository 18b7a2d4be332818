# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chunks: the packages of a table in pieces that are kept with their index entries, compressed already.

A table's packages are sorted by name. A chunk ends where a name's own digest
says so, not after a number of packages: so a package that comes or goes changes
one chunk (two when it is itself such a border), and the same packages always
give the same chunks, whatever the order in which they came. A chunk's file has a
line of JSON that lists its packages, then each lane: its text, then the text
compressed as a gzip member (RFC 1952). Members that follow each other are one
gzip file (2.2 there), so that an index is put together from the chunks without
compressing anything anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    CHUNKS,
    Package,
    Ref,
    Table,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._spool import Spool

_LEVEL = 6
_CACHED = 4  # chunks that are kept parsed


def compress(data: bytes) -> bytes:
    """A gzip member without a time or a name in it: the same contents give the same bytes."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def is_border(name: str, spread: int) -> bool:
    """Whether a chunk begins at this name; about one name in ``spread`` is a border."""
    return zlib.crc32(name.encode()) % spread == 0


class Chunks:
    """The chunks of one repository: those in its folder, and new ones that are to be written there."""

    def __init__(self, root: str, spread: int) -> None:
        self.root = root
        self.spread = spread
        self.new = Spool()
        self.known: dict[str, Ref] = {}
        self._parsed: dict[tuple[str, str], list[Package]] = {}

    def know(self, tables: t.Iterable[Table]) -> None:
        """Chunks that exist already are not compressed again."""
        self.known.update((ref.digest, ref) for table in tables for ref in table)

    def path(self, digest: str) -> str:
        return inside(self.root, f"{CHUNKS}/{digest}")

    def read(self, ref: Ref, begin: int, into: memoryview) -> None:
        """Fill ``into`` from a chunk's file, beginning at the byte ``begin``."""
        if ref.digest in self.new:
            self.new.read(ref.digest, begin, into)
            return
        descriptor = self._open(ref.digest)
        try:
            if os.preadv(descriptor, [into], begin) != len(into):
                raise DistrogateError(
                    "bad_state", f"{self.path(ref.digest)} is cut off. Restore it from a backup."
                )
        finally:
            os.close(descriptor)

    def _open(self, digest: str) -> int:
        try:
            return os.open(self.path(digest), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # where a killed writer has decided, but not finished
            path = Transactions(self.root).pending(f"{CHUNKS}/{digest}")
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise DistrogateError(
                "bad_state",
                f"{path} is missing: a part of the repository's list of packages."
                f" Restore {self.root}/.distrogate from a backup.",
            ) from error

    def load(self, ref: Ref, table: str) -> list[Package]:
        """The packages of a chunk, sorted."""
        found = self._parsed.get((ref.digest, table))
        if found is None:
            buffer = bytearray(ref.head + sum(text + packed for text, packed in ref.sizes))
            self.read(ref, 0, memoryview(buffer))
            found = self._parse(ref, table, buffer)
            self._parsed[ref.digest, table] = found
            while len(self._parsed) > _CACHED:
                del self._parsed[next(iter(self._parsed))]
        return found

    def _parse(self, ref: Ref, table: str, data: bytearray) -> list[Package]:
        texts, begin = [], ref.head
        for text, packed in ref.sizes:
            texts.append(bytes(data[begin : begin + text]))
            begin += text + packed
        digest = hashlib.sha256(data[: ref.head])
        for one in texts:
            digest.update(one)
        if digest.hexdigest() != ref.digest:
            raise DistrogateError(
                "bad_state", f"{self.path(ref.digest)} is broken. Restore it from a backup."
            )
        found, places = [], [0] * len(texts)
        for name, version, architecture, sha256, size, file, lengths, more in json.loads(data[: ref.head]):
            lanes = []
            for lane, length in enumerate(lengths):
                lanes.append(texts[lane][places[lane] : places[lane] + length].decode("utf-8"))
                places[lane] += length
            others = tuple((path, digest, length) for path, digest, length in more)
            found.append(
                Package(name, version, architecture, sha256, size, file, table, tuple(lanes), others)
            )
        return found

    def make(self, packages: t.Sequence[Package]) -> Ref:
        """The chunk of these packages; it is kept in ``new`` if there is none like it."""
        lanes = [[text.encode("utf-8") for text in lane] for lane in zip(*(one.lanes for one in packages))]
        facts = [
            (*one[:6], [len(lane[number]) for lane in lanes], one.more) for number, one in enumerate(packages)
        ]
        head = json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode("utf-8") + b"\n"
        texts = [b"".join(lane) for lane in lanes]
        name = hashlib.sha256(head)
        for text in texts:
            name.update(text)
        digest = name.hexdigest()
        if digest in self.known:
            return self.known[digest]
        packed = [compress(text) if text else b"" for text in texts]
        identity = "".join(
            f"{name} {version} {of} {sha256}\n" for name, version, of, sha256, *_more in packages
        )
        ref = Ref(
            packages[0].name,
            len(packages),
            digest,
            hashlib.sha256(identity.encode("utf-8")).hexdigest(),
            len(head),
            tuple((len(text), len(small)) for text, small in zip(texts, packed)),
        )
        self.new.add(digest, b"".join([head, *(part for pair in zip(texts, packed) for part in pair)]))
        self.known[digest] = ref
        return ref
