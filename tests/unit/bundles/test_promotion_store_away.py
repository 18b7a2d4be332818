# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store that goes away in the middle of a promotion: what is said, and what the next call makes of it."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from promotion_site import A, B, Life, MortalStore, Site, World

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._channel_lock import channel_lock
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion import Promotion
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import lock_key
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store


class Away(Life):
    """A store that answers N times, and then never again."""

    def step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise DistrogateError("store_unavailable", "No etcd answers.")


def left_by(site: Site, steps: int) -> DistrogateError | None:
    """Why the promotion of B failed when the store went away at that step."""
    promotion = Promotion(MortalStore(site.store, Away(steps)), "latest", World(site, Life()), "somebody")
    try:
        promotion.promote(site.request(B))
    except DistrogateError as error:
        return error
    return None


def test_a_store_that_goes_away_at_every_step(tmp_path: pathlib.Path) -> None:
    seen: set[str] = set()
    for steps in range(1, 1000):
        with open_store(f"sqlite://{tmp_path}/{steps}.db") as store:
            site = Site(store, ("apt_publish", "file_publish"))
            site.promote(A)
            error = left_by(site, steps)
            if error is None:
                break
            seen.add(error.reason)
            assert "No etcd answers." in error.message
            open_journal = store.list("journal/")
            if open_journal and site.state() != {A}:
                assert error.reason in ("promotion_incomplete", "statement_unwritten"), error.message
                assert "Run it again" in error.message and B in error.message
            elif open_journal:
                assert "run it again" in error.message.lower() and B in error.message, error.message
            site.promotion().recover()
            assert site.state() in ({A}, {B})
            site.promote(B)
            site.check()
    else:
        raise AssertionError("the promotion has more steps than were tried")
    assert seen == {"store_unavailable", "promotion_incomplete", "statement_unwritten"}


def test_an_error_is_not_hidden_by_that_of_giving_back_the_lock(
    store: Store, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: t.Any) -> t.NoReturn:
        raise DistrogateError("store_unavailable", "No etcd answers.")

    holder = {"by": "ann", "since": "noon", "channel": "latest"}

    def promote() -> None:
        with channel_lock(
            store,
            lambda: open_store(f"sqlite://{tmp_path}/store.db"),
            lock_key("latest"),
            holder,
            timeout=1,
            progress=print,
        ):
            monkeypatch.setattr(store, "get", away)
            raise DistrogateError("promotion_incomplete", "It has begun to publish.")

    with pytest.raises(DistrogateError, match="has begun to publish"):
        promote()
