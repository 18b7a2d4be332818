# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Package archives that were fetched once, by their digests, for every later build."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace

FOLDER = "archives"
_LINE = re.compile(r"([0-9a-f]{64}) ([A-Za-z0-9][A-Za-z0-9.+_~%-]*\.deb)")
_BLOCK = 1 << 20
_LARGEST_LIST = 4 << 20


class Archives:
    """``OUTPUT/.cache/archives``: apt says which digests it wants, and what is fetched is checked by them.

    So a package of one repository can never pass for another's, whatever its name.
    """

    def __init__(self, place: BuildPlace) -> None:
        self.place = place
        self.kept = os.path.join(place.cache, FOLDER)
        self.list = os.path.join(place.directory, "archives")
        os.makedirs(self.kept, exist_ok=True)

    def keep(self, fetched: str) -> None:
        """Keep what was fetched and is not there yet; without a list, by what is in it."""
        with contextlib.suppress(FileNotFoundError):
            with _opened(self.list) as stream:
                lines = stream.read(_LARGEST_LIST).decode("utf-8", "replace").splitlines()
            for match in filter(None, map(_LINE.fullmatch, lines)):
                path = os.path.join(self.kept, match[1])
                try:
                    os.utime(path)  # still of use
                except FileNotFoundError:
                    self._keep(os.path.join(fetched, match[2]), match[1])
            return
        with contextlib.suppress(OSError):
            for name in os.listdir(fetched):
                if name.endswith(".deb"):
                    self._keep(os.path.join(fetched, name))

    def _keep(self, source: str, digest: str = "") -> None:
        with contextlib.suppress(OSError):  # a cache that cannot be filled harms nobody
            descriptor, new = tempfile.mkstemp(prefix=".new-", dir=self.kept)
            try:
                found = hashlib.sha256()
                with os.fdopen(descriptor, "wb") as out, _opened(source) as stream:
                    while block := stream.read(_BLOCK):
                        found.update(block)
                        out.write(block)
                if digest in ("", found.hexdigest()):
                    os.chmod(new, 0o644)
                    os.replace(new, os.path.join(self.kept, found.hexdigest()))
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(new)


def _opened(path: str) -> t.BinaryIO:
    """A file from inside a place; neither a link nor a pipe there may mislead."""
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")
