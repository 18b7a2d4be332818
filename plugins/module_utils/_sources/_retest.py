# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Testing open changes again after a merge: each by each way, once, and none for the loss of another."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store, until_written
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_option import store_option
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_change
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest_triggers import NEEDS

Json = dict[str, t.Any]

_KEPT = 90 * 24 * 3600.0  # seconds for which it is known that a change was tested again


def server_options() -> dict[str, t.Any]:
    """How a server is reached, and with what."""
    return {
        "url": {"type": "str"},
        "user": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "password_file": {"type": "path", "no_log": False},
        "ca_path": {"type": "path"},
    }


def retest_options() -> dict[str, t.Any]:
    """``retest``."""
    entry = {
        **server_options(),
        "kind": {"type": "str", "choices": sorted(NEEDS), "required": True},
        "name": {"type": "str"},
        "token": {"type": "str", "no_log": True},
        "token_file": {"type": "path", "no_log": False},
        "job": {"type": "str"},
        "parameters": {"type": "dict"},
        "crumb": {"type": "bool", "default": False},
        "tenant": {"type": "str"},
        "pipeline": {"type": "str", "default": "check"},
        "comment": {"type": "str", "default": "recheck"},
    }
    return {
        "argument_spec": {
            **store_option(),
            "changes": {"type": "list", "elements": "dict", "required": True},
            "merged": {"type": "str", "required": True},
            "retest_with": {"type": "list", "elements": "dict", "options": entry, "required": True},
            "state": {"type": "str", "choices": ["triggered", "done"], "default": "triggered"},
            "timeout": {"type": "int", "default": 60},
        }
    }


def changes_options() -> dict[str, t.Any]:
    """``gerrit_changes_info``."""
    server = {**server_options(), "url": {"type": "str", "required": True}}
    return {
        "argument_spec": {
            **server,
            "project": {"type": "str", "required": True},
            "branch": {"type": "str", "required": True},
            "query": {"type": "str", "default": "-is:wip"},
            "timeout": {"type": "int", "default": 60},
        }
    }


def entry_name(entry: t.Mapping[str, t.Any]) -> str:
    """What a way is called in the outcome and in the record."""
    return str(entry.get("name") or entry["kind"])


class Record:
    """Which changes were tested again for a merge; the next merge to the branch begins anew."""

    def __init__(self, store: Store, project: str, branch: str, merged: str) -> None:
        self._store, self._place = store, {"project": project, "branch": branch, "merged": merged}
        digest = hashlib.sha256(f"{project}\0{branch}".encode()).hexdigest()
        self._key = f"retests/{digest[:32]}"

    def done(self) -> list[str]:
        """What was done, each as ``CHANGE,PATCHSET WAY``."""
        entry = self._store.get(self._key)
        if entry is None or any(entry.value.get(name) != value for name, value in self._place.items()):
            return []
        return list(entry.value["done"])

    def add(self, name: str) -> None:
        """Remember one."""

        def attempt() -> bool | None:
            entry = self._store.get(self._key)
            value = {**self._place, "done": sorted({*self.done(), name})}
            expected = {self._key: entry.revision if entry else 0}
            return True if self._store.transact(expected, [Put(self._key, value, ttl=_KEPT)]) else None

        until_written(attempt)


Trigger = t.Callable[[t.Mapping[str, t.Any], t.Mapping[str, str], float], str]


def retest(store: Store, params: t.Mapping[str, t.Any], dry: bool, trigger: Trigger) -> list[Json]:
    """One outcome for each change and each way; ``trigger`` does it."""
    outcomes: list[Json] = []
    for given in params["changes"]:
        change = normal_change(given)
        record = Record(store, change["project"], change["branch"], params["merged"])
        done = record.done()
        for entry in params["retest_with"]:
            name = f"{change['change_id']},{change['patch_set']} {entry_name(entry)}"
            row = {
                "change": f"{change['change_id']},{change['patch_set']}",
                "with": entry_name(entry),
                "msg": "",
            }
            if name in done:
                outcomes.append({**row, "outcome": "skipped", "msg": "it was retested since the merge"})
            elif params["state"] == "done":
                outcomes.append({**row, "outcome": "done"})
                if not dry:
                    record.add(name)
            elif dry:
                outcomes.append({**row, "outcome": "would be triggered"})
            elif entry["kind"] == "check":
                outcomes.append({**row, "outcome": "to check"})
            else:
                outcomes.append({**row, **_try(trigger, entry, change, params["timeout"])})
                if outcomes[-1]["outcome"] == "triggered":
                    record.add(name)
    return outcomes


def _try(
    trigger: Trigger, entry: t.Mapping[str, t.Any], change: t.Mapping[str, str], timeout: float
) -> dict[str, str]:
    try:
        return {"outcome": "triggered", "msg": trigger(entry, change, timeout)}
    except DistrogateError as error:
        return {"outcome": "failed", "reason": error.reason, "msg": error.message}


def checked_merge(params: t.Mapping[str, t.Any]) -> None:
    """The ways have names of their own, and there is a word for what they are for."""
    names = [entry_name(entry) for entry in params["retest_with"]]
    if len(set(names)) != len(names):
        raise DistrogateError(
            "bad_options", f"Two entries of retest_with are called {', '.join(names)}. Give each a name."
        )
    if not params["merged"] or len(params["merged"]) > 200 or not all(name.isprintable() for name in names):
        raise DistrogateError("bad_options", "merged is not a commit, or another word of 1 to 200 letters.")
