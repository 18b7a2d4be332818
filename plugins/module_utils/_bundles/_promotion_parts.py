# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The long lists of a promotion, in keys of their own beside its journal.

A bundle may have thousands of artifacts, and a store takes small values. So a
list is written once, in pieces, and the journal stays small whatever happens.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import Json
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, Range, Store

PIECE = 200_000  # characters; etcd takes 1.5 MiB in a request
PIECES = 100
OPERATIONS = 60  # of one transaction: etcd takes 128, and one of its own comes to ours


def _folder(channel: str) -> str:
    return f"promotion/{channel}/parts/"


def _prefix(channel: str, transaction: str, name: str) -> str:
    return f"{_folder(channel)}{transaction}/{name}/"


def write_parts(store: Store, channel: str, transaction: str, name: str, value: t.Any) -> dict[str, int]:
    """Write a list; returns the keys' revisions, for whoever relies on all of them being there."""
    text = json.dumps(value, separators=(",", ":"))
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    if len(pieces) > PIECES:
        raise DistrogateError(
            "too_large",
            f"The targets of this promotion are described by {len(text)} characters; {PIECE * PIECES} can be"
            " kept. Promote fewer artifacts at once, as several bundles.",
        )
    written = {}
    for number, piece in enumerate(pieces):
        key = f"{_prefix(channel, transaction, name)}{number:03d}"
        written[key] = t.cast(int, store.transact({}, [Put(key, piece)]))  # nothing is compared
    return written


def read_parts(store: Store, channel: str, transaction: str, name: str) -> list[Json]:
    """A list that was written; an empty one when it was not."""
    text = "".join(entry.value for entry in store.list(_prefix(channel, transaction, name)))
    return t.cast("list[Json]", json.loads(text)) if text else []


def drop_parts(store: Store, channel: str, transaction: str = "") -> None:
    """Remove what a promotion wrote; without its ``transaction`` what all promotions to the channel wrote."""
    folder = _folder(channel) + (f"{transaction}/" if transaction else "")
    keys = [entry.key for entry in store.read([Range(folder, bare=True)])[0]]
    for start in range(0, len(keys), OPERATIONS):
        store.transact({}, [Delete(key) for key in keys[start : start + OPERATIONS]])
