# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run directory as stages leave it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run


def record(name: str, started: int = 1, **more: Any) -> dict[str, Any]:
    """What a stage writes."""
    usual: dict[str, Any] = {
        "version": 1,
        "stage": name,
        "verdict": "success",
        "started": "2026-01-01T00:00:00.000Z",
        "started_ns": started * 10**18,
        "seconds": 2.5,
        "inputs": {},
        "artifacts": [],
        "facts": {},
        "logs": [f"logs/{name}.log"],
        "message": "",
        "reason": "",
    }
    return {**usual, **more}


def write_record(run: Run, name: str, **more: Any) -> None:
    Path(run.path, "stages", f"{name}.json").write_text(json.dumps(record(name, **more)))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run with a build that printed something."""
    made = Run(str(tmp_path / "run"))
    made.create({"id": "check-1", "queue": [], "created": "2026-01-01T00:00:00Z"})
    write_record(made, "build")
    Path(made.log("build")).write_bytes(b"\x1b[32mbuilding\x1b[0m with hunter2-long\r\n")
    return made
