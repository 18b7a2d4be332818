# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cleaning test repositories, and transactions that nobody is going to end."""

from __future__ import annotations

import os
import re
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import Finding, Rules, folders
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions

# PIPELINE-CHANGE-PATCHSET-DIGEST, as a run's queue_key
_KEY = re.compile(r"^[^-]+-(.+)-[0-9a-f]{10}$")


def change_of(key: str, changes: t.Collection[str]) -> str:
    """Which of these changes a test repository was made for; empty for none.

    A key's name is cut off after 60 characters, so that of a very long id may be
    another's: it is nobody's, and its repository goes by its age.
    """
    match = _KEY.match(key)
    for change in changes if match else ():
        name = re.sub(r"[^A-Za-z0-9.-]", "-", change)
        if match and re.fullmatch(re.escape(name) + r"-[^-]+", match[1]):
            return change
    return ""


def find_test_repositories(root: str | None, rules: Rules, ended: t.Collection[str]) -> t.Iterator[Finding]:
    """Test repositories of old runs and of changes that were merged or abandoned.

    One that another repository still shows as a layer stays: its packages would be missing there.
    """
    found: list[Finding] = []
    keys = [key for key in folders(root) if _KEY.match(os.path.basename(key))]
    for key in keys:
        change = change_of(os.path.basename(key), ended)
        for path in folders(key):
            finding = rules.judged("test_repository", path, rules.keep_days)
            if change and not finding.remove and finding.reason.startswith("not touched"):
                finding = Finding(finding.kind, path, f"change {change} has ended", True)
            found.append(finding)
    _keep_layers(found)
    yield from found
    going = {finding.path for finding in found if finding.remove}
    for key in keys:
        yield from _rest_of_key(key, going)


def _keep_layers(found: list[Finding]) -> None:
    by_path = {os.path.realpath(finding.path): finding for finding in found}
    waiting = [finding for finding in found if not finding.remove]
    while waiting:
        for target in _layers(waiting.pop().path):
            layer = by_path.get(os.path.dirname(target))
            if layer is not None and layer.remove:
                layer.remove, layer.reason = False, "a layer of another repository"
                waiting.append(layer)


def _layers(repository: str) -> t.Iterator[str]:
    """The real paths of the repositories that ``repository``/apt and /rpm show."""
    for kind in folders(repository):
        shown = os.path.join(kind, "layers")
        for name in os.listdir(shown) if os.path.isdir(shown) else []:
            yield os.path.realpath(os.path.join(shown, name))


def _rest_of_key(key: str, going: set[str]) -> t.Iterator[Finding]:
    """The link ``latest`` of a run that goes, and the folder when nothing else is in it."""
    latest = os.path.join(key, "latest")
    if os.path.islink(latest) and os.path.join(key, os.readlink(latest)) in going:
        yield Finding("test_repository", latest, "named a repository that went", True)
        going.add(latest)
    names = {os.path.join(key, name) for name in os.listdir(key)}
    if names and names <= going:
        yield Finding("test_repository", key, "empty", True, when_empty=True)


def end_transactions(root: str, timeout: float, check_mode: bool) -> list[dict[str, str]]:
    """What the next writer would do first: finish what was committed, drop what expired or was never decided.

    Returns every transaction that was there, with what became of it.
    """
    log = Transactions(root)
    if not os.path.isdir(log.folder) or not os.listdir(log.folder):
        return []
    if check_mode:
        return _transactions(log)
    with file_lock(inside(root, f"{PRIVATE}/lock"), timeout):
        found = _transactions(log)
        log.recover()
    return found


def _transactions(log: Transactions) -> list[dict[str, str]]:
    outcomes = []
    for transaction in log.all():
        if transaction.load() is None:
            outcome = "dropped: it was never decided"
        elif transaction.committed:
            outcome = "finished: it was committed"
        elif float(transaction.record["expires"]) <= time.time():
            outcome = "dropped: its reservation ended"
        else:
            outcome = "kept: prepared, and waits to be committed or undone"
        outcomes.append({"root": log.root, "transaction": transaction.identifier, "outcome": outcome})
    return outcomes
