# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state file: read and written whole, small, since it names chunks and no packages."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    Json,
    Ref,
    Scope,
    State,
    Table,
)

FORMAT = 2


def dump_state(state: State) -> bytes:
    """As JSON (without the recursion of ``asdict``)."""
    scopes = {name: vars(scope) for name, scope in state.scopes.items()}
    return canonical_json({**vars(state), "version": FORMAT, "scopes": scopes})


def load_state(path: str, kind: str) -> State | None:
    """Read a state file; None when there is none."""
    try:
        with open(path, "rb") as stream:
            raw = json.load(stream)
        if raw.pop("version") != FORMAT:
            raise DistrogateError(
                "state_version",
                f"{path} was written by another version of this collection. Publish the packages of that"
                " repository into a new root, or use that version.",
            )
        if raw["kind"] != kind:
            raise DistrogateError(
                "wrong_kind", f"{path} belongs to a repository of {raw['kind']} packages, not {kind}."
            )
        scopes = {name: _scope(scope) for name, scope in raw.pop("scopes").items()}
        return State(scopes=scopes, **raw)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DistrogateError("bad_state", f"{path} is broken: {error}. Restore it from a backup.") from error


def _scope(raw: Json) -> Scope:
    tables, shown = (
        {name: _table(refs) for name, refs in raw.pop(which).items()} for which in ("tables", "shown")
    )
    return Scope(tables=tables, shown=shown, **raw)


def _table(refs: list[list[t.Any]]) -> Table:
    return [
        Ref(first, packages, digest, identity, head, tuple((text, packed) for text, packed in sizes))
        for first, packages, digest, identity, head, sizes in refs
    ]
