# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of stages and runs that somebody spoiled before they are sealed."""

from __future__ import annotations

import random
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_run import SealedRun
from ansible_collections.distrogate.ci.tests.faults.hostile.bundle_values import bad_fields
from ansible_collections.distrogate.ci.tests.unit.bundles.bundle_samples import stage

Json = dict[str, t.Any]
StageMutant = t.Callable[[SealedRun, random.Random], tuple[Json, dict[str, Json]]]
_SET = ({}, {"stage": "../x"})  # origins that are not bad here: sealing says itself which stage it was


def _nested(rng: random.Random) -> t.Any:
    value: t.Any = 1
    for _number in range(rng.choice([65, 200, 900])):
        value = [value] if rng.random() < 0.5 else {"x": value}
    return value


def stage_value(run: SealedRun, rng: random.Random) -> tuple[Json, dict[str, Json]]:
    """An artifact with a value that no bundle may have."""
    frozen, stages = run.sealable()
    while True:
        records = run.records()
        artifacts = rng.choice([records[name]["artifacts"] for name in ("build", "publish")])
        before = [dict(artifact) for artifact in artifacts]
        field = bad_fields(artifacts, rng)
        (changed,) = [new for new, old in zip(artifacts, before) if new != old] or [None]
        if changed is not None and not (field == "origin" and changed["origin"] in _SET):
            stages.update(records)
            return frozen, stages


def stage_conflict(run: SealedRun, rng: random.Random) -> tuple[Json, dict[str, Json]]:
    """Two stages, one name, two contents."""
    frozen, stages = run.sealable()
    name = rng.choice(["build", "publish"])
    raw = rng.choice([item for item in stages[name]["artifacts"] if "sha256" in item])
    other = {**raw, "sha256": f"{rng.getrandbits(256):064x}"}
    stages["again"] = stage("again", started_ns=9, artifacts=[other])
    return frozen, stages


def stage_deep(run: SealedRun, rng: random.Random) -> tuple[Json, dict[str, Json]]:
    """Something nested too deep, or a number too large, in a record or in run.json."""
    frozen, stages = run.sealable()
    value = rng.choice([_nested(rng), 10**40, float("inf"), float("nan")])
    place = rng.randrange(3)
    if place == 0:
        frozen = {**frozen, rng.choice(["parameters", "tools", "images"]): {"x": value}}
    elif place == 1:
        stages["workspace"]["facts"]["x"] = value
    else:
        rng.choice(stages["build"]["artifacts"])["note"] = value
    return frozen, stages


def stage_shape(run: SealedRun, rng: random.Random) -> tuple[Json, dict[str, Json]]:
    """Artifacts that are no objects, trees that are no names."""
    frozen, stages = run.sealable()
    if rng.random() < 0.5:
        stages["build"]["artifacts"].append(rng.choice([None, 3, "x", [], {}, {"type": "deb"}]))
    else:
        stages["workspace"]["facts"] = {"trees": rng.choice([3, ["x"], "x", {"hello": 3}])}
    return frozen, stages


STAGE_MUTANTS: dict[str, StageMutant] = {
    make.__name__: make for make in (stage_value, stage_conflict, stage_deep, stage_shape)
}
