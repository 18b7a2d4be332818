# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What glance_publish returns."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_state import links
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_options import Wanted

Json = dict[str, t.Any]


def result_of(channel: str | None, before: Json, after: Json, wanted: Wanted | None = None) -> Json:
    """The result, but for what only Glance gives out; see ``with_image``."""
    had, has = (data["channels"].get(channel or "", {}) for data in (before, after))
    previous = had.get("set") if had != has else has.get("previous")
    identity = wanted.identity if wanted else has.get("set")
    row = {"name": wanted.file.name, "digest": f"sha256:{wanted.file.sha256}"} if wanted else {}
    return {
        "published": [row] if wanted else [],
        "previous": _digest(previous),
        "state_digest": _digest(identity),
        "links": {name: _digest(one) for name, one in sorted(links(after).items())},
        "removed": [f"sha256:{one}" for one in sorted(after["gone"])] if before is not after else [],
        "left": [],
    }


def with_image(result: Json, identifier: str, url: str) -> None:
    """Say which image it is; in check mode one that is not there yet has no id."""
    for row in result["published"]:
        row["image"], row["address"] = identifier, f"{url}/images/{identifier}"


def _digest(identity: t.Any) -> str | None:
    return f"sha256:{identity}" if identity else None
