# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark of sealing: what it makes can be sealed, and its table says what is missed."""

from __future__ import annotations

import json
import pathlib

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _run_files
from ansible_collections.distrogate.ci.tests.benchmarks import bundles_seal


def test_what_is_measured_is_a_run_that_can_be_sealed(tmp_path: pathlib.Path) -> None:
    bundles_seal.make_run(tmp_path, bundles_seal.Sizes(3, 2))
    read = _run_files.read_run(str(tmp_path / "run"), ["stages"])
    stages = {name: json.loads(text) for name, text in read["stages"].items()}
    bundle = _bundle.make_bundle(json.loads(read["run"]), stages, "/x")
    kinds = [artifact["type"] for artifact in bundle["artifacts"]]
    assert kinds == ["apt_state", "deb", "deb", "deb", "oci_image", "oci_image"]
    assert set(bundles_seal.VERDICTS) <= set(stages)
    assert {a["sha256"] for a in bundle["artifacts"] if a["type"] == "deb"} == set(read["found"].values())


def test_the_table_says_what_is_missed() -> None:
    good = {**dict.fromkeys(bundles_seal.TASKS, 0.5), "hashing": 0.1}
    assert bundles_seal.missed(good) == []
    assert "no bar is missed" in bundles_seal.shown(good, bundles_seal.Sizes(), 3)
    slow = {**good, "verify": 1.01}
    assert bundles_seal.missed(slow) == ["verify"]
    assert "over the bar: verify" in bundles_seal.shown(slow, bundles_seal.Sizes(), 3)
