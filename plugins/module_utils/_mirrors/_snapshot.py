# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One state of the source, taken while others may publish into it."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import clone_file, sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import (
    CONTENT,
    classify,
    open_ends,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._listing import (
    Digests,
    Entry,
    Listing,
    Signatures,
    scan,
)

_LOOKS = 8


class _MovingError(Exception):
    """The source changed under our eyes."""


def file_in(folder: str, path: bytes) -> str:
    """A listed path as a file's path."""
    return os.path.join(folder, os.fsdecode(path))


class Observer:
    """Looks at ``source``; with ``copies`` it also copies the switch and plain-name files there.

    What is sent later are these copies: the source's own may be newer by then.
    ``earlier`` is the folder of the last state's copies: unchanged ones are linked from it.
    """

    def __init__(self, source: str, digests: Digests, copies: str | None, earlier: str | None) -> None:
        self.source = source
        self.digests = digests
        self.copies = copies
        self.earlier = earlier

    def known(self) -> Listing | None:
        """The listing, if every file is as it was when a whole state was seen last."""
        signatures = scan(self.source)
        listing: Listing = {}
        for path, signature in signatures.items():
            sha256 = self.digests.get(path, signature)
            if sha256 is None:
                return None
            listing[path] = Entry(sha256, signature.size)
        return listing or None

    def observe(self) -> Listing:
        """A whole state: nothing that its index files name is missing.

        Errors: ``empty_source``, ``source_changing`` (a publisher never rests),
        ``source_incomplete`` (names what is missing).
        """
        problems: list[str] = []
        for look in range(_LOOKS):
            time.sleep(0.1 * look)
            try:
                signatures, listing = self._look()
            except (_MovingError, FileNotFoundError):
                problems = []
                continue
            if not listing:
                raise DistrogateError("empty_source", f"{self.source} holds no file; nothing was mirrored.")
            seen, problems = problems, open_ends(listing, self._read)
            if problems and problems == seen:
                break  # at rest, and not whole
            if not problems:
                if self.copies is not None:
                    self.digests.save(signatures, listing)
                return listing
        if problems:
            raise DistrogateError(
                "source_incomplete",
                f"{self.source} is not whole; publish it again. {'; '.join(problems[:5])}.",
                missing=problems[:100],
            )
        raise DistrogateError(
            "source_changing",
            f"{self.source} changed at each of {_LOOKS} looks; run again when it is at rest.",
        )

    def _look(self) -> tuple[Signatures, Listing]:
        first = scan(self.source)
        listing = {path: self._index_file(path, first) for path in first if classify(path) != CONTENT}
        # A publisher adds content before the index that names it. So the content is looked at
        # after the index files, and these must be the same before and after.
        moved = any(self.digests.get(path, first[path]) is None for path in listing)
        second = scan(self.source) if moved else first
        if any(
            first.get(path) != second.get(path) for path in {*first, *second} if classify(path) != CONTENT
        ):
            raise _MovingError
        for path, signature in second.items():
            if path not in listing:
                listing[path] = Entry(self.digests.of(self.source, path, signature), signature.size)
        return second, listing

    def _index_file(self, path: bytes, signatures: Signatures) -> Entry:
        signature = signatures[path]
        known = self.digests.get(path, signature)
        if self.copies is None:
            return Entry(known or sha256_file(file_in(self.source, path)), signature.size)
        copy = file_in(self.copies, path)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(copy)
        if known is not None and self.earlier is not None:
            with contextlib.suppress(FileNotFoundError):
                os.link(file_in(self.earlier, path), copy)
                if sha256_file(copy) == known:
                    return Entry(known, signature.size)
                os.unlink(copy)
        clone_file(file_in(self.source, path), copy)
        # HTTP readers revalidate by time: mirrors must show the source's.
        os.utime(copy, ns=(signature.mtime_ns, signature.mtime_ns))
        return Entry(sha256_file(copy), os.stat(copy).st_size)

    def _read(self, path: bytes) -> bytes:
        with open(file_in(self.copies or self.source, path), "rb") as stream:
            return stream.read()


def difference(before: Listing, after: Listing) -> dict[str, list[bytes]]:
    """The paths that were added, changed and removed, each sorted."""
    return {
        "added": sorted(path for path in after if path not in before),
        "changed": sorted(path for path, entry in after.items() if path in before and before[path] != entry),
        "removed": sorted(path for path in before if path not in after),
    }


def bounded(names: t.Sequence[str], limit: int = 100) -> list[str]:
    """At most ``limit`` names and, if there are more, how many."""
    return list(names) if len(names) <= limit else [*names[:limit], f"… and {len(names) - limit} more"]
