# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Collecting what repositories replaced long ago, also where nothing is published any more."""

from __future__ import annotations

import contextlib
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import STATE, State
from ansible_collections.distrogate.ci.plugins.module_utils._packages._state import dump_state, load_state

_DAY = 86400


def collect(
    root: str, days: float, pinned: t.Collection[str], timeout: float, check_mode: bool
) -> list[dict[str, t.Any]]:
    """Remove files that were replaced more than ``days`` ago; ``pinned`` are sha256 of files that stay.

    A reader of a state that old has given up. Returns the root with the number of
    files and their bytes; nothing when there are none, or while a transaction waits.
    """
    if not os.path.isfile(inside(root, STATE)):
        return []
    with contextlib.ExitStack() as stack:
        if not check_mode:
            stack.enter_context(file_lock(inside(root, f"{PRIVATE}/lock"), timeout))
        log = Transactions(root)
        if log.all():
            return []
        state = _read(inside(root, STATE))
        names = _overdue(state, time.time() - days * _DAY, pinned)
        size = sum(_size(inside(root, name)) for name in names)
        if names and not check_mode:
            for name in names:
                del state.retired[name]
            transaction = log.begin()
            transaction.put(STATE, dump_state(state))
            for name in names:
                transaction.drop(name)
            transaction.commit()
    return [{"root": root, "files": len(names), "bytes": size}] if names else []


def _read(path: str) -> State:
    kind = read_json(path, limit=1 << 30).get("kind")
    state = load_state(path, str(kind))
    if state is None:
        raise DistrogateError("not_found", f"There is no file {path}.")
    return state


def _overdue(state: State, until: float, pinned: t.Collection[str]) -> list[str]:
    undo = (state.finished.get(state.latest) or {}).get("undo") or {}
    needed = {package[5] for package in undo.get("removed", [])}
    needed.update(more[0] for package in undo.get("removed", []) for more in package[8])
    return sorted(
        name
        for name, (_serial, digest, moment) in state.retired.items()
        if moment <= until and digest not in pinned and name not in needed
    )


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except FileNotFoundError:
        return 0
