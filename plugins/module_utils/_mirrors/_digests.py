# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The digests of files that were walked before, good as long as a file's signature stays."""

from __future__ import annotations

import os
import time
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._walk import Signature, Signatures

_TICK_NS = 2_000_000_000  # a file this young may change again without a new time


class Digests:
    """One file of them; ``base`` are the digests of the two lists that name the same files."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.base = ("", "")
        self.signatures: Signatures = {}
        self._digests: dict[bytes, str] = {}
        try:
            with open(path, "rb") as stream:
                head, _nul, body = stream.read().partition(b"\0")
            content, index, check = head.decode("ascii").split(" ")
            if int(check) != zlib.crc32(body):
                return
            for record in body.split(b"\0")[:-1]:
                sha256, size, mtime, ctime, inode, name = record.split(b" ", 5)
                self.signatures[name] = Signature(int(size), int(mtime), int(ctime), int(inode))
                self._digests[name] = sha256.decode("ascii")
            self.base = (content, index)
        except FileNotFoundError:
            pass
        except ValueError:  # of another version: all is read again
            self.signatures, self._digests = {}, {}

    def get(self, path: bytes, signature: Signature) -> str | None:
        """The digest of a file, unless it may have changed."""
        return self._digests[path] if self.signatures.get(path) == signature else None

    def save(self, base: tuple[str, str], signatures: Signatures, digests: dict[bytes, str]) -> None:
        """Keep the digests. Files so young that a change now would not show in their times have none."""
        newest = time.time_ns() - _TICK_NS
        known: Signatures = {}
        for path, signature in signatures.items():
            young = max(signature.mtime_ns, signature.ctime_ns) > newest
            sure = not young or self.get(path, signature) is not None
            known[path] = signature if sure else signature._replace(ctime_ns=0)
        if (base, known) == (self.base, self.signatures):
            return
        body = b"".join(
            [b"%s %d %d %d %d %s\0" % (digests[path].encode(), *one, path) for path, one in known.items()]
        )
        head = f"{base[0]} {base[1]} {zlib.crc32(body)}\0".encode()
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        write_atomic(self.path, head + body, durable=False)
        self.base, self.signatures, self._digests = base, known, digests
