# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written has the form that docs/schemas promises, and the schemas refuse what is not."""

from __future__ import annotations

import base64
import json
import pathlib
import typing as t

import jsonschema
import pytest
from bundle_samples import FROZEN, signed, stage, stages

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _statements
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run, file_artifact
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, stage_record

Json = dict[str, t.Any]
FOLDER = pathlib.Path(__file__).parents[3] / "docs" / "schemas"


def validator(name: str) -> t.Any:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def payload(envelope: Json) -> Json:
    return t.cast("Json", json.loads(base64.b64decode(envelope["payload"])))


def test_what_is_sealed(bundle: Json, key: t.Any) -> None:
    validator("bundle").validate(bundle)
    for text in signed(bundle, key).values():
        validator("envelope").validate(json.loads(text))
        validator("statement").validate(payload(json.loads(text)))


def test_what_promotion_states(bundle: Json) -> None:
    predicate = {
        "channel": "latest",
        "version": "4.0.0",
        "previous": None,
        "at": "2026-01-01T00:00:00Z",
        "by": "x",
    }
    validator("statement").validate(_statements.statement(bundle["digest"], _statements.PROMOTION, predicate))


def test_what_runs_and_stages_write(tmp_path: pathlib.Path) -> None:
    run = Run(str(tmp_path))
    run.create({key: value for key, value in FROZEN.items() if key != "version"})
    validator("run").validate(run.frozen)
    (tmp_path / "artifacts/a.deb").write_text("a")
    with stage_record(Stage(run, "build"), {}) as record:
        record.artifacts.append(file_artifact(run, str(tmp_path / "artifacts/a.deb"), "deb", package="a"))
    validator("stage").validate(run.stage("build"))


@pytest.mark.parametrize(
    ("schema", "change"),
    [
        ("bundle", {"version": 3}),
        ("bundle", {"digest": "md5:0"}),
        ("bundle", {"artifacts": []}),
        ("bundle", {"more": 1}),
        ("stage", {"stage": "../x"}),
        ("stage", {"artifacts": [{**stages()["build"]["artifacts"][0], "path": "../x"}]}),
        ("stage", {"artifacts": [{**stages()["build"]["artifacts"][0], "path": "/x"}]}),
        ("stage", {"artifacts": [{**stages()["build"]["artifacts"][0], "name": "a/b"}]}),
        ("run", {"version": 2}),
        ("run", {"queue": {}}),
    ],
)
def test_what_is_not(bundle: Json, schema: str, change: Json) -> None:
    good = {"bundle": bundle, "stage": stage("build"), "run": FROZEN}[schema]
    validator(schema).validate(good)
    with pytest.raises(jsonschema.ValidationError):
        validator(schema).validate({**good, **change})


def test_other_verdicts_are_not_statements(bundle: Json) -> None:
    value = _statements.verdict_statement(bundle["digest"], "test", "MAYBE", 1, {})
    with pytest.raises(jsonschema.ValidationError):
        validator("statement").validate(value)
