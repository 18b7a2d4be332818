# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing one image: its bytes are read once, in blocks, and what Glance says of them is compared."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_incoming import open_incoming
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_set import File
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_api import Glance
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress

Json = dict[str, t.Any]
_BLOCK = 1 << 20
_PAUSE = 0.5  # seconds between two looks at an image that Glance still works on
_WORKING = ("saving", "importing", "uploading")


@dataclasses.dataclass
class Upload:
    """One file on its way; ``timeout`` seconds are for all of it."""

    glance: Glance
    incoming: str
    file: File
    timeout: float
    progress: Progress

    def __post_init__(self) -> None:
        self._deadline = time.monotonic() + self.timeout
        self._sums = {name: hashlib.new(name) for name in ("sha256", "sha512")}

    def bring(self, values: Json) -> str:
        """Make an image with these values, and fill it; returns its id when it is verified."""
        descriptor = open_incoming(self.incoming, self.file)
        try:
            identifier = str(self.glance.create(values)["id"])
            try:
                self.glance.upload(identifier, self._blocks(descriptor), self._left())
                self._compare(descriptor, self._settled(identifier))
            except DistrogateError as error:
                raise self._given_up(identifier, error) from error
            return identifier
        finally:
            os.close(descriptor)

    def is_same(self, image: Json) -> bool:
        """Whether Glance has all of it already: a killed run may have got that far."""
        if image.get("status") != "active":
            return False
        descriptor = open_incoming(self.incoming, self.file)
        try:
            self.progress.say(f"comparing {self.file.name} with what Glance has")
            self._compare(descriptor, image)
            return True
        except DistrogateError as error:
            if error.reason not in ("upload_damaged", "unverified"):
                raise
            return False
        finally:
            os.close(descriptor)

    def _blocks(self, descriptor: int) -> t.Iterator[bytes]:
        total, place = os.fstat(descriptor).st_size, 0
        while block := os.pread(descriptor, _BLOCK, place):
            self._left()
            for one in self._sums.values():
                one.update(block)
            place += len(block)
            yield block
            self.progress.say(f"uploading {self.file.name}", place, total, "bytes")

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise DistrogateError(
                "timeout",
                f"Glance did not have all of {self.file.name} after {self.timeout:g} s. Look at how fast its"
                " store takes data, or raise upload_timeout.",
            )
        return left

    def _settled(self, identifier: str) -> Json:
        """The image once Glance is done with it."""
        while True:
            image = self.glance.show(identifier)
            status = None if image is None else image.get("status")
            if image is not None and status == "active":
                return image
            if status not in _WORKING:
                message = f"Glance took {self.file.name} and then called the image {identifier} {status}."
                raise DistrogateError("glance_failed", f"{message} Its own log says why.")
            self._left()
            time.sleep(_PAUSE)

    def _compare(self, descriptor: int, image: Json) -> None:
        """The file with what the bundle says, and Glance's digest with the file's."""
        sha256 = self._digest(descriptor, "sha256")
        if sha256 != self.file.sha256:
            raise DistrogateError(
                "digest_mismatch",
                f"{self.file.name} in the incoming folder has the sha256 {sha256}, but the bundle says"
                f" {self.file.sha256}. Nothing was published. Transfer it again.",
            )
        algorithm, value = str(image.get("os_hash_algo") or ""), image.get("os_hash_value")
        if algorithm not in hashlib.algorithms_available or not value:
            raise DistrogateError(
                "unverified",
                f"Glance tells no digest of {image['id']} that can be compared ({algorithm or 'none'}), so"
                " nobody knows what it has. Set its hashing_algorithm to sha512.",
            )
        ours = self._digest(descriptor, algorithm)
        if value != ours:
            raise DistrogateError(
                "upload_damaged",
                f"Glance has something else than {self.file.name} under {image['id']}: its {algorithm} is"
                f" {str(value)[:200]}, and that of the file {ours}. Nothing was published. Try again.",
            )

    def _digest(self, descriptor: int, algorithm: str) -> str:
        """That of the file, as it was sent; one that was not sent now is read."""
        known = self._sums.get(algorithm)
        if known is not None and known.digest() != hashlib.new(algorithm).digest():
            return known.hexdigest()
        digest, place = hashlib.new(algorithm), 0
        while block := os.pread(descriptor, _BLOCK, place):
            self._left()
            digest.update(block)
            place += len(block)
        return digest.hexdigest()

    def _given_up(self, identifier: str, error: DistrogateError) -> DistrogateError:
        """Remove what came of it now, or let the next run do it, and say which."""
        try:
            gone = self.glance.remove(identifier)
        except DistrogateError:
            gone = False
        end = "" if gone else f" What came of it ({identifier}, hidden) is removed by the next run."
        return DistrogateError(error.reason, f"{error.message}{end}", **error.details)
