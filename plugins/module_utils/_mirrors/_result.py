# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's options as a request, and an outcome as a module's result."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import (
    check_name,
    needed_mirrors,
    parse_mirrors,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._aims import Say
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._names import show_time
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._package_report import write_reports
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import printable
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._plan import counts
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._predict import Prediction
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._request import Outcome, Request
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._retire import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rows import shown
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._sync import Sync

_LEAST = {
    "keep": 1,
    "keep_seconds": 0,
    "timeout": 1,
    "bandwidth_limit": 0,
    "retries": 0,
    "max_delete_ratio": 0,
}

_ROWS = 1000  # of packages in a result; a report has them all


def make_request(params: dict[str, t.Any]) -> Request:
    """Check a task's options; errors ``bad_source``, ``bad_option``, ``bad_mirror``, ``bad_quorum``."""
    source = params["source"]
    if not os.path.isabs(source) or not os.path.isdir(source):
        raise DistrogateError("bad_source", f"The source {source!r} is not an absolute path of a folder.")
    for option, least in _LEAST.items():
        if not params[option] >= least:
            raise DistrogateError("bad_option", f"{option} is {params[option]}; it must be {least} or more.")
    transaction, snapshot = params["transaction"], params["snapshot"]
    if snapshot is not None and params["state"] == "synced":
        check_name(snapshot, "snapshot")
    mirrors = parse_mirrors(params["mirrors"], source)
    return Request(
        source=source.rstrip("/") or "/",
        name=check_name(params["name"], "name"),
        mirrors=mirrors,
        needed=needed_mirrors(params["quorum"], len(mirrors)),
        state=params["state"],
        transaction=check_name(transaction, "transaction") if transaction is not None else None,
        snapshot=snapshot,
        deep=params["deep"],
        allow_older=params["allow_older"],
        allow_rolled_back=params["allow_rolled_back"],
        max_delete_ratio=params["max_delete_ratio"],
        reports=params["report_folder"] is not None,
        limits=Limits(params["keep"], params["keep_seconds"], frozenset(params["pinned"])),
        access=Access(
            password_file=params["password_file"],
            password=params["password"],
            ssh_key=params["ssh_key"],
            timeout=float(params["timeout"]),
            bandwidth=params["bandwidth_limit"],
            retries=params["retries"],
        ),
    )


def perform(params: dict[str, t.Any], check_mode: bool, difference: Difference, say: Say) -> dict[str, t.Any]:
    """Do what a task asks for, or say what would be done; returns the result's keys."""
    request = make_request(params)
    sync: Sync = Prediction(request, say) if check_mode else Sync(request, say)
    outcome = sync.run()
    result = shape(outcome, request, difference)
    result["snapshots"] = [
        {"id": named(one.snapshot), "since": show_time(one.since), "names": one.names}
        for one in sync.journal.state.shown
    ]
    if outcome.packages is not None and params["report_folder"] and not check_mode:
        before = named(sync.before)
        write_reports(params["report_folder"], outcome.packages, request.name, before, result["snapshot"])
    return result


def shape(outcome: Outcome, request: Request, tracker: Difference) -> dict[str, t.Any]:
    """The result's keys; what changed goes to ``tracker``."""
    changes = sorted([*outcome.delta.content, *outcome.delta.index])
    before, after = outcome.held
    if outcome.opened:
        tracker.add("transaction", None, {"id": request.transaction, "snapshot": named(outcome.snapshot)})
    if before != after:
        gone = shown([path for path, _old, new in changes if new is None])
        came = shown([path for path, old, _new in changes if old is None])
        other = shown([path for path, old, new in changes if old and new])
        tracker.add("mirrors", _all_named(before), _all_named(after))
        tracker.add("files", {"removed": gone}, {"added": came, "changed": other})
    found = outcome.found.get("mirrors", {})
    tracker.add("differing", {name: one["differing"] for name, one in found.items() if one["differing"]}, {})
    tracker.add("superseded_files", outcome.retired, 0)
    return {
        "snapshot": named(outcome.snapshot),
        "transaction": request.transaction,
        "mirrors": outcome.rows,
        "transferred_bytes": outcome.transferred,
        "files": counts(changes),
        "packages": outcome.packages.packages[:_ROWS] if outcome.packages else [],
        "package_counts": outcome.packages.counts() if outcome.packages else {},
        "walked": [printable(prefix) or "." for prefix in outcome.walked],
        "found": outcome.found,
    }


def named(snapshot: str | None) -> str | None:
    """A snapshot as users see it."""
    return None if snapshot is None else "sha256:" + snapshot


def _all_named(held: dict[str, str | None]) -> dict[str, str | None]:
    return {address: named(snapshot) for address, snapshot in held.items()}
