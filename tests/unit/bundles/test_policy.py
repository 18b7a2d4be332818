# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of a policy, its waivers, and its form as data."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from bundle_samples import FROZEN, signed, stage, stages

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import (
    _bundle,
    _policy,
    _policy_form,
    _statements,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import register
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_current import channel_has
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy_model import Reason, Waived
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._times import duration, seconds_of
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store

Json = dict[str, t.Any]
SEALED = seconds_of("2026-01-01T00:00:00Z") or 0.0  # what the samples' provenance says
DAY = 86400
WAIVER: Json = {
    "rule": "verdicts",
    "stage": "system_test",
    "author": "Ada",
    "reason": "The lab is down",
    "expires": "2026-01-03T00:00:00Z",
    "at_ns": 5,
}


class Case:
    """A sealed bundle, what is said of it, and who judges."""

    def __init__(self, bundle: Json, key: t.Any) -> None:
        self.bundle = bundle
        self.key = key
        self.statements = signed(bundle, key)
        self.more: Json = {"keys": [key.public], "now": SEALED + DAY}

    def say(self, kind: str, predicate: Json, key: t.Any = None) -> None:
        value = _statements.statement(self.bundle["digest"], kind, predicate)
        self.statements[f"{len(self.statements):02}.json"] = _statements.sign(value, key or self.key)

    def judge(self, policy: Json | None = None, **more: t.Any) -> tuple[list[Reason], list[Waived]]:
        options: Json = {
            "bundle_text": _bundle.bundle_text(self.bundle),
            "digest": self.bundle["digest"],
            "statements": self.statements,
            "found": {item["path"]: item["sha256"] for item in self.bundle["artifacts"]},
            "policy": _policy_form.check_policy({"version": 1, **(policy or {})}),
            **self.more,
            **more,
        }
        return _policy.evaluate(**options)[1:]

    def rules(self, policy: Json | None = None, **more: t.Any) -> list[str]:
        return [reason.rule for reason in self.judge(policy, **more)[0]]


@pytest.fixture
def case(bundle: Json, key: t.Any) -> Case:
    return Case(bundle, key)


def test_a_bundle_ripens(case: Case) -> None:
    policy = {"minimum_age": 2 * DAY}
    (reason,) = case.judge(policy)[0]
    assert reason.rule == "minimum_age"
    assert "1 d ago" in reason.message and reason.satisfy == "Wait 1 d."
    assert case.rules(policy, now=SEALED + 2 * DAY) == []
    assert case.rules(policy, now=SEALED - DAY) == ["minimum_age"]  # a clock that is behind


def test_the_age_is_that_of_the_first_sealing(case: Case, other_key: t.Any) -> None:
    later = _statements.provenance_statement(
        case.bundle, _policy_sha(case.bundle), FROZEN, "builder", "2026-01-05T00:00:00Z"
    )
    case.statements["later.json"] = _statements.sign(later, other_key)
    both = [case.key.public, other_key.public]
    assert case.rules({"minimum_age": DAY}, keys=both) == []
    # Whom nobody trusts cannot make it older, or younger.
    assert "minimum_age" in case.rules({"minimum_age": DAY}, keys=[other_key.public])


def _policy_sha(bundle: Json) -> str:
    import hashlib

    return hashlib.sha256(_bundle.bundle_text(bundle).encode()).hexdigest()


def test_only_what_is_newer_replaces_what_the_channel_has(case: Case) -> None:
    policy = {"newer_than_channel": True}
    other = "sha256:" + "0" * 64
    assert case.rules(policy, current=None) == []
    assert case.rules(policy, current={"digest": other, "sealed": "2025-12-31T23:59:59Z"}) == []
    for sealed in ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", None, "yesterday"):
        current = {"digest": other, "sealed": sealed}
        assert case.rules(policy, current=current) == ["newer_than_channel"], sealed
        assert case.rules(policy, current=current, rolling_back=True) == []
        assert case.rules({}, current=current) == []
    same = {"digest": case.bundle["digest"], "sealed": "2026-01-01T00:00:00Z"}
    assert case.rules(policy, current=same) == []


def test_what_the_channel_has_is_read_with_its_age(bundle: Json, store: Store) -> None:
    assert channel_has(store, "stable") is None
    store.transact({}, [Put("channel/stable", {"digest": bundle["digest"], "version": "1.0.0"})])
    assert channel_has(store, "stable") == {"digest": bundle["digest"], "version": "1.0.0", "sealed": None}
    facts = {"sealed": "2026-01-01T00:00:00Z", "pipeline": "gate", "packages": []}
    register(store, bundle, facts, "f" * 64, "pem")
    assert (channel_has(store, "stable") or {})["sealed"] == "2026-01-01T00:00:00Z"


def test_a_hold_is_open_until_it_is_released(case: Case) -> None:
    said = {"name": "cve", "author": "Ada", "reason": "CVE-2026-1", "at_ns": 10}
    case.say(_statements.HOLD, said)
    (reason,) = case.judge()[0]
    assert reason.rule == "holds" and reason.about == "cve"
    assert "Ada holds it (cve): CVE-2026-1" in reason.message
    assert case.rules({"no_holds": False}) == []
    case.say(_statements.HOLD_RELEASE, {**said, "at_ns": 9})  # it was said before the hold
    assert case.rules() == ["holds"]
    case.say(_statements.HOLD_RELEASE, {**said, "at_ns": 10})  # at once: the hold counts
    assert case.rules() == ["holds"]
    case.say(_statements.HOLD_RELEASE, {**said, "name": "other", "at_ns": 11})
    assert case.rules() == ["holds"]
    case.say(_statements.HOLD_RELEASE, {**said, "at_ns": 11})
    assert case.rules() == []
    case.say(_statements.HOLD, {**said, "at_ns": 12})
    assert case.rules() == ["holds"]


def test_a_stranger_cannot_release_a_hold(case: Case, other_key: t.Any) -> None:
    said = {"name": "cve", "author": "Eve", "reason": "x", "at_ns": 10}
    case.say(_statements.HOLD, said)
    case.say(_statements.HOLD_RELEASE, {**said, "at_ns": 11}, other_key)
    assert sorted(case.rules()) == ["holds", "signers"]


def test_who_may_waive_holds_may_also_hold_and_release(case: Case, other_key: t.Any) -> None:
    said = {"name": "cve", "author": "Grace", "reason": "x", "at_ns": 10}
    case.say(_statements.HOLD, said, other_key)
    waiving = {"waiver_keys": [other_key.public]}
    assert case.rules(**waiving) == ["holds"]
    case.say(_statements.HOLD_RELEASE, {**said, "at_ns": 11}, other_key)
    assert case.rules(**waiving) == []
    assert case.rules({"waivable": ["verdicts"]}, **waiving) == ["holds"]
    case.say(_statements.HOLD_RELEASE, {**said, "at_ns": 12})
    assert case.rules({"waivable": ["verdicts"]}, **waiving) == []


def test_a_waiver_is_shown_in_place_of_its_reason(case: Case) -> None:
    policy = {"verdicts": ["install_test", "system_test"]}
    assert case.rules(policy) == ["verdicts"]
    case.say(_statements.WAIVER, WAIVER)
    standing, waived = case.judge(policy)
    assert standing == []
    shown = waived[0].as_dict()
    assert shown["rule"] == "verdicts" and shown["about"] == "system_test"
    assert (shown["author"], shown["reason"]) == ("Ada", "The lab is down")
    assert (shown["expires"], shown["signer"]) == (WAIVER["expires"], case.key.public.keyid)
    assert shown["message"] and shown["satisfy"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stage": "upgrade_test"}, ""),
        ({"rule": "minimum_age", "stage": None}, ""),
        ({"rule": "holds"}, ""),
        ({"expires": "2026-01-02T00:00:00Z"}, "expired"),
        ({"expires": None}, ""),
        ({"expires": "never"}, ""),
        ({"author": ""}, ""),
        ({"reason": None}, ""),
        ({"rule": ["verdicts"]}, ""),
        ({"hold": "cve"}, ""),  # narrowed to what the rule does not know
    ],
)
def test_a_waiver_that_does_not_fit_waives_nothing(case: Case, change: Json, said: str) -> None:
    predicate = {key: value for key, value in {**WAIVER, **change}.items() if value is not None}
    case.say(_statements.WAIVER, predicate)
    standing, waived = case.judge({"verdicts": ["system_test"]})
    assert [reason.rule for reason in standing] == ["verdicts"] and waived == []
    assert ("does not count" in standing[0].message) == bool(said)
    assert said in standing[0].message


def test_a_waiver_of_a_rule_waives_all_of_it_and_no_other(case: Case) -> None:
    case.say(_statements.WAIVER, {key: value for key, value in WAIVER.items() if key != "stage"})
    policy = {"verdicts": ["system_test", "upgrade_test"], "minimum_age": 2 * DAY}
    standing, waived = case.judge(policy)
    assert [reason.rule for reason in standing] == ["minimum_age"]
    assert [one.reason.about for one in waived] == ["system_test", "upgrade_test"]


def test_every_rule_that_may_be_waived_can_be(case: Case) -> None:
    case.say(_statements.HOLD, {"name": "cve", "author": "Ada", "reason": "x", "at_ns": 1})
    policy = {"verdicts": ["system_test"], "minimum_age": 2 * DAY, "newer_than_channel": True}
    current = {"digest": "sha256:" + "0" * 64, "sealed": "2026-01-01T00:00:00Z"}
    rules = case.rules(policy, current=current)
    assert rules == ["verdicts", "minimum_age", "newer_than_channel", "holds"]
    for rule, more in zip(rules, ({"stage": "system_test"}, {}, {}, {"hold": "cve"})):
        said = {key: value for key, value in WAIVER.items() if key != "stage"}
        case.say(_statements.WAIVER, {**said, "rule": rule, **more})
    standing, waived = case.judge(policy, current=current)
    assert standing == [] and [one.reason.rule for one in waived] == rules
    for rule in rules:
        left = case.judge(
            {**policy, "waivable": [other for other in rules if other != rule]}, current=current
        )[0]
        assert [reason.rule for reason in left] == [rule]
        assert "lets nobody waive" in left[0].message


def test_who_may_waive_is_said_by_the_policy(case: Case, other_key: t.Any) -> None:
    policy = {"verdicts": ["system_test"]}
    case.say(_statements.WAIVER, WAIVER)
    assert case.rules(policy, waiver_keys=[]) == ["verdicts"]
    (reason,) = case.judge(policy, waiver_keys=[other_key.public])[0]
    assert f"{case.key.public.keyid} may not waive" in reason.message
    case.say(_statements.WAIVER, {**WAIVER, "author": "Grace"}, other_key)
    assert case.rules(policy, waiver_keys=[]) == ["verdicts"]  # a stranger's waiver is no reason, either
    assert case.judge(policy, waiver_keys=[other_key.public])[1][0].author == "Grace"


def test_who_may_waive_cannot_vouch(case: Case, other_key: t.Any) -> None:
    value = _statements.verdict_statement(case.bundle["digest"], "system_test", "PASSED", 5, {})
    case.statements["other.json"] = _statements.sign(value, other_key)
    policy = {"verdicts": ["system_test"]}
    assert sorted(case.rules(policy, waiver_keys=[other_key.public])) == ["signers", "verdicts"]


def test_a_waiver_of_another_bundle_waives_nothing(case: Case, key: t.Any) -> None:
    value = _statements.statement("sha256:" + "0" * 64, _statements.WAIVER, WAIVER)
    case.statements["other.json"] = _statements.sign(value, key)
    assert sorted(case.rules({"verdicts": ["system_test"]})) == ["subject", "verdicts"]


def test_what_was_edited_cannot_be_waived(case: Case) -> None:
    for rule in ("artifact", "bundle", "provenance", "signature"):
        case.say(_statements.WAIVER, {**WAIVER, "rule": rule, "stage": None})
    assert set(case.rules(found={})) == {"artifact"}


def test_reasons_of_all_kinds_come_at_once(case: Case) -> None:
    records = {**stages(), "install_test": stage("install_test", "failure", started_ns=9)}
    case.statements = signed(case.bundle, case.key, records)
    case.say(_statements.HOLD, {"name": "cve", "author": "Ada", "reason": "x", "at_ns": 1})
    policy = {"verdicts": ["install_test", "system_test"], "minimum_age": 9 * DAY, "newer_than_channel": True}
    current = {"digest": "sha256:" + "0" * 64, "sealed": "2026-05-01T00:00:00Z"}
    reasons = case.judge(policy, current=current, found={})[0]
    assert [reason.rule for reason in reasons] == [
        "artifact", "artifact", "verdicts", "verdicts", "minimum_age", "newer_than_channel", "holds",
    ]  # fmt: skip
    assert all(reason.satisfy.endswith(".") for reason in reasons)


@pytest.mark.parametrize(
    "predicate",
    [
        {"runDetails": []},
        {"runDetails": {"byproducts": 3, "metadata": 4}},
        {"runDetails": {"byproducts": [None, {"name": "bundle.json", "digest": 5}]}},
    ],
)
def test_a_signer_who_writes_nonsense_is_no_crash(case: Case, predicate: Json) -> None:
    case.say(_statements.PROVENANCE, predicate)
    case.say(_statements.HOLD, {"name": ["x"], "at_ns": "soon"})
    case.say(_statements.TEST_RESULT, {"stage": {}, "at_ns": True})
    assert case.rules({"minimum_age": 5}) == ["holds"]
    del case.statements["provenance.json"]
    assert sorted(case.rules({"minimum_age": 5})) == ["holds", "minimum_age", "provenance"]


def test_a_signer_cannot_nest_without_end(case: Case) -> None:
    deep: t.Any = 1
    for _number in range(100):
        deep = [deep]
    case.say(_statements.HOLD_RELEASE, {"name": "cve", "deep": deep})
    assert case.rules() == ["signature"]


def test_a_claim_of_a_strange_type_is_no_crash(case: Case, other_key: t.Any) -> None:
    value = {**_statements.statement(case.bundle["digest"], "x", {}), "predicateType": ["x"]}
    case.statements["x.json"] = _statements.sign(value, other_key)
    assert case.rules() == ["signers"]


def test_the_schema_is_the_one_that_is_described() -> None:
    path = pathlib.Path(__file__).parents[3] / "docs/schemas/policy.schema.json"
    assert json.loads(path.read_text()) == _policy_form.SCHEMA


def test_a_policy_from_a_file(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "policy.yml"
    path.write_text("version: 1\nverdicts: [install_test]\nminimum_age: 86400\n")
    policy = _policy_form.read_policy(str(path))
    assert policy["verdicts"] == ["install_test"] and policy["minimum_age"] == DAY
    assert policy["no_holds"] and not policy["newer_than_channel"]
    assert policy["signers"] is None and policy["waiver_signers"] is None
    assert "holds" in policy["waivable"]
    path.write_text(json.dumps({"version": 1, "waivable": []}))
    assert _policy_form.read_policy(str(path))["waivable"] == []
    with pytest.raises(DistrogateError, match="cannot be read"):
        _policy_form.read_policy(str(tmp_path / "missing.yml"))


def test_all_that_is_wrong_with_a_policy_is_said_at_once() -> None:
    value = {"version": 2, "verdict": ["x"], "minimum_age": "1d", "waivable": ["artifact"], "signers": []}
    with pytest.raises(DistrogateError) as caught:
        _policy_form.check_policy(value, "site.yml")
    assert caught.value.reason == "bad_policy"
    assert len(caught.value.details["faults"]) == 5
    for word in ("site.yml", "version", "verdict", "minimum_age", "waivable", "signers"):
        assert word in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "version: 1\nminimum_age: 86400\nminimum_age: 0\n",
        "version: 1\nverdicts: &a [x]\nsigners: *a\n",
        "version: 1\nno_holds: !!python/object/apply:os.system [id]\n",
        'version: 1\nverdicts: ["a\\nb"]\n',
        "version: true\n",
        "version: 1\nminimum_age: -1\n",
        "version: 1\nminimum_age: .inf\n",
        "version: 1\n1: 2\n",
        "version: 1\n? [a]\n: 2\n",
        "[" * 5000,
        "version: 1\n\x00",
    ],
)
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        _policy_form.parse_policy(text.encode(), "policy.yml")
    assert caught.value.reason == "bad_policy"


def test_a_large_file_is_not_read(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "policy.yml"
    path.write_text("#" * (300 << 10))
    with pytest.raises(DistrogateError, match="larger"):
        _policy_form.read_policy(str(path))


def test_times() -> None:
    assert seconds_of("1970-01-02T00:00:00.5Z") == DAY + 0.5
    for bad in (
        None,
        5,
        "",
        "2026-02-31T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00Z\n",
        "9" * 5000,
    ):
        assert seconds_of(bad) is None
    assert [duration(n) for n in (0, 59, 3600, 90061, -5)] == ["0 s", "59 s", "1 h", "1 d 1 h", "0 s"]


def test_what_is_dated_in_the_future_speaks_for_no_bundle(case: Case) -> None:
    """It would hide whatever is said from now on: a red verdict, a hold that is placed again."""
    now_ns, later = (SEALED + DAY) * 10**9, int((SEALED + 9 * DAY) * 10**9)
    said = {"name": "cve", "author": "Ada", "reason": "CVE-2026-1"}
    case.say(_statements.TEST_RESULT, {"stage": "soak", "result": "PASSED", "at_ns": later})
    (reason,) = case.judge({"verdicts": ["soak"]})[0]
    assert reason.rule == "verdicts"
    assert "2026-01-10T00:00:00Z" in reason.message and ".json" in reason.message, reason.message
    case.say(_statements.TEST_RESULT, {"stage": "soak", "result": "FAILED", "at_ns": int(now_ns)})
    assert case.rules({"verdicts": ["soak"]}) == ["verdicts"]
    case.say(_statements.TEST_RESULT, {"stage": "soak", "result": "PASSED", "at_ns": int(now_ns) + 10**9})
    assert case.rules({"verdicts": ["soak"]}) == [], "clocks may differ by some seconds"
    case.say(_statements.HOLD, {**said, "at_ns": int(now_ns)})
    case.say(_statements.HOLD_RELEASE, {**said, "at_ns": later})
    (reason,) = case.judge()[0]
    assert reason.rule == "holds" and "2026-01-10T00:00:00Z" in reason.message
    assert case.rules(now=SEALED + 9 * DAY) == []


def test_what_is_dated_in_the_future_speaks_against_a_bundle(case: Case) -> None:
    later = int((SEALED + 9 * DAY) * 10**9)
    case.say(_statements.TEST_RESULT, {"stage": "install_test", "result": "FAILED", "at_ns": later})
    case.say(_statements.HOLD, {"name": "cve", "author": "Ada", "reason": "?", "at_ns": later})
    assert case.rules({"verdicts": ["install_test"]}) == ["verdicts", "holds"]
