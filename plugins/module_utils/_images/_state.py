# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inputs of a request are at this moment."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Builder
from ansible_collections.distrogate.ci.plugins.module_utils._images._fetch import Fetcher
from ansible_collections.distrogate.ci.plugins.module_utils._images._inputs import code_of, inputs, key_of
from ansible_collections.distrogate.ci.plugins.module_utils._images._memo import Memo
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest
from ansible_collections.distrogate.ci.plugins.module_utils._images._snapshots import (
    Snapshot,
    snapshots_of,
    suites_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Store

_MEMO = ".digests.json"
_PATIENCE = 60.0  # seconds for all that is asked of mirrors


@dataclasses.dataclass(frozen=True)
class State:
    """Inputs and their key; ``date`` is the newest of the repositories' (0: not known)."""

    inputs: dict[str, str]
    key: str
    date: int
    tools: dict[str, str]
    memo: Memo
    warnings: tuple[str, ...] = ()


def look(
    store: Store,
    request: ImageRequest,
    builder: Builder,
    pins: dict[str, str],
    *,
    timeout: float,
    before: State | None = None,
) -> State:
    """The inputs now; ``before`` saves asking the tools again, and reading files that are as they were."""
    tools = before.tools if before else {**builder.tools(), "distrogate.ci": code_of(request.builder)}
    memo = before.memo if before else Memo(os.path.join(store.home, _MEMO))
    fetcher = Fetcher(min(timeout, _PATIENCE))
    seen = _repositories(request, fetcher, pins)
    named = {name: state.digest for name, state in seen.items()}
    named.update({f"distribution:{suite}": _checked(suite, value) for suite, value in pins.items()})
    elements = _elements(request, builder)
    more, warnings = _fetched(request, builder, elements)
    found = inputs(request, tools, {**named, **more}, memo, elements)
    date = max((state.date for state in seen.values()), default=0)
    return State(found, key_of(found), date, tools, memo, tuple(warnings))


def _elements(request: ImageRequest, builder: Builder) -> dict[str, str]:
    """Each element of the image and its folder, from a builder that knows elements (method ``elements``)."""
    if hasattr(builder, "elements"):
        return dict(t.cast(t.Any, builder).elements(request))
    if request.elements:
        raise DistrogateError(
            "bad_request",
            f"The builder {request.builder} knows no elements. Give packages, or use the builder dib.",
        )
    return {}


def _fetched(
    request: ImageRequest, builder: Builder, elements: dict[str, str]
) -> tuple[dict[str, str], list[str]]:
    """What elements fetch, and what of that the key does not cover (a builder's method ``fetched``)."""
    if not hasattr(builder, "fetched"):
        return {}, []
    return t.cast("tuple[dict[str, str], list[str]]", t.cast(t.Any, builder).fetched(request, elements))


def _repositories(request: ImageRequest, fetcher: Fetcher, pins: t.Container[str]) -> dict[str, Snapshot]:
    """The states of the distribution's repositories, and of others that nobody has digested."""
    found = {}
    if request.mirror:
        states = snapshots_of(request.mirror, fetcher, pins)
        found.update({f"distribution:{suite}": state for suite, state in states.items()})
    for number, repository in enumerate(request.repositories):
        if not repository.digest:
            states = snapshots_of(repository.text, fetcher)
            found.update({f"repository:{number}:{suite}": state for suite, state in states.items()})
    return found


def _checked(suite: str, value: str) -> str:
    if not suite.isprintable() or not value.isprintable() or not value:
        raise DistrogateError("bad_request", f"snapshots: {suite[:100]!r} has no name that can be written.")
    return value


def check_pins(request: ImageRequest, pins: dict[str, str], timeout: float) -> int:
    """The newest date of repositories that are pinned by digest; they must have that state to build from.

    Error ``snapshot_moved``. A pin that is no digest is the caller's word.
    """
    wanted = {suite: pin for suite, pin in pins.items() if pin.startswith("sha256:")}
    if not wanted or not request.mirror:
        return 0
    others = [suite for _address, suite in suites_of(request.mirror) if suite not in wanted]
    seen = snapshots_of(request.mirror, Fetcher(min(timeout, _PATIENCE)), others)
    for suite, state in seen.items():
        if state.digest != wanted[suite]:
            raise DistrogateError(
                "snapshot_moved",
                f"{suite} has the state {state.digest}, and snapshots pins it to {wanted[suite]}: the image"
                " would not be what its key says. Use a mirror that has that state, or pin the new one.",
            )
    return max((state.date for state in seen.values()), default=0)
