# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repository holds now, by one digest, without a lock and without a trace."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._transactions import Transactions
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import STATE, Json
from ansible_collections.distrogate.ci.plugins.module_utils._packages._state import load_state

_AHEAD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
KINDS = {"apt": "deb", "rpm": "rpm"}


def present_state(root: str, kind: str) -> Json | None:
    """``state_digest``, ``serial`` and the digest of each suite; None where no repository is.

    The digest is of the packages' names and digests, so two machines have the same one for the same packages.
    """
    if not os.path.isdir(root):
        return None
    state = load_state(Transactions(root).pending(STATE), KINDS[kind])
    if state is None:
        return None
    suites = {
        name: scope.state_digest
        for name, scope in state.scopes.items()
        if scope.state_digest and "snapshots/" not in name  # those are names of earlier states
    }
    return {"state_digest": digest_json(suites), "serial": state.serial, "suites": suites}


def of_site(root: str, ahead: t.Iterable[str]) -> list[Json]:
    """The repositories below ``root`` that a run reads: the release's, and those of the changes ahead, each
    as ``KEY`` or ``KEY/RUN``."""
    found = [{"name": f"release/{kind}", "kind": kind, "root": f"{root}/release/{kind}"} for kind in KINDS]
    for one in ahead:
        if not _AHEAD.fullmatch(one) or ".." in one:
            raise DistrogateError("bad_change", f"{one!r} is not the key of a change ahead.")
        key, _slash, run = one.partition("/")
        place = f"{root}/test/{key}/{run or 'latest'}"
        found += [{"name": f"test/{key}/{kind}", "kind": kind, "root": f"{place}/{kind}"} for kind in KINDS]
    return found


def present_states(repositories: t.Sequence[Json]) -> dict[str, Json]:
    """The states of those that are there, by ``name``."""
    found = {each["name"]: present_state(each["root"], each["kind"]) for each in repositories}
    return {name: state for name, state in found.items() if state is not None}
