# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Promotions that fail, and that are killed at every step."""

from __future__ import annotations

import dataclasses
import secrets
import typing as t

import pytest
from promotion_site import A, B, C, Killed, Site

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_journal import Journal
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import checked_channel
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store, open_store
from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster

Json = dict[str, t.Any]
ALL = ("oci_publish", "git_publish", "apt_publish", "rpm_publish", "file_publish")


@pytest.fixture
def site(store: Store) -> t.Iterator[Site]:
    """A site on which A is promoted; whatever a test does to it, it is whole at its end."""
    site = Site(store)
    outcome = site.promote(A)
    assert (outcome.version, outcome.previous, outcome.serial) == ("1.0.0", None, 1)
    yield site
    site.promotion().recover()
    site.check()


def test_promote_and_again(site: Site) -> None:
    outcome = site.promote(B)
    assert (outcome.version, outcome.previous, outcome.serial) == ("2.0.0", A, 2)
    assert [result["committed"] and result["prepared"] for result in outcome.targets] == [True, True]
    again = site.promote(B)
    assert (again.version, again.changed, again.targets) == ("2.0.0", False, [])
    assert site.state() == {B}
    assert site.promote(A).version == "3.0.0", "a version is never given out twice"
    assert site.versions() == {"1.0.0": A, "2.0.0": B, "3.0.0": A}
    assert list(site.statements) == ["latest-1", "latest-2", "latest-3"]


def kill_everywhere(
    url: t.Callable[[int], str], following: str, act: t.Callable[[Site, int], t.Any], stride: int = 1
) -> None:
    """Kill an act at each step; the next run makes it whole, and ``following`` can be promoted."""
    steps, outcomes = 0, set()
    while True:
        steps += stride
        with open_store(url(steps)) as store:
            site = Site(store, ALL)
            site.promote(A)
            site.promote(B)
            before = site.has()
            try:
                act(site, steps)
            except Killed:
                pass
            else:
                break
            if site.has() != before:
                assert len(site.state()) == 1, "the channel moves last"
            site.promotion().recover()
            assert len(site.state()) == 1, f"half promoted, killed at step {steps}"
            outcomes.add(site.has() == before)
            if following != site.has():
                site.promote(following)
            assert not site.promote(following).changed
            assert site.state() == {following}
            site.check()
            rows = store.list("history/latest/")
            assert set(site.attached) == {f"latest-{row.value['serial']}" for row in rows}
            for name, text in site.statements.items():
                row = store.get(f"history/latest/{int(name.rpartition('-')[2]):012d}")
                assert row is not None
                assert row.value["digest"] in text
    assert outcomes == {True, False}
    assert steps > 50


@pytest.mark.parametrize("following", [A, C])
def test_killed_at_every_step(tmp_path: t.Any, following: str) -> None:
    kill_everywhere(
        lambda number: f"sqlite://{tmp_path}/{number}.db",
        following,
        lambda site, steps: site.promote(C, steps),
    )


def test_a_roll_back_killed_at_every_step(tmp_path: t.Any) -> None:
    kill_everywhere(
        lambda number: f"sqlite://{tmp_path}/{number}.db", C, lambda site, steps: site.roll_back(A, steps)
    )


def test_killed_with_etcd(etcd_node: EtcdCluster) -> None:
    folder = secrets.token_hex(4)
    kill_everywhere(
        lambda number: etcd_node.url(f"{folder}-{number}"), A, lambda site, steps: site.promote(C, steps), 7
    )


def test_killed_again_while_recovering(tmp_path: t.Any) -> None:
    for first in range(1, 300, 3):
        second = 0
        while True:
            second += 2
            with open_store(f"sqlite://{tmp_path}/{first}-{second}.db") as store:
                site = Site(store)
                site.promote(A)
                try:
                    site.promote(B, first)
                except Killed:
                    pass
                else:
                    return
                try:
                    site.promotion(second).recover()
                except Killed:
                    pass
                else:
                    break
                site.promotion().recover()
                assert site.state() in ({A}, {B})
                assert store.list("journal/") == []
    raise AssertionError("the promotion has more steps than were tried")


def test_a_failed_prepare_moves_nothing(site: Site) -> None:
    site.repositories["/srv/rpm"].broken = {"prepare"}
    with pytest.raises(DistrogateError, match="No space"):
        site.promote(B)
    assert site.state() == {A}
    site.check()
    site.repositories["/srv/rpm"].broken = set()
    assert site.promote(B).version == "3.0.0", "the number of a failed promotion is not used again"


def test_a_run_directory_that_cannot_be_pinned(site: Site) -> None:
    request = dataclasses.replace(
        site.request(B), origin={"host": "builder", "run_dir": "/" + "\u00e4" * 200}
    )
    with pytest.raises(DistrogateError) as raised:
        site.promotion().promote(request)
    assert raised.value.reason == "bad_key"
    site.check()


def test_every_failure_is_told(site: Site) -> None:
    for repository in site.repositories.values():
        repository.broken = {"prepare"}
    with pytest.raises(DistrogateError, match=r"No space for prepare\. No space for prepare\."):
        site.promote(B)


def test_a_failed_undo_is_done_by_the_next(site: Site) -> None:
    site.repositories["/srv/rpm"].broken = {"prepare", "undo"}
    with pytest.raises(DistrogateError, match="No space for prepare"):
        site.promote(B)
    with pytest.raises(DistrogateError) as caught:
        site.promote(B)
    assert caught.value.reason == "undo_incomplete"
    assert site.state() == {A}
    site.repositories["/srv/rpm"].broken = set()
    site.promote(C)
    assert site.state() == {C}


def test_a_failed_commit_goes_on_later(site: Site) -> None:
    site.repositories["/srv/rpm"].broken = {"commit"}
    with pytest.raises(DistrogateError) as caught:
        site.promote(B)
    assert caught.value.reason == "promotion_incomplete"
    site.repositories["/srv/rpm"].broken = set()
    site.repositories["/srv/rpm"].prepared = {}  # its reservation ended meanwhile
    site.promotion().recover()
    assert site.state() == {B}
    assert site.versions() == {"1.0.0": A, "2.0.0": B}


def test_a_builder_that_is_gone_does_not_block_the_channel(site: Site) -> None:
    site.no_statements = True
    with pytest.raises(DistrogateError) as caught:
        site.promote(B)
    assert caught.value.reason == "statement_unwritten"
    assert site.state() == {B}
    assert not site.promote(B).changed
    entry = site.store.get("history/latest/000000000002")
    assert entry is not None
    assert entry.value["statement"] == f"latest 2 is {B} in 2 targets"


def test_a_registry_that_takes_no_statements_does_not_block_the_channel(site: Site) -> None:
    """The channel has moved by then, everywhere; the next call tries once more, and goes on."""
    site.no_attaching = True
    with pytest.raises(DistrogateError, match="takes no statements") as caught:
        site.promote(B)
    assert caught.value.reason == "statement_unwritten"
    assert site.state() == {B}
    assert "latest-2" in site.statements, "the one is written without the other"
    assert not site.promote(B).changed
    site.check()
    site.no_attaching, site.no_statements = False, True
    with pytest.raises(DistrogateError, match="The builder is down"):
        site.promote(C)
    assert sorted(site.attached["latest-3"]) == ["/srv/apt", "/srv/rpm"], "and the other way round"


@pytest.mark.parametrize("ends", [False, True])
def test_a_lost_answer_does_not_undo_what_was_decided(
    site: Site, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """The store took the step to commit, and the connection broke before it said so; another may end it."""
    step = Journal.step

    def lossy(journal: Journal, changes: Json, *more: t.Any) -> None:
        step(journal, changes, *more)
        if changes.get("phase") == "committing":
            monkeypatch.setattr(Journal, "step", step)
            if ends:
                site.promotion().recover()
            raise DistrogateError("store_unavailable", "The connection broke.")

    monkeypatch.setattr(Journal, "step", lossy)
    with pytest.raises(DistrogateError, match="broke"):
        site.promote(B)
    assert ends or all(repository.prepared for repository in site.repositories.values())
    site.promotion().recover()
    assert site.state() == {B}


def test_versions_are_not_shared_by_channels(store: Store) -> None:
    site = Site(store)
    site.promote(A)
    assert site.promote(A, channel="stable", plans=[]).version == "2.0.0"


@pytest.mark.parametrize("name", ["4.0.0", "", "Latest", "a/b", "../x", "a b", "latest\n"])
def test_names_of_channels(name: str) -> None:
    with pytest.raises(DistrogateError):
        checked_channel(name)
