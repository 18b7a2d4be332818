# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts of every type: what sealing adds to them, and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
import typing as t

import jsonschema
import pytest
from bundle_samples import FROZEN, all_types, artifact, elsewhere, stage

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _run_files
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._policy import artifact_reasons
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json

Json = dict[str, t.Any]
SCHEMA = json.loads((pathlib.Path(__file__).parents[3] / "docs/schemas/bundle.schema.json").read_text())
OLD = pathlib.Path(__file__).parent / "bundle_version_1.json"


def of_type(kind: str) -> Json:
    return next(
        raw
        for raw in [*elsewhere(), artifact("artifacts/disk.qcow2", b"x", type="qcow2")]
        if raw["type"] == kind
    )


def sealed(*artifacts: Json) -> Json:
    return _bundle.make_bundle(FROZEN, {"publish": stage("publish", artifacts=list(artifacts))}, "/runs/42")


def test_every_type_is_sealed_read_and_described() -> None:
    bundle = _bundle.make_bundle(FROZEN, all_types(), "/runs/42")
    kinds = [item["type"] for item in bundle["artifacts"]]
    assert kinds == ["apt_state", "deb", "git_commit", "helm_chart", "oci_image", "rpm", "rpm_state"]
    assert _bundle.parse_bundle(_bundle.bundle_text(bundle)) == bundle
    jsonschema.Draft202012Validator(SCHEMA).validate(bundle)


def test_sealing_says_which_stage_and_change_an_artifact_comes_from() -> None:
    bundle = _bundle.make_bundle(FROZEN, all_types(), "/runs/42")
    origins = {item["type"]: item["origin"] for item in bundle["artifacts"]}
    assert origins["oci_image"] == {"project": "hello", "stage": "publish", "change": "7,1"}
    assert origins["deb"] == {"stage": "build"}


def test_a_stage_cannot_claim_to_be_another() -> None:
    raw = {**of_type("oci_image"), "origin": {"stage": "build", "change": "1,1", "project": "hello"}}
    assert sealed(raw)["artifacts"][0]["origin"]["stage"] == "publish"


def test_sealing_completes_what_follows_from_the_rest() -> None:
    commit, state = sealed(of_type("git_commit"), of_type("apt_state"))["artifacts"][::-1]
    record = {"commit": "1" * 40, "tree": "2" * 40}
    assert (commit["sha256"], commit["size"]) == (digest_json(record)[7:], 0)
    assert [package["name"] for package in state["packages"]] == ["hello", "zebra"]
    assert state["sha256"] == digest_json(state["packages"])[7:]


def test_a_state_is_its_packages_in_any_order() -> None:
    state = of_type("apt_state")
    other = {**state, "packages": state["packages"][::-1]}
    assert sealed(state)["digest"] == sealed(other)["digest"]


def test_the_same_image_in_another_place_is_another_artifact() -> None:
    image = of_type("oci_image")
    stages = {
        name: stage(name, artifacts=[{**image, **more}])
        for name, more in (("one", {}), ("two", {"registry": "https://elsewhere.example.org"}))
    }
    with pytest.raises(DistrogateError) as caught:
        _bundle.make_bundle(FROZEN, stages, "/runs/42")
    assert caught.value.reason == "artifact_conflict"


def test_only_files_are_looked_for_in_the_run_directory(tmp_path: pathlib.Path) -> None:
    bundle = _bundle.make_bundle(FROZEN, all_types(), "/runs/42")
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "bundle.json").write_text(_bundle.bundle_text(bundle))
    found = _run_files.read_run(str(tmp_path), ["bundle"])["found"]
    assert list(found) == ["artifacts/hello-1.0.noarch.rpm", "artifacts/hello_1.0_all.deb"]
    assert len(artifact_reasons(bundle["artifacts"], found)) == 2


def test_what_an_earlier_release_sealed_is_read_and_stays_so() -> None:
    text = OLD.read_text()
    old = _bundle.parse_bundle(text)
    assert old["version"] == 1
    jsonschema.Draft202012Validator(SCHEMA).validate(old)
    records = {"build": stage("build", artifacts=[{**item} for item in old["artifacts"]])}
    frozen = {**old["inputs"]}
    assert _bundle.bundle_text(_bundle.make_bundle(frozen, records, "/runs/42", version=1)) == text


def test_an_old_bundle_holds_files_only() -> None:
    with pytest.raises(DistrogateError) as caught:
        _bundle.make_bundle(FROZEN, all_types(), "/runs/42", version=1)
    assert caught.value.reason == "bad_artifact"


BAD: list[tuple[str, Json]] = [
    ("qcow2", {"name": "../x"}),
    ("qcow2", {"name": "a\nb"}),
    ("qcow2", {"name": "-rf"}),
    ("qcow2", {"name": "a\u202eb"}),
    ("qcow2", {"path": "artifacts/../../x"}),
    ("qcow2", {"path": "/etc/passwd"}),
    ("qcow2", {"path": None}),
    ("qcow2", {"size": -1}),
    ("qcow2", {"size": True}),
    ("qcow2", {"size": 1 << 53}),
    ("qcow2", {"size": 1e400}),
    ("qcow2", {"sha256": "0" * 64 + "\n"}),
    ("qcow2", {"sha256": "A" * 64}),
    ("qcow2", {"type": "qcow2\n"}),
    ("qcow2", {"package": 3}),
    ("qcow2", {"build": 10**30}),
    ("qcow2", {"note": "x" * 5000}),
    ("qcow2", {"note": {"a\u0000b": 1}}),
    ("qcow2", {"origin": "hello"}),
    ("qcow2", {"origin": {"commit": "HEAD"}}),
    ("qcow2", {"origin": {"build": 7}}),
    ("oci_image", {"path": "artifacts/x"}),
    ("oci_image", {"tag": "latest\n"}),
    ("oci_image", {"tag": "-x"}),
    ("oci_image", {"name": "kolla/../x"}),
    ("oci_image", {"name": "kolla//x"}),
    ("oci_image", {"registry": "http://registry.example.org"}),
    ("oci_image", {"registry": "https://user:secret@registry.example.org"}),
    ("oci_image", {"registry": "https://registry.example.org/path"}),
    ("oci_image", {"registry": "https://registry.example.org:5000\n"}),
    ("oci_image", {"repository": "kolla/../x"}),
    ("oci_image", {"repository": "Kolla"}),
    ("oci_image", {"repository": "a" * 256}),
    ("oci_image", {"media_type": "text/html"}),
    ("oci_image", {"manifest": ["eyJ4IjoxfQ=="]}),  # of another digest
    ("oci_image", {"manifest": ["?"]}),
    ("oci_image", {"manifest": "e30="}),
    ("helm_chart", {"manifest": ["x" * 5000]}),
    ("helm_chart", {"repository": None}),
    ("git_commit", {"commit": "1" * 41}),
    ("git_commit", {"commit": "main"}),
    ("git_commit", {"url": "ext::sh -c id"}),
    ("git_commit", {"url": "--upload-pack=id"}),
    ("git_commit", {"url": "https://user:secret@git.example.org/x"}),
    ("git_commit", {"url": "host:-x"}),
    ("git_commit", {"subject": "one\ntwo"}),
    ("git_commit", {"sha256": "0" * 64}),
    ("git_commit", {"size": 1}),
    ("apt_state", {"packages": {}}),
    ("apt_state", {"packages": [{"name": "hello"}]}),
    ("apt_state", {"packages": [*elsewhere()[3]["packages"], elsewhere()[3]["packages"][0]]}),
    ("apt_state", {"packages": [{**elsewhere()[3]["packages"][0], "name": "../x"}]}),
    ("apt_state", {"packages": [{**elsewhere()[3]["packages"][0], "more": "x"}]}),
    ("rpm_state", {"sha256": "0" * 64}),
]


def test_a_manifest_is_sealed_with_its_image() -> None:
    data = json.dumps({"layers": ["x" * 100] * 60}, indent=3).encode()
    lines = base64.encodebytes(data).decode().split()
    raw = {**of_type("oci_image"), "sha256": hashlib.sha256(data).hexdigest(), "manifest": lines}
    bundle = sealed(raw)
    (found,) = (item for item in bundle["artifacts"] if item["type"] == "oci_image")
    assert found["manifest"] == lines
    jsonschema.validate(bundle, SCHEMA)


@pytest.mark.parametrize(("kind", "change"), BAD, ids=lambda value: str(value)[:40])
def test_what_no_bundle_may_have(kind: str, change: Json) -> None:
    raw = of_type(kind)
    sealed(raw)  # it is the change that is refused
    with pytest.raises(DistrogateError) as caught:
        sealed({**raw, **change})
    assert caught.value.reason == "bad_artifact"
    assert "\n" not in caught.value.message and "stage publish" in caught.value.message


@pytest.mark.parametrize(("kind", "change"), BAD, ids=lambda value: str(value)[:40])
def test_nor_one_that_somebody_else_spelled(kind: str, change: Json) -> None:
    """With a digest that is right: reading must look at each artifact, too."""
    bundle = sealed(of_type(kind))
    edited = {**bundle, "artifacts": [{**bundle["artifacts"][0], **change}]}
    edited["digest"] = _bundle.bundle_digest(edited)
    with pytest.raises(DistrogateError) as caught:
        _bundle.parse_bundle(_bundle.bundle_text(edited))
    assert caught.value.reason in ("bad_artifact", "bad_bundle", "bad_json")


def test_deep_values_are_refused_before_anything_follows_them() -> None:
    deep: t.Any = "x"
    for _number in range(900):
        deep = [deep]
    frozen = {**FROZEN, "parameters": {"deep": deep}}
    facts = stage("workspace", facts={"deep": deep})
    for run, records in ((frozen, all_types()), (FROZEN, {**all_types(), "workspace": facts})):
        with pytest.raises(DistrogateError, match="nested deeper"):
            _bundle.make_bundle(run, records, "/runs/42")
    with pytest.raises(DistrogateError, match="nested deeper"):
        sealed({**of_type("qcow2"), "deep": deep})
    bundle = sealed(of_type("qcow2"))
    text = _bundle.bundle_text(bundle).replace('"trees": {}', '"trees": {"x": ' + "[" * 900 + "]" * 900 + "}")
    with pytest.raises(DistrogateError, match="nested deeper"):
        _bundle.parse_bundle(text)


@pytest.mark.parametrize(
    "spell",
    [
        lambda value, text: json.dumps(value, sort_keys=True),
        lambda value, text: json.dumps(value, sort_keys=True, indent=4) + "\n",
        lambda value, text: json.dumps(dict(reversed(value.items())), indent=2) + "\n",
        lambda value, text: text + "\n",
        lambda value, text: text.replace('"hello"', '"\\u0068ello"', 1),
    ],
)
def test_a_bundle_has_one_spelling(spell: t.Callable[[Json, str], str]) -> None:
    bundle = sealed(of_type("helm_chart"))
    with pytest.raises(DistrogateError, match="not spelled"):
        _bundle.parse_bundle(spell(bundle, _bundle.bundle_text(bundle)))
