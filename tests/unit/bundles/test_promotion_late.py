# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Late owners: a process that was taken for dead, whose promotion another took over, does nothing more."""

from __future__ import annotations

import typing as t

import pytest
from promotion_site import A, B, C, RepositoryTarget, Site, digest_of

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion import Promotion
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store

Json = dict[str, t.Any]
Hook = t.Callable[[RepositoryTarget], None]
ALL = ("oci_publish", "git_publish", "apt_publish", "rpm_publish", "file_publish")


@pytest.fixture
def site(any_store: Store) -> t.Iterator[Site]:
    """A site on which A is promoted; whatever a test does to it, it is whole at its end."""
    site = Site(any_store, ALL)
    site.promote(A)
    yield site
    site.promotion().recover()
    site.check()


class Watched(RepositoryTarget):
    """A target that tells what is asked of it, and lets something happen at one point."""

    calls: list[str]
    hooks: dict[str, Hook]

    def _noted(self, method: str, act: t.Callable[[], Json]) -> Json:
        self.calls.append(f"{method} {self.repository.plugin}")
        before, after = self.hooks.get(f"before {method}"), self.hooks.get(f"after {method}")
        if before is not None:
            before(self)
        result = act()
        if after is not None:
            after(self)
        return result

    def prepare(self) -> Json:
        return self._noted("prepare", super().prepare)

    def commit(self) -> Json:
        return self._noted("commit", super().commit)

    def undo(self) -> Json:
        return self._noted("undo", super().undo)


def watched(site: Site, hooks: dict[str, Hook]) -> tuple[Promotion, list[str]]:
    """A promotion with such targets, and what is asked of them."""
    promotion = site.promotion()
    world = t.cast("t.Any", promotion._world)
    calls: list[str] = []

    def target(plan: Json, journal: Json, transaction: str, index: int) -> Watched:
        found = Watched(site.repositories[plan["place"]], world.life, plan, journal, transaction)
        found.calls, found.hooks = calls, hooks
        return found

    world.target = target
    return promotion, calls


def taking_over(site: Site, plugin: str, calls: list[str], forget: bool = False) -> Hook:
    """Another process recovers, and promotes C; perhaps targets forget how their transactions ended."""

    def hook(target: RepositoryTarget) -> None:
        if target.repository.plugin == plugin and site.has() != C:
            calls.append("taken over")
            site.promotion().recover()
            site.promote(C)
            for repository in site.repositories.values():
                if forget:
                    repository.finished.clear()

    return hook


@pytest.mark.parametrize("plugin", ALL)
def test_taken_over_while_it_prepares(site: Site, plugin: str) -> None:
    hooks: dict[str, Hook] = {}
    promotion, calls = watched(site, hooks)
    hooks["after prepare"] = taking_over(site, plugin, calls)
    with pytest.raises(DistrogateError) as caught:
        promotion.promote(site.request(B))
    assert caught.value.reason == "promotion_lost"
    assert f"the channel points to {C}" in caught.value.message
    assert site.state() == {C}
    assert B not in site.versions().values()
    assert "commit" not in " ".join(calls)


@pytest.mark.parametrize("forget", [False, True])
@pytest.mark.parametrize("plugin", ALL)
def test_taken_over_while_it_commits(site: Site, plugin: str, forget: bool) -> None:
    """Also when targets have forgotten by then what they were told: the late one may not begin anew."""
    hooks: dict[str, Hook] = {}
    promotion, calls = watched(site, hooks)
    hooks["before commit"] = taking_over(site, plugin, calls, forget)
    with pytest.raises(DistrogateError) as caught:
        promotion.promote(site.request(B))
    assert caught.value.reason == "promotion_lost"
    assert site.state() == {C}
    assert B in site.versions().values(), "it was completed by the other"
    after = calls[calls.index("taken over") + 1 :]
    same_rank = {"oci_publish": ["commit git_publish"], "apt_publish": ["commit rpm_publish"]}
    assert after == same_rank.get(plugin, []), "nothing is begun after it"


@pytest.mark.parametrize("when", ["after prepare", "before commit"])
def test_taken_over_by_one_that_has_not_ended(site: Site, when: str) -> None:
    """The other one could not end it yet; the late one may not go on all the same."""
    hooks: dict[str, Hook] = {}
    promotion, calls = watched(site, hooks)
    rpm = site.repositories["/srv/rpm"]

    def hook(target: RepositoryTarget) -> None:
        if target.repository.plugin == "oci_publish" and not rpm.broken:
            rpm.broken = {"undo", "commit"}
            with pytest.raises(DistrogateError, match="No space"):
                site.promotion().recover()
            calls.append("taken over")

    hooks[when] = hook
    with pytest.raises(DistrogateError, match="somebody took it over at 2026") as caught:
        promotion.promote(site.request(B))
    assert caught.value.reason == "promotion_lost"
    rpm.broken = set()
    site.promotion().recover()
    assert site.state() == ({A} if when == "after prepare" else {B})


def test_a_target_begins_anew_under_an_id_that_the_journal_gave(site: Site) -> None:
    """So that of two who go on with a promotion one alone can begin anew."""
    given: list[str] = []
    hooks: dict[str, Hook] = {}
    promotion, _calls = watched(site, hooks)
    apt = site.repositories["/srv/apt"]

    def forget(target: RepositoryTarget) -> None:
        if target.repository is apt and not given:
            apt.prepared.clear()
            given.append(target.transaction)

    def look(target: RepositoryTarget) -> None:
        if target.repository is apt and given:
            entry = site.store.get("journal/promotion/latest")
            assert entry is not None
            assert entry.value["again"] == {"2": 1}
            given.append(target.transaction)

    hooks.update({"before commit": forget, "before prepare": look})
    promotion.promote(site.request(B))
    assert given == [given[0], f"{given[0]}-1"]
    assert site.state() == {B}


def test_the_state_to_go_back_to_is_what_was_prepared(site: Site) -> None:
    """Killed after a repository was published; before it is recovered, another channel publishes there."""
    apt, rpm = site.repositories["/srv/apt"], site.repositories["/srv/rpm"]
    rpm.broken = {"commit"}
    with pytest.raises(DistrogateError, match="No space"):
        site.promote(B)
    ours = digest_of(apt.published)
    apt.published = {**apt.published, "another": C}
    rpm.broken = set()
    site.promotion().recover()
    entry = site.store.get("history/latest/000000000002")
    assert entry is not None
    (state,) = [state for state in entry.value["states"] if state["plugin"] == "apt_publish"]
    assert state["state_digest"] == ours
