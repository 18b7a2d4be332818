# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a channel has, as the rules of a policy compare it."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import digest_hex
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import channel_key
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store

Json = dict[str, t.Any]


def channel_has(store: Store, channel: str, coming: Json | None = None) -> Json | None:
    """The channel's record with ``sealed``, when the store knows it; the argument ``current`` of a policy.

    ``coming`` is a record that the channel is going to have.
    """
    entry = store.get(channel_key(channel))
    has = coming or (entry.value if entry else None)
    if has is None:
        return None
    facts = store.get(f"bundle/{digest_hex(has['digest'])}")
    return {**has, "sealed": facts.value["sealed"] if facts is not None else None}
