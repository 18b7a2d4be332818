# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Noticing that a store was restored from a backup, which has forgotten fences that were given since.

Then the epoch is raised, and with it every fence to come. A store's revision
only rises; each controller keeps the highest one that it saw, outside of the
store, and so knows when it went back.
"""

from __future__ import annotations

import hashlib
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json, write_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Key, Put, Store, until_written
from ansible_collections.distrogate.ci.plugins.module_utils._leases._keys import EPOCH
from ansible_collections.distrogate.ci.plugins.module_utils._leases._serve import epoch_of
from ansible_collections.distrogate.ci.plugins.module_utils._leases._te import EPOCH_STEP


def raise_epoch(store: Store, above: int = 0) -> int:
    """Let every fence to come be larger than all before, and than ``above``; returns the epoch."""

    def attempt() -> int | None:
        found = store.read([Key(EPOCH)])[0]
        epoch = max(epoch_of(found), above // EPOCH_STEP) + 1
        revision = found[0].revision if found else 0
        return epoch if store.transact({EPOCH: revision}, [Put(EPOCH, epoch)]) is not None else None

    return until_written(attempt)


def notice_restore(store: Store, url: str, environment: t.Mapping[str, str]) -> int | None:
    """Compare the store with what was seen of it before; the new epoch if it went back, else None."""
    path = _witness(url, environment)
    try:
        seen = read_json(path, 4096)
        before = int(seen["revision"]), str(seen["file"])
    except (DistrogateError, OSError, ValueError, KeyError, TypeError):
        before = (0, "")
    revision, file = store.revision(), _file(url)
    went_back = revision < before[0] or (before[1] not in ("", file) and bool(before[0]))
    epoch = raise_epoch(store) if went_back else None
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write_json(path, {"revision": store.revision() if went_back else revision, "file": file}, mode=0o600)
    except OSError:
        pass  # Without a place of its own a controller has no memory; guards still refuse lower fences.
    return epoch


def _file(url: str) -> str:
    """What file an embedded store is: a copy that was put back is another one."""
    if not url.startswith("sqlite://"):
        return ""
    status = os.stat(url[len("sqlite://") :])
    return f"{status.st_dev}:{status.st_ino}"


def _witness(url: str, environment: t.Mapping[str, str]) -> str:
    if url.startswith("sqlite://"):
        return url[len("sqlite://") :] + ".seen"
    state = environment.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    name = hashlib.sha256(url.encode()).hexdigest()[:32]
    return os.path.join(state, "distrogate", "stores", f"{name}.json")
