# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a call tells of the channel: what was left open before, what it refuses, and what it predicts."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from bundle_place import HOLD, OneHost, Place
from bundle_samples import FROZEN, stages
from promotion_site import A, Killed, Site

from ansible_collections.distrogate.ci.plugins.action.bundle_promote import _Work
from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import make_bundle
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_targets import Targets
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_plans import plan_targets

Json = dict[str, t.Any]


class Caller:
    """Calls for one channel, for the bundle of a place."""

    def __init__(self, place: Place, site: Site) -> None:
        self.place, self.site = place, site

    def call(self, check: bool = False, **more: t.Any) -> tuple[Json, Json]:
        """One call; its result, and its difference."""
        params = {
            "bundle": None,
            "run_dir": str(self.place.run),
            "channel": "latest",
            "state": "promoted",
            "version": "major",
            "series": "main",
            "immutable": False,
            "targets": [],
            "timeout": 1.0,
            **more,
        }
        hosts: t.Any = OneHost()
        self.last = ActionCall(params, check, {}, print)
        world: t.Any = type("Knowing", (), {"know": lambda *_said: None})()
        work = _Work(self.last, hosts, self.place.store, self.place.judging_with({}), self.site.promotion())
        if check:
            work.predict()
        else:
            work.move(world, "ann")
        return self.last.result, self.last.difference.as_result()

    def leave(self, phase: str) -> None:
        """Kill a promotion of another bundle in that phase."""
        for steps in range(1, 1000):
            try:
                self.site.promote(A, steps)
            except Killed:
                entry = self.place.store.get("journal/promotion/latest")
                if entry is not None and entry.value["phase"] == phase:
                    return
            self.site.promotion().recover()


@pytest.fixture
def caller(tmp_path: pathlib.Path, store: Store, bundle: Json, key: t.Any) -> Caller:
    return Caller(Place(tmp_path, store, bundle, key), Site(store))


@pytest.mark.parametrize(("phase", "ended"), [("preparing", "undone"), ("committing", "completed")])
def test_what_was_left_open_is_told(caller: Caller, phase: str, ended: str) -> None:
    caller.leave(phase)
    before = caller.place.store.revision()
    predicted, expected = caller.call(check=True)
    assert caller.place.store.revision() == before, "a prediction writes nothing"
    result, difference = caller.call()
    assert result["recovered"]["bundle"] == A and result["recovered"]["ended"] == ended
    assert predicted["recovered"] == result["recovered"]
    assert predicted["from"] == result["from"] == (A if ended == "completed" else None)
    assert expected == difference


def test_a_refusal_tells_what_was_completed_before_it(caller: Caller) -> None:
    """The channel moved in this call, and not to what was asked for: who reads this must not believe less."""
    caller.leave("committing")
    caller.place.say("hold-1.json", _statements.HOLD, HOLD)
    with pytest.raises(DistrogateError) as raised:
        caller.call()
    assert raised.value.reason == "promotion_refused"
    assert "Nothing was promoted" not in raised.value.message
    assert A in raised.value.message and "completed" in raised.value.message
    assert caller.last.result["recovered"]["bundle"] == A
    assert caller.site.has() == A


def test_a_hold_that_came_while_targets_prepared(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(_targets: Targets) -> list[Json]:
        caller.place.hold()
        return []

    monkeypatch.setattr(Targets, "prepare", prepare)
    with pytest.raises(DistrogateError) as raised:
        caller.call()
    assert raised.value.reason == "promotion_refused" and "CVE-2026-1" in raised.value.message
    assert [reason["rule"] for reason in caller.last.result["refused"]] == ["holds"]
    assert caller.site.has() == ""
    caller.site.check()


def test_every_reason_at_once_also_that_the_channel_is_immutable(caller: Caller) -> None:
    caller.site.promote(A, immutable=True)
    result, difference = caller.call(check=True)
    assert [reason["rule"] for reason in result["refused"]] == ["immutable"]
    assert difference == {"before": {}, "after": {}}
    with pytest.raises(DistrogateError) as raised:
        caller.call()
    assert raised.value.reason == "channel_immutable"
    caller.place.say("hold-1.json", _statements.HOLD, HOLD)
    result, _difference = caller.call(check=True)
    assert [reason["rule"] for reason in result["refused"]] == ["holds", "immutable"]
    with pytest.raises(DistrogateError) as raised:
        caller.call()
    assert raised.value.reason == "promotion_refused"
    assert "CVE-2026-1" in raised.value.message and "immutable" in raised.value.message


def test_a_channel_is_declared_immutable_with_what_it_has(caller: Caller) -> None:
    """Whoever asks for it relies on it, also when the bundle is there already."""
    first, _difference = caller.call()
    _result, expected = caller.call(check=True, immutable=True)
    result, difference = caller.call(immutable=True)
    assert expected == difference == {"before": {"immutable": False}, "after": {"immutable": True}}
    assert result["version"] == first["version"]
    assert caller.call(immutable=True)[1] == {"before": {}, "after": {}}
    assert caller.call()[1] == {"before": {}, "after": {}}
    with pytest.raises(DistrogateError) as raised:
        caller.site.promote(A)
    assert raised.value.reason == "channel_immutable"


def taken_caller(tmp_path: pathlib.Path, store: Store, key: t.Any, count: int) -> Caller:
    """The first ``count`` artifacts of the bundle were taken from latest."""
    records = stages()
    for one in records["build"]["artifacts"][:count]:
        one["taken"] = "latest"
    return Caller(Place(tmp_path, store, make_bundle(FROZEN, records, "/runs/42"), key), Site(store))


def test_what_was_taken_moves_no_channel(tmp_path: pathlib.Path, store: Store, key: t.Any) -> None:
    """Another run promoted a newer one meanwhile: latest never goes back, and nothing has failed."""
    caller = taken_caller(tmp_path, store, key, 2)
    caller.site.promote(A)
    caller.place.say("hold-1.json", _statements.HOLD, HOLD)
    for check in (True, False):
        result, difference = caller.call(check=check)
        assert difference == {"before": {}, "after": {}} and result["refused"] == []
        assert "nothing to publish" in result["msg"] and len(result["taken"]) == 2
        assert result["from"] == A and result["version"] is None
    assert caller.site.has() == A


def test_what_was_taken_is_left_out(tmp_path: pathlib.Path, store: Store, key: t.Any) -> None:
    caller = taken_caller(tmp_path, store, key, 1)
    target = {"host": "here", "plugin": "file_publish", "artifact_types": ["deb", "rpm"]}
    hosts: t.Any = type("Here", (), {"check": lambda *_host: None})()
    targets = [{**target, "arguments": {"root": "/srv", "name": "x"}}]
    bundle = caller.place.bundle
    (own,) = [one["name"] for one in bundle["artifacts"] if "taken" not in one]
    (plan,) = plan_targets(hosts, targets, bundle, 5)
    assert [one["name"] for one in plan["files"]] == [own]
    (plan,) = plan_targets(hosts, targets, bundle, 5, rolling_back=True)
    assert len(plan["files"]) == 2, "who goes back gets what was tested together"
    result, difference = caller.call()
    assert difference["after"] == {"latest": bundle["digest"]} and "msg" not in result
    assert len(result["taken"]) == 1
