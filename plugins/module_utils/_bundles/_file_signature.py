# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signature of a set: SHA256SUMS.asc, which one key made of SHA256SUMS."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_set import SIGNATURE
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._gpg import Signer, Signs

Json = dict[str, t.Any]
_LIMIT = 1 << 20  # bytes of a signature


def signer_of(params: Json) -> Signs | None:
    """Who signs; a key that cannot is an error before anything is written."""
    return Signer([params["signing_key"]], params["gnupg_home"]) if params["signing_key"] else None


@dataclasses.dataclass
class Signature:
    """That of one set. ``known`` is what the ledger says of it: the key, and the file's sha256."""

    folder: str
    known: Json | None
    signer: Signs | None

    @property
    def wanted(self) -> bool:
        """Whether it has to be made: it is missing or damaged, or another key signs now."""
        if self.signer is None:
            return False
        same = self.known is not None and self.known["key"] == self.signer.fingerprints[0]
        found = self._sha256()
        return not same or self.known is None or self.known["sha256"] != found

    def make(self, sums: bytes) -> tuple[bytes, Json]:
        """The signature, and what the ledger says of it from now on."""
        if self.signer is None:
            raise DistrogateError(
                "no_signing_key", f"{self.folder} is to be signed, but nobody said by whom."
            )
        data = self.signer.detached(sums)
        return data, {"key": self.signer.fingerprints[0], "sha256": hashlib.sha256(data).hexdigest()}

    def _sha256(self) -> str | None:
        path = inside(self.folder, SIGNATURE)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _in_the_way(path) from error
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _in_the_way(path)
            return hashlib.sha256(stream.read(_LIMIT)).hexdigest()


def _in_the_way(path: str) -> DistrogateError:
    message = f"{path} is there, but is no file that file_publish made. Move it away."
    return DistrogateError("in_the_way", message, path=path)
