# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run hands on arrives: from a run directory through Zuul's results file to the next job's layers."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.filter.layers import layers
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage
from ansible_collections.distrogate.ci.plugins.module_utils._sources._handed_on import (
    handed_on,
    merged,
    results_file,
)
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue_sources import from_zuul
from ansible_collections.distrogate.ci.tests.unit.sources.test_queue_sources import item, zuul

URL = "https://packages.example.org/test"


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    made = Run(str(tmp_path / "gate-1"))
    made.create({"id": "gate-1", "pipeline": "gate", "queue_key": "gate-1-2-0123456789"})
    return made


def as_zuul_tells(data: dict[str, t.Any], number: int) -> list[dict[str, t.Any]]:
    """As Zuul does with what was returned (model.Job.updateParentData, QueueItem.getArtifactData)."""
    where = {"project": "org/p", "job": "gate", "branch": "main", "change": str(number), "patchset": "2"}
    return [{**artifact, **where} for artifact in data["zuul"]["artifacts"]]


def test_it_arrives(run: Run) -> None:
    Stage(run, "publish_test").write("success")
    data = handed_on(run, URL + "/", "/runs/gate-1/report.tar.gz")
    (artifact,) = data["zuul"]["artifacts"]
    assert set(artifact) == {"name", "url", "metadata"}, "Zuul's schema has no other keys"
    assert artifact["url"] == f"{URL}/gate-1-2-0123456789/gate-1/"
    results = merged("", data, "results.json")  # Zuul makes the file empty
    assert set(results) == {"data", "secret_data"}
    told = from_zuul(zuul(item(1), item(2), artifacts=as_zuul_tells(results["data"], 1)), ())
    assert layers(told["ahead"], "/srv/test", "apt") == [
        {"name": "gate-1-2-0123456789", "root": "/srv/test/gate-1-2-0123456789/gate-1/apt"}
    ]


def test_nothing_to_hand_on(run: Run) -> None:
    assert handed_on(run, URL, "") == {}
    Stage(run, "publish_test").write("failure")
    assert handed_on(run, URL, "") == {}


def test_beside_what_others_returned(run: Run) -> None:
    Stage(run, "publish_test").write("success")
    data = handed_on(run, URL, "")
    theirs = {
        "data": {"zuul": {"log_url": "x", "artifacts": [{"name": "a", "url": "b"}]}, "k": 1},
        "secret_data": {"s": 2},
    }
    once = merged(json.dumps(theirs), data, "results.json")
    assert once["data"]["zuul"]["log_url"] == "x"
    assert once["data"]["k"] == 1
    assert once["secret_data"] == {"s": 2}
    assert [one["name"] for one in once["data"]["zuul"]["artifacts"]] == ["a", "distrogate run gate-1"]
    assert merged(json.dumps(once), data, "results.json") == once, "a second time changes nothing"
    for bad in ("[]", '{"data": []}', "{", "\0"):
        with pytest.raises(DistrogateError):
            merged(bad, data, "results.json")


def test_only_on_an_executor(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "results.json"
    told = {"executor": {"result_data_file": str(path)}}
    assert results_file(told) == ""  # a node, where that path is not
    path.touch()
    assert results_file(told) == str(path)
    for other in (None, {}, {"executor": {}}, {"executor": {"result_data_file": "results.json"}}, "x"):
        assert results_file(other) == ""


def test_layers_with_runs() -> None:
    assert layers(["k"], "/r", "rpm") == [{"name": "k", "root": "/r/k/latest/rpm"}]
    for bad in ("k/", "/k", "k/../x", "k/r/x", "..", "k/."):
        with pytest.raises(Exception, match="not the key of a queue"):
            layers([bad], "/r", "rpm")
