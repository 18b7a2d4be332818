# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's options as a request, and an outcome as a module's result."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import (
    check_name,
    needed_mirrors,
    parse_mirrors,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._listing import printable
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._rsync import Access
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._snapshot import bounded, difference
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._sync import Outcome, Request


def make_request(params: dict[str, t.Any]) -> Request:
    """Check a task's options; errors ``bad_source``, ``bad_option``, ``bad_mirror``, ``bad_quorum``."""
    source = params["source"]
    if not os.path.isabs(source) or not os.path.isdir(source):
        raise DistrogateError("bad_source", f"The source {source!r} is not an absolute path of a folder.")
    for option, least in (("keep", 1), ("keep_seconds", 0), ("timeout", 1)):
        if params[option] < least:
            raise DistrogateError("bad_option", f"{option} is {params[option]}; it must be {least} or more.")
    transaction = params["transaction"]
    mirrors = parse_mirrors(params["mirrors"], source)
    return Request(
        source=source.rstrip("/") or "/",
        name=check_name(params["name"], "name"),
        mirrors=mirrors,
        needed=needed_mirrors(params["quorum"], len(mirrors)),
        state=params["state"],
        transaction=check_name(transaction, "transaction") if transaction is not None else None,
        keep=params["keep"],
        keep_seconds=params["keep_seconds"],
        access=Access(params["password_file"], params["ssh_key"], float(params["timeout"])),
    )


def shape(outcome: Outcome, request: Request, tracker: Difference) -> dict[str, t.Any]:
    """The result's keys; what changed goes to ``tracker``."""
    files = difference(outcome.before, outcome.after)
    before, after = outcome.held
    if outcome.opened:
        tracker.add("transaction", None, {"id": request.transaction, "snapshot": named(outcome.snapshot)})
    if before != after:
        names = {kind: bounded([printable(path) for path in paths]) for kind, paths in files.items()}
        tracker.add("mirrors", _all_named(before), _all_named(after))
        tracker.add(
            "files", {"removed": names["removed"]}, {"added": names["added"], "changed": names["changed"]}
        )
    tracker.add("superseded_files", outcome.retired, 0)
    return {
        "snapshot": named(outcome.snapshot),
        "transaction": request.transaction,
        "mirrors": outcome.mirrors,
        "transferred_bytes": outcome.transferred,
        "files": {kind: len(paths) for kind, paths in files.items()},
        "packages": [],
    }


def named(snapshot: str | None) -> str | None:
    """A snapshot as users see it."""
    return None if snapshot is None else "sha256:" + snapshot


def _all_named(held: dict[str, str | None]) -> dict[str, str | None]:
    return {address: named(snapshot) for address, snapshot in held.items()}
