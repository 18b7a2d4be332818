# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Putting an index together from chunks: read, hash, and write what is compressed already."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._packages._chunks import Chunks, compress
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Index, Table, Written

_BUFFER = 1 << 18


def source_digest(index: Index, tables: t.Mapping[str, Table], suffixes: t.Sequence[str]) -> str:
    """What an index is made from: an index with the same one need not be written again."""
    digests = [ref.digest for name in index.tables for ref in tables.get(name, [])]
    frame = [index.lane, index.head.decode(), index.tail.decode()]
    return digest_json([sorted(suffixes), frame, hashlib.sha256("".join(digests).encode()).hexdigest()])


def packed_size(index: Index, tables: t.Mapping[str, Table]) -> int:
    """Bytes of the gzip file, before it is written."""
    refs = (ref for name in index.tables for ref in tables.get(name, []))
    body = sum(ref.sizes[index.lane][1] for ref in refs)
    ends = len(compress(index.head)) if index.head or not body else 0
    return body + ends + (len(compress(index.tail)) if index.tail else 0)


class _File:
    """A file under way, with what is written counted and hashed."""

    def __init__(self, stream: t.BinaryIO) -> None:
        self.stream = stream
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes | memoryview) -> None:
        self.stream.write(data)
        self.digest.update(data)
        self.size += len(data)


def assemble(
    chunks: Chunks, tables: t.Mapping[str, Table], index: Index, places: t.Mapping[str, str]
) -> Written:
    """Write an index; ``places`` has a path for each suffix (.gz, .xz), to be written to.

    gzip members are copied. xz readers take the first stream only, so an xz file
    is compressed anew as a whole.
    """
    text, size = hashlib.sha256(), 0
    suffixes = sorted(places)
    with contextlib.ExitStack() as stack:
        files = {
            suffix: _File(stack.enter_context(open(path, "wb", buffering=_BUFFER)))
            for suffix, path in places.items()
        }
        packer = _xz() if ".xz" in files else None
        for plain, packed in _pieces(chunks, tables, index):
            text.update(plain)
            size += len(plain)
            files[".gz"].write(packed)
            if packer:
                files[".xz"].write(packer.compress(plain))
        if packer:
            files[".xz"].write(packer.flush())
    packed_files = {suffix: (one.size, one.digest.hexdigest()) for suffix, one in files.items()}
    return Written(source_digest(index, tables, suffixes), size, text.hexdigest(), packed_files)


def _xz() -> t.Any:
    import lzma  # most repositories have no use for it

    return lzma.LZMACompressor(preset=6)


def _pieces(
    chunks: Chunks, tables: t.Mapping[str, Table], index: Index
) -> t.Iterator[tuple[bytes | memoryview, bytes | memoryview]]:
    """Text and gzip members, piece by piece; what is yielded is valid until the next piece."""
    refs = [ref for name in index.tables for ref in tables.get(name, [])]
    if index.head or not refs:
        yield index.head, compress(index.head)
    largest = max((sum(ref.sizes[index.lane]) for ref in refs), default=0)
    buffer = memoryview(bytearray(largest))
    for ref in refs:
        plain, packed = ref.sizes[index.lane]
        begin = ref.head + sum(sum(pair) for pair in ref.sizes[: index.lane])
        piece = buffer[: plain + packed]
        chunks.read(ref, begin, piece)
        yield piece[:plain], piece[plain:]
    if index.tail:
        yield index.tail, compress(index.tail)
