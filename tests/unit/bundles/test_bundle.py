# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bundle's form and digest, its statements, and the policy."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import typing as t

import pytest
from bundle_samples import CONTENTS, FROZEN, artifact, signed, stage, stages
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import (
    _bundle,
    _policy,
    _run_files,
    _statements,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json

Json = dict[str, t.Any]
FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def _reversed(value: t.Any) -> t.Any:
    """The same value with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(list(value))}
    return [_reversed(item) for item in value] if isinstance(value, list) else value


def _judge(
    bundle: Json, statements: dict[str, str], keys: list[_statements.SigningKey], **more: t.Any
) -> list[str]:
    options: Json = {
        "bundle_text": _bundle.bundle_text(bundle),
        "digest": bundle["digest"],
        "statements": statements,
        "found": {item["path"]: item["sha256"] for item in bundle["artifacts"]},
        "verdicts": ["install_test"],
        "keys": [key.public for key in keys],
        "now": 1767300000.0,
        **more,
    }
    return [reason.rule for reason in _policy.evaluate(**options)[1]]


def test_digest_ignores_order_time_place_and_verdicts(bundle: Json) -> None:
    frozen = {**_reversed(FROZEN), "created": "2031-05-05T00:00:00Z", "id": "43"}
    frozen["repositories"][0]["url"] = "file:///elsewhere/43/repositories/base"
    again = _reversed(stages())
    again["install_test"]["verdict"] = "failure"
    again["build"]["seconds"] = 99
    for item in again["build"]["artifacts"]:
        item["path"] = "other/" + item["path"]
    again["seal"] = stage("seal", "failure")
    assert _bundle.make_bundle(frozen, again, "/elsewhere/43")["digest"] == bundle["digest"]


@pytest.mark.parametrize(
    "change",
    [
        lambda frozen, stages: frozen["queue"][0].update(commit="9" * 40),
        lambda frozen, stages: stages["build"]["artifacts"][0].update(sha256="0" * 64),
        lambda frozen, stages: stages["build"]["artifacts"][0].update(architecture="amd64"),
        lambda frozen, stages: stages["build"]["artifacts"].pop(),
        lambda frozen, stages: stages["workspace"]["facts"]["projects"]["hello"].update(tree="4" * 40),
        lambda frozen, stages: frozen.update(pipeline="check"),
    ],
)
def test_digest_covers_artifacts_and_inputs(bundle: Json, change: t.Callable[[Json, Json], None]) -> None:
    frozen, records = json.loads(json.dumps([FROZEN, stages()]))
    change(frozen, records)
    assert _bundle.make_bundle(frozen, records, "/runs/42")["digest"] != bundle["digest"]


@given(st.data())
@FIXTURES
def test_any_changed_byte_of_the_bundle_is_refused(bundle: Json, key: t.Any, data: st.DataObject) -> None:
    text = _bundle.bundle_text(bundle).encode()
    position = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(1, 126).filter(lambda value: value != text[position]))
    edited = (text[:position] + bytes([byte]) + text[position + 1 :]).decode()
    assert _judge(bundle, signed(bundle, key), [key], bundle_text=edited)


@pytest.fixture(params=["key", "other_key"])
def envelope(bundle: Json, request: pytest.FixtureRequest) -> tuple[str, _statements.PublicKey]:
    """One envelope, signed once (ECDSA never signs twice alike), and the key that verifies it."""
    signer = request.getfixturevalue(request.param)
    return signed(bundle, signer)["provenance.json"], signer.public


@given(data=st.data())
@FIXTURES
def test_any_changed_byte_of_an_envelope_is_refused(
    envelope: tuple[str, _statements.PublicKey], data: st.DataObject
) -> None:
    text = envelope[0].encode()
    position = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(1, 126).filter(lambda value: value != text[position]))
    edited = (text[:position] + bytes([byte]) + text[position + 1 :]).decode()
    with pytest.raises(DistrogateError) as caught:
        _statements.verify("it", edited, [envelope[1]])
    assert caught.value.reason in ("bad_statement", "unknown_signer")


def test_a_bundle_that_lies_about_its_digest_is_refused(bundle: Json) -> None:
    text = _bundle.bundle_text({**bundle, "digest": "sha256:" + "0" * 64})
    with pytest.raises(DistrogateError, match="its contents have"):
        _bundle.parse_bundle(text)


def test_a_path_is_not_in_the_digest_but_cannot_be_edited(bundle: Json, key: t.Any) -> None:
    edited = json.loads(json.dumps(bundle))
    edited["artifacts"][0]["path"] = "artifacts/elsewhere.deb"
    assert _bundle.parse_bundle(_bundle.bundle_text(edited))["digest"] == bundle["digest"]
    assert _judge(edited, signed(bundle, key), [key]) == ["bundle"]


def test_base64_has_one_spelling(bundle: Json, key: t.Any) -> None:
    envelope = json.loads(signed(bundle, key)["provenance.json"])
    signature = envelope["signatures"][0]["sig"]
    assert signature.endswith("==")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    loose = signature[:-3] + letters[letters.index(signature[-3]) + 1] + "=="
    assert base64.b64decode(loose) == base64.b64decode(signature)  # the spare bits say nothing
    envelope["signatures"][0]["sig"] = loose
    with pytest.raises(DistrogateError, match="edited"):
        _statements.verify("it", canonical_json(envelope).decode() + "\n", [key.public])


def test_a_key_that_stands_twice_is_refused(bundle: Json, key: t.Any) -> None:
    text = _bundle.bundle_text(bundle)
    with pytest.raises(DistrogateError, match="stands twice"):
        _bundle.parse_bundle(text.replace("{", '{\n  "version": 1,', 1))
    envelope = signed(bundle, key)["provenance.json"]
    with pytest.raises(DistrogateError) as caught:
        _statements.verify("it", envelope.replace("{", '{"payloadType":"x",', 1), [key.public])
    assert caught.value.reason == "bad_statement"


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"version": 1}', "{" * 100000, '{"version": 1, "artifacts": [3]}']
)
def test_other_json_is_no_bundle_and_no_statement(text: str, key: t.Any) -> None:
    for read in (_bundle.parse_bundle, lambda it: _statements.verify("it", it, [key.public])):
        with pytest.raises(DistrogateError) as caught:
            read(text)
        assert caught.value.reason in ("bad_json", "bad_bundle", "bad_artifact", "bad_statement")


def test_a_name_for_two_contents_is_refused() -> None:
    records = stages()
    records["rebuild"] = stage("rebuild", artifacts=[artifact(next(iter(CONTENTS)), b"other")])
    with pytest.raises(DistrogateError, match="rebuild"):
        _bundle.make_bundle(FROZEN, records, "/runs/42")


@pytest.mark.parametrize(
    "field", [{"path": "../x"}, {"name": "a/b"}, {"sha256": "x"}, {"size": "1"}, {"path": "/x"}]
)
def test_hostile_artifacts_are_refused(field: Json) -> None:
    records = stages()
    records["build"]["artifacts"][0].update(field)
    with pytest.raises(DistrogateError):
        _bundle.make_bundle(FROZEN, records, "/runs/42")


def test_a_sealed_bundle_satisfies_its_policy(bundle: Json, key: t.Any, other_key: t.Any) -> None:
    assert _judge(bundle, signed(bundle, key), [key]) == []
    assert _judge(bundle, signed(bundle, other_key), [key, other_key]) == []


def test_policy_lists_all_reasons_at_once(bundle: Json, key: t.Any, other_key: t.Any) -> None:
    records = stages()
    records["install_test"] = stage("install_test", "failure")
    statements = signed(bundle, key, records)
    foreign = _statements.verdict_statement("sha256:" + "0" * 64, "system_test", "PASSED", 5, {})
    by_other = _statements.verdict_statement(bundle["digest"], "system_test", "PASSED", 5, {})
    statements["foreign.json"] = _statements.sign(foreign, key)
    statements["other.json"] = _statements.sign(by_other, other_key)
    statements["broken.json"] = statements["provenance.json"].replace("payload", "Payload", 1)
    found = dict.fromkeys((item["path"] for item in bundle["artifacts"]), None)
    rules = _judge(
        bundle,
        statements,
        [key],
        found=found,
        verdicts=["install_test", "system_test"],
        digest="sha256:" + "1" * 64,
    )
    assert sorted(rules) == [
        "artifact", "artifact", "bundle", "signature", "signers", "subject", "verdicts", "verdicts",
    ]  # fmt: skip


def test_nothing_is_trusted_without_a_trusted_key(bundle: Json, key: t.Any, other_key: t.Any) -> None:
    assert {"provenance", "signers", "verdicts"} == set(_judge(bundle, signed(bundle, key), [other_key]))


def test_the_last_verdict_counts(bundle: Json, key: t.Any) -> None:
    statements = signed(bundle, key)
    for at, result, refused in (
        (10, "FAILED", ["verdicts"]),
        (11, "PASSED", []),
        (11, "FAILED", ["verdicts"]),
    ):
        value = _statements.verdict_statement(bundle["digest"], "install_test", result, at, {})
        statements[f"{at}-{result}.json"] = _statements.sign(value, key)
        assert _judge(bundle, statements, [key]) == refused


def test_a_promotion_signed_by_another_is_no_reason(bundle: Json, key: t.Any, other_key: t.Any) -> None:
    value = _statements.statement(bundle["digest"], _statements.PROMOTION, {"channel": "latest"})
    assert (
        _judge(bundle, {**signed(bundle, key), "promotion.json": _statements.sign(value, other_key)}, [key])
        == []
    )


def test_a_private_key_is_never_shown(tmp_path: pathlib.Path, key: t.Any) -> None:
    assert "PRIVATE" not in repr(key)
    bad = tmp_path / "bad.pem"
    bad.write_text("-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n")
    with pytest.raises(DistrogateError) as caught:
        _statements.load_signing_key(str(bad), None, {})
    assert caught.value.reason == "bad_key"
    assert caught.value.__cause__ is None
    assert "secret" not in caught.value.message
    pem = (tmp_path / "ci.pem").read_text()
    assert _statements.load_signing_key(None, "KEY", {"KEY": pem}).public.keyid == key.public.keyid


def test_files_are_only_added(tmp_path: pathlib.Path) -> None:
    assert _run_files.write_once(str(tmp_path), {"bundle.json": "1", "statements/a.json": "2"}, False) == [
        "bundle.json",
        "statements/a.json",
    ]
    assert _run_files.write_once(
        str(tmp_path), {"statements/a.json": "2", "statements/b.json": "3"}, True
    ) == ["statements/b.json"]
    for name, reason in (("bundle.json", "bundle_sealed"), ("statements/a.json", "statement_exists")):
        with pytest.raises(DistrogateError) as caught:
            _run_files.write_once(str(tmp_path), {name: "other"}, False)
        assert caught.value.reason == reason
    for name in (
        "run.json",
        "statements/../run.json",
        "statements/.x.json",
        "/etc/x.json",
        "stages/build.json",
    ):
        with pytest.raises(DistrogateError, match="may be written"):
            _run_files.write_once(str(tmp_path), {name: "other"}, False)
    assert not (tmp_path / "statements/b.json").exists()


def test_links_out_of_the_run_directory_are_not_followed(tmp_path: pathlib.Path) -> None:
    run = tmp_path / "run"
    (run / "stages").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (tmp_path / "secret").write_text("secret")
    (run / "real").write_text("x")
    os.symlink(tmp_path / "secret", run / "link")
    os.symlink(tmp_path, run / "folder")
    paths = ["link", "folder/secret", "../secret", "real", "missing"]
    (run / "stages/build.json").write_text(json.dumps({"artifacts": [{"path": path} for path in paths]}))
    os.symlink(tmp_path / "secret", run / "bundle.json")
    read = _run_files.read_run(str(run), ["stages"])
    assert [path for path, sha256 in read["found"].items() if sha256] == ["real"]
    assert read["bundle"] is None


def test_what_arrives_is_checked(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.deb").write_bytes(b"a package")
    good = {**artifact("a.deb", b"a package"), "source": str(tmp_path / "a.deb")}
    incoming, transaction = str(tmp_path / "in/coming"), "0" * 32
    paths, new = _run_files.take_in(incoming, transaction, [good])
    assert new == [good["sha256"]]
    assert _run_files.take_in(incoming, transaction, [{**good, "source": "/gone"}]) == (paths, [])
    with pytest.raises(DistrogateError, match="arrived"):
        _run_files.take_in(incoming, transaction, [{**good, "sha256": "0" * 64}])
    for bad in ({"name": "../x"}, {"name": "."}, {"sha256": "../" + "0" * 61}):
        with pytest.raises(DistrogateError):
            _run_files.take_in(incoming, transaction, [{**good, **bad}])
    assert _run_files.clear_out(incoming, transaction, False)
    assert not _run_files.clear_out(incoming, transaction, False)
    assert not os.path.exists(incoming)


def test_what_a_site_decides_is_no_input(bundle: Json) -> None:
    """A whole run.json says more than a bundle covers: two sites make one bundle of the same inputs."""
    tools = {"git": "2", "python": "3.11"}
    whole = {**FROZEN, "code": "sha256:1", "parameters": {}, "repositories": {}, "tools": tools}
    one = _bundle.make_bundle(whole, stages(), "/runs/42")
    other = {
        **whole,
        "code": "sha256:2",
        "controller": {"python": "3.13"},
        "parameters": {"distrogate_root": "/elsewhere"},
        "repositories": {"release/apt": {"serial": 3}},
        "tools": {**tools, "lintian": "2"},
        "replay_of": "41",
        "fetched_from": {"hello": "/elsewhere"},
    }
    assert _bundle.make_bundle(other, stages(), "/runs/42")["digest"] == one["digest"]
    assert one["inputs"]["parameters"] == one["inputs"]["repositories"] == {}
    newer = {**whole, "tools": {**tools, "git": "3"}}
    assert _bundle.make_bundle(newer, stages(), "/runs/42")["digest"] != one["digest"]
    # Frozen by an earlier version, everything counts as it did.
    old = {key: value for key, value in other.items() if key != "code"}
    assert _bundle.make_bundle(old, stages(), "/runs/42")["inputs"]["tools"]["lintian"] == "2"
