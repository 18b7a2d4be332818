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


def channel_has(store: Store, channel: str) -> Json | None:
    """The channel's record with ``sealed``, when the store knows it; the argument ``current`` of a policy."""
    entry = store.get(channel_key(channel))
    if entry is None:
        return None
    facts = store.get(f"bundle/{digest_hex(entry.value['digest'])}")
    return {**entry.value, "sealed": facts.value["sealed"] if facts is not None else None}
