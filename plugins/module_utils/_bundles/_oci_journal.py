# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of oci_publish: one folder for each transaction, so that whoever comes after a kill can go on.

``journal.json`` says how far it is, and is always written before the registry is told:

    preparing    contents may have been brought, no tag was touched
    prepared     all is there by digest; ``ours.json`` has the manifests that tags are to get
    committing   tags may have moved; ``before`` has the digests that they had
    committed    all tags moved
    undoing      tags may have gone back
    undone       nothing of it is tagged
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import (
    Manifest,
    read_manifest,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    canonical_json,
    inside,
    read_json,
    write_atomic,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import checked_identifier

FORMAT = 1
OURS = "ours.json"
_JOURNAL = "journal.json"
_KEPT = 20  # transactions that ended
_ENDED = ("committed", "undone")
_LIMIT = 1 << 30

Json = dict[str, t.Any]


class Journal:
    """The record of one transaction with one target (a registry, and a rule for repositories there)."""

    def __init__(self, state_folder: str, target: str, transaction: str) -> None:
        self._folder = inside(state_folder, hashlib.sha256(target.encode("utf-8")).hexdigest()[:16])
        # Not the bare id: that may be the lock's name.
        self._own = inside(self._folder, "t-" + checked_identifier(transaction))
        self.transaction, self.target = transaction, target

    @contextlib.contextmanager
    def held(self, timeout: float) -> t.Iterator[None]:
        """One at a time. The folder is made here, so that check mode leaves none."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        with file_lock(inside(self._folder, "lock"), timeout):
            yield

    def read(self) -> Json | None:
        """The record, or None when the transaction is not known."""
        try:
            record = read_json(inside(self._own, _JOURNAL), _LIMIT)
        except DistrogateError as error:
            if error.reason == "not_found":
                return None
            raise
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise DistrogateError(
                "bad_journal",
                f"{self._own}/{_JOURNAL} is not of format {FORMAT}. Move it away, and look at"
                " the registry's tags yourself.",
            )
        return t.cast(Json, record)

    def write(self, record: Json) -> None:
        """Write the record; durable when this returns."""
        os.makedirs(self._own, mode=0o700, exist_ok=True)
        self._store(_JOURNAL, {**record, "format": FORMAT})

    def keep(self, name: str, manifests: t.Iterable[Manifest]) -> None:
        """Keep the bytes of manifests; JSON is text, so they fit into JSON."""
        os.makedirs(self._own, mode=0o700, exist_ok=True)
        rows = {one.digest: [one.media_type, one.data.decode("utf-8")] for one in manifests}
        self._store(name, rows)

    def _store(self, name: str, value: t.Any) -> None:
        # On one line: indenting takes Python's slow encoder, which cost more than all else here.
        write_atomic(inside(self._own, name), canonical_json(value) + b"\n")

    def kept(self, name: str) -> dict[str, Manifest]:
        """What was kept; a digest that is not right any more is an error."""
        rows = read_json(inside(self._own, name), _LIMIT)
        place = inside(self._own, name)
        return {
            digest: read_manifest(text.encode("utf-8"), media_type, place, digest)
            for digest, (media_type, text) in rows.items()
        }

    def prune(self) -> None:
        """Forget what ended, but for the last transactions; those under way stay."""
        found = []
        for name in os.listdir(self._folder):
            path = os.path.join(self._folder, name, _JOURNAL)
            with contextlib.suppress(OSError):
                found.append((os.stat(path).st_mtime_ns, name))
        for _when, name in sorted(found)[:-_KEPT]:
            with contextlib.suppress(OSError, DistrogateError):
                if read_json(os.path.join(self._folder, name, _JOURNAL), _LIMIT).get("phase") in _ENDED:
                    shutil.rmtree(os.path.join(self._folder, name), ignore_errors=True)
