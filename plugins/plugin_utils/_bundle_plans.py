# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion asks of each target, as its journal keeps it."""

from __future__ import annotations

import fnmatch
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_adapters import (
    Adapter,
    adapter_of,
    place_in,
    told,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_taken import is_taken
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts

Json = dict[str, t.Any]
_FILE = ("name", "path", "sha256")
_STATE = "/var/lib/distrogate/state"  # where a target without a root has files arrive: beside it


def plan_targets(
    hosts: Hosts,
    targets: t.Sequence[Json],
    bundle: Json,
    timeout: float,
    *,
    rolling_back: bool = False,
    numbered: bool = True,
) -> list[Json]:
    """What the journal keeps of each target: enough to finish or undo it without the caller's options."""
    plans: list[Json] = []
    seen: set[tuple[str, str, str]] = set()
    for target in targets:
        plugin, adapter = adapter_of(target)
        hosts.check(target["host"])  # before a journal is opened that names it
        place = place_in(adapter, target["arguments"])
        if (target["host"], plugin, place) in seen:
            # A prepared repository waits for its own transaction, so the second would wait for the first.
            raise DistrogateError(
                "bad_target", f"{place} on {target['host']} is a target twice. Name it once."
            )
        seen.add((target["host"], plugin, place))
        if not adapter.moves and (rolling_back or not (numbered or _names_itself(target))):
            continue  # it gives names to versions alone, and there is no new one
        told(target, os.environ)
        plan = _plan(target, plugin, adapter, bundle, rolling_back)
        restored = rolling_back and adapter.restores
        if restored:
            plan.update(restore=target["state_digest"], files=[])
        if restored or adapter.restores or plan["files"]:
            plans.append({**plan, "place": place, "timeout": int(timeout)})
    return plans


def _names_itself(target: Json) -> bool:
    """Whether a git target has tags of its own, that need no version."""
    return "{version}" not in str(target["arguments"].get("tag") or "{version}")


def _is_wanted(artifact: Json, target: Json) -> bool:
    names = target.get("artifact_names") or ["*"]
    return artifact["type"] in target["artifact_types"] and any(
        fnmatch.fnmatchcase(artifact["name"], name) for name in names
    )


def _plan(target: Json, plugin: str, adapter: Adapter, bundle: Json, rolling_back: bool) -> Json:
    wanted = [artifact for artifact in bundle["artifacts"] if _is_wanted(artifact, target)]
    if not rolling_back:  # what was taken may be an older one than the target has by now
        wanted = [artifact for artifact in wanted if not is_taken(artifact)]
    if adapter.restores:  # of packages it needs no more, and there may be thousands
        wanted = [{key: artifact[key] for key in _FILE} for artifact in wanted if "path" in artifact]
    arguments = target["arguments"]
    root = str(arguments.get("root") or arguments.get("state_folder") or _STATE).rstrip("/")
    incoming = target.get("incoming") or os.path.join(os.path.dirname(root) or "/", "incoming")
    return {
        "host": target["host"],
        "plugin": plugin,
        "rank": adapter.rank,
        "arguments": target["arguments"],
        "from_environment": target.get("from_environment"),
        "artifact_types": target["artifact_types"],
        "artifact_names": target.get("artifact_names"),
        "incoming": incoming if adapter.files else None,
        "files": wanted,
        "attach": plugin == "oci_publish" and target.get("attach") is not False,
    }
