# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions, history, the way back, and names that do not move; on both stores."""

from __future__ import annotations

import threading
import typing as t

import pytest
from promotion_site import A, B, C, Repository, RepositoryTarget, Site

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _promotion_parts
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_adapters import (
    adapter_of,
    names_of,
    told,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_history import targets_back
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_targets import side_by_side
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store, open_store

Json = dict[str, t.Any]
ALL = ("oci_publish", "git_publish", "apt_publish", "rpm_publish", "file_publish")


@pytest.fixture
def site(any_store: Store) -> t.Iterator[Site]:
    """A site with targets of every kind; whatever a test does to it, it is whole at its end."""
    site = Site(any_store, ALL)
    yield site
    site.check()


def test_versions_of_a_series(site: Site) -> None:
    assert site.promote(A, version="minor").version == "0.1.0"
    assert site.promote(B, version="major").version == "1.0.0"
    assert site.promote(A, version="minor").version == "1.1.0"
    assert site.promote(B, version="minor").version == "1.2.0"
    assert site.promote(A, version="none").version is None
    assert site.versions() == {"0.1.0": A, "1.0.0": B, "1.1.0": A, "1.2.0": B}


def test_each_series_counts_by_itself(any_store: Store) -> None:
    site = Site(any_store)
    assert site.promote(A).version == "1.0.0"
    assert site.promote(B, channel="epoxy", series="epoxy").version == "1.0.0"
    assert site.promote(C, channel="epoxy", series="epoxy", version="minor").version == "1.1.0"
    assert site.versions() == {"1.0.0": A, "epoxy/1.0.0": B, "epoxy/1.1.0": C}
    with pytest.raises(DistrogateError) as caught:
        site.promote(C, series="../x")
    assert caught.value.reason == "bad_name"


def test_versions_go_on_from_the_counter_of_an_earlier_release(any_store: Store) -> None:
    any_store.transact({}, [Put("promotion/version", 41)])
    assert Site(any_store).promote(A).version == "42.0.0"


def test_a_version_that_exists_is_never_given_out(any_store: Store) -> None:
    """Not even when its counter was lost."""
    site = Site(any_store)
    any_store.transact({}, [Put("channel/1.0.0", {"digest": C}), Put("channel/2.0.0", {"digest": C})])
    assert site.promote(A).version == "3.0.0"


def test_roll_back_and_forth(site: Site) -> None:
    for digest in (A, B, C):
        site.promote(digest)
    apt = site.repositories["/srv/apt"]
    assert set(apt.published) == {"package-a", "package-b", "package-c", "newest"}
    outcome = site.roll_back()
    assert (outcome.version, outcome.previous, outcome.serial) == ("2.0.0", C, 4)
    assert site.state() == {B}
    assert set(apt.published) == {"package-a", "package-b", "newest"}
    assert site.roll_back(A).version == "1.0.0"
    assert site.state() == {A}
    assert set(apt.published) == {"package-a", "newest"}
    assert not site.roll_back(A).changed
    assert site.roll_back().version == "2.0.0", "previous is what the channel had before"
    assert site.promote(C).version == "4.0.0"
    assert site.versions() == {"1.0.0": A, "2.0.0": B, "3.0.0": C, "4.0.0": C}
    rows = [entry.value for entry in site.store.list("history/latest/")]
    assert [row["state"] for row in rows] == ["promoted"] * 3 + ["rolled_back"] * 3 + ["promoted"]
    assert [row["version"] for row in rows] == ["1.0.0", "2.0.0", "3.0.0", "2.0.0", "1.0.0", "2.0.0", "4.0.0"]
    assert all(len(row["states"]) == len(ALL) for row in rows)


def test_there_is_nothing_to_roll_back_to(site: Site) -> None:
    with pytest.raises(DistrogateError) as caught:
        site.roll_back()
    assert caught.value.reason == "no_previous"
    site.promote(A)
    with pytest.raises(DistrogateError) as caught:
        site.roll_back()
    assert caught.value.reason == "no_previous"
    with pytest.raises(DistrogateError, match=A) as caught:
        site.roll_back(B)
    assert caught.value.reason == "not_in_history"


def test_a_repository_that_joined_later_cannot_go_back(any_store: Store) -> None:
    site = Site(any_store, ALL)
    site.promote(A, plans=[plan for plan in site.plans() if plan["plugin"] != "rpm_publish"])
    site.promote(B)
    with pytest.raises(DistrogateError, match="/srv/rpm on repositories") as caught:
        site.roll_back()
    assert caught.value.reason == "no_earlier_state"
    assert site.state() == {B}


def test_what_has_names_of_its_own_may_join_later(any_store: Store) -> None:
    site = Site(any_store, ALL)
    site.promote(A, plans=[plan for plan in site.plans() if plan["plugin"] != "oci_publish"])
    site.promote(B)
    site.roll_back()
    assert site.state() == {A}
    site.check()


def test_how_a_target_is_reached_may_change(any_store: Store) -> None:
    states = [
        {
            "host": "h",
            "plugin": "apt_publish",
            "place": "/r",
            "arguments": {"root": "/r"},
            "state_digest": "x",
        }
    ]
    given = {
        "host": "h",
        "plugin": "distrogate.ci.apt_publish",
        "arguments": {"root": "/r/", "gnupg_home": "/g"},
    }
    (target,) = targets_back([{"serial": 1, "states": states}], 1, [given], ["apt_publish"])
    assert target["arguments"] == given["arguments"]
    assert target["state_digest"] == "x"
    with pytest.raises(DistrogateError, match="/other on h"):
        targets_back(
            [{"serial": 1, "states": states}],
            1,
            [{**given, "arguments": {"root": "/other"}}],
            ["apt_publish"],
        )


def test_no_version_moves_whatever_a_target_says(site: Site) -> None:
    """A target claims a name that stands for another bundle: nothing is published anywhere."""
    site.promote(A)
    image = site.repositories["/srv/oci"]
    after = image.after
    image.after = lambda plan, journal: {**after(plan, journal), "1.0.0": journal["digest"]}  # type: ignore[method-assign]
    with pytest.raises(DistrogateError, match="/srv/oci:1.0.0 stands for " + A) as caught:
        site.promote(B)
    assert caught.value.reason == "tag_taken"
    assert site.state() == {A}


def test_an_immutable_channel_stays(site: Site) -> None:
    site.promote(A, immutable=True)
    assert not site.promote(A).changed
    with pytest.raises(DistrogateError) as caught:
        site.promote(B)
    assert caught.value.reason == "channel_immutable"
    assert site.state() == {A}


def test_a_name_that_was_mutable_does_not_become_immutable_unseen(site: Site) -> None:
    site.promote(A)
    with pytest.raises(DistrogateError) as caught:
        site.promote(B, immutable=True)
    assert caught.value.reason == "tag_taken"


def test_many_names_are_claimed_piece_by_piece(site: Site) -> None:
    """More than etcd takes in one transaction; and all are given back when it comes to nothing."""
    image = site.repositories["/srv/oci"]
    image.after = lambda plan, journal: {f"v{number}": A for number in range(500)}  # type: ignore[method-assign]
    image.resolves = lambda: None  # type: ignore[method-assign]
    site.repositories["/srv/fil"].broken = {"prepare"}
    with pytest.raises(DistrogateError, match="No space"):
        site.promote(A)
    assert site.store.list("tag/") == []
    site.repositories["/srv/fil"].broken = set()
    site.promote(A)
    assert len(site.store.list("tag/oci_publish/")) == 500


def test_plans_of_thousands_of_artifacts(site: Site) -> None:
    plans = site.plans()
    plans[0]["files"] = [{"name": f"package-{number}", "sha256": "0" * 64} for number in range(20_000)]
    site.promote(A, plans=plans)
    assert site.state() == {A}


def test_plans_that_no_store_takes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_promotion_parts, "PIECE", 10)
    with pytest.raises(DistrogateError, match="Promote fewer") as caught:
        site.promote(A)
    assert caught.value.reason == "too_large"


def test_contents_come_before_names(site: Site) -> None:
    order: list[str] = []
    for repository in site.repositories.values():
        save = repository.save

        def noted(save: t.Any = save, repository: t.Any = repository) -> None:
            save()
            if not repository.prepared:
                order.append(repository.plugin)

        repository.save = noted  # type: ignore[method-assign]
    site.promote(A)
    assert order == ["oci_publish", "git_publish", "apt_publish", "rpm_publish", "file_publish"]


def test_side_by_side() -> None:
    """Two that wait for each other both end; a failure of one waits for the other."""
    meeting = threading.Barrier(2, timeout=30)

    def good() -> Json:
        meeting.wait()
        return {"good": True}

    def bad() -> Json:
        meeting.wait()
        raise DistrogateError("disk_full", "No space.")

    found = side_by_side([good, bad])
    assert found[0] == {"good": True}
    assert isinstance(found[1], DistrogateError)


@pytest.mark.parametrize(
    "arguments", [{}, {"root": "/r", "channel": "x"}, {"root": "/r", "password": "secret"}, {"registry": "x"}]
)
def test_targets_that_are_refused(arguments: Json) -> None:
    with pytest.raises(DistrogateError) as caught:
        adapter_of({"plugin": "distrogate.ci.apt_publish", "host": "h", "arguments": arguments})
    assert caught.value.reason == "bad_target"
    assert "secret" not in caught.value.message.replace("a secret", "")


def test_secrets_come_from_the_environment() -> None:
    target = {
        "host": "h",
        "arguments": {"registry": "r"},
        "from_environment": {"password": "REGISTRY_PASSWORD"},
    }
    assert told(target, {"REGISTRY_PASSWORD": "x"}) == {"registry": "r", "password": "x"}
    assert target["arguments"] == {"registry": "r"}
    with pytest.raises(DistrogateError, match="REGISTRY_PASSWORD"):
        told(target, {})
    with pytest.raises(DistrogateError, match="sets that argument"):
        told({**target, "from_environment": {"state": "HOME"}}, {"HOME": "x"})


@pytest.mark.parametrize(
    ("plugin", "row", "names"),
    [
        (
            "oci_publish",
            {"address": "r:5000/a@sha256:0", "tags": ["r:5000/a:1.0.0"]},
            [("r:5000/a", "1.0.0")],
        ),
        ("oci_publish", {"address": "r:5000/a"}, []),
        ("oci_publish", {"address": "r/a@sha256:00"}, []),
        ("git_publish", {"address": "https://g/a:b#refs/tags/v/1:2"}, [("https://g/a:b", "v/1:2")]),
        ("apt_publish", {}, []),
    ],
)
def test_names_that_are_published(plugin: str, row: Json, names: list[tuple[str, str]]) -> None:
    result = {"published": [{"digest": A, **row}]} if row else {}
    found = list(names_of({"plugin": plugin, "place": "p"}, result, {"channel": "latest", "version": None}))
    assert found == [(*name, A) for name in names]


def promote_all(url: str, digests: t.Sequence[str], told: list[str], start: threading.Barrier) -> None:
    """A process that promotes, without the channel's lock, which it believes to hold."""
    with open_store(url) as store:
        site = Site(store, ())
        start.wait()
        for digest in digests:
            try:
                outcome = site.promote(digest)
                told.append(f"{digest} after {outcome.previous}" if outcome.changed else "unchanged")
            except DistrogateError as error:
                told.append(f"{error.reason}: {error.message}")


def test_two_at_once_without_a_lock(any_store_url: str) -> None:
    """One order, and who loses is told why: the journal alone sees to it."""
    told: list[list[str]] = [[], []]
    start = threading.Barrier(2, timeout=30)
    threads = [
        threading.Thread(target=promote_all, args=(any_store_url, digests * 5, told[number], start))
        for number, digests in enumerate(([A, B], [C, B]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(each) for each in told] == [10, 10]
    lost = [line for each in told for line in each if ": " in line]
    assert all(line.startswith(("promotion_lost: ", "store_contended: ")) for line in lost), lost
    with open_store(any_store_url) as store:
        site = Site(store, ())
        site.promotion().recover()
        site.check()
        numbers = list(site.versions())
        assert len(numbers) == len(set(numbers))
        moved = [line for each in told for line in each if " after " in line]
        assert len(store.list("history/latest/")) >= len(moved)


def test_what_targets_say_may_be_long(any_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they published, the channel can move: it would be too late to find that out then."""
    said = [{"name": "n" * 4000, "digest": A, "address": f"registry/{number}"} for number in range(300)]
    monkeypatch.setattr(
        RepositoryTarget,
        "_result",
        lambda self, state: {"state_digest": "s" * 71, "published": said, "previous": said},
    )
    site = Site(any_store)
    site.repositories = {f"/srv/{number}": Repository("oci_publish") for number in range(5)}
    site.promote(A)
    row = any_store.list("history/latest/")[0].value
    assert site.has() == A
    assert {state["published_total"] for state in row["states"]} == {300}
    assert row["states"][0]["state_digest"] == "s" * 71
    assert row["states"][0]["published"] != []
