# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening the journal of a promotion, and taking the next version number with it: both or neither."""

from __future__ import annotations

import uuid

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_journal import (
    Journal,
    left_open,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    FORMAT,
    NUMBERED,
    Json,
    Request,
    channel_key,
    journal_key,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_parts import (
    drop_parts,
    write_parts,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_versions import next_number
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._pins import Pins
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store, until_written
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_values import encode_key


def opened(store: Store, channel: str, request: Request, at: str) -> Journal:
    """A journal of our own."""
    # A directory whose pin no store takes is refused now: with it the channel could not move at the end.
    encode_key(Pins(store, "run").adding(request.origin.get("run_dir") or "", channel_key(channel)).key)
    transaction = uuid.uuid4().hex
    written = write_parts(store, channel, transaction, "plans", request.plans)
    value: Json = {
        "id": channel,
        "format": FORMAT,
        "phase": "preparing",
        "channel": channel,
        "digest": request.digest,
        "numbered": request.version,
        "series": request.series,
        "state": request.state,
        "immutable": request.immutable,
        "transaction": transaction,
        "again": {},
        "origin": request.origin,
        "at": at,
        "by": request.by,
    }
    try:
        return until_written(lambda: _attempt(store, value, request, written))
    except DistrogateError as error:
        try:
            drop_parts(store, channel, transaction)
        except DistrogateError:
            raise left_open(channel, request.digest, error) from error
        raise


def _attempt(store: Store, asked: Json, request: Request, written: dict[str, int]) -> Journal | None:
    """None when a number or the channel's state went to somebody else meanwhile."""
    channel = asked["channel"]
    pointer = store.get(channel_key(channel))
    before: Json = pointer.value if pointer else {"digest": None, "serial": 0}
    number = next_number(store, request.series, request.version) if request.version in NUMBERED else None
    key = journal_key(channel)
    value = {
        **asked,
        "begun": store.now(),
        "previous": before["digest"],
        "serial": before["serial"] + 1,
        "version": number.version if number else request.known,
    }
    expected = {channel_key(channel): pointer.revision if pointer else 0, key: 0, **written}
    operations = [Put(key, value)]
    if number:
        expected.update(number.expected)
        operations += number.operations
    revision = store.transact(expected, operations)
    if revision is not None:
        return Journal(store, value, revision)
    if store.get(key) is not None:
        raise Journal(store, value, 0).lost()
    return None
