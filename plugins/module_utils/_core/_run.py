# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The run directory: run.json, written once, and what the stages added."""

from __future__ import annotations

import datetime
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    digest_json,
    inside,
    read_json,
    sha256_file,
    write_json,
)

FORMAT = 1
FOLDERS = ("stages", "statements", "workspace", "artifacts", "repositories", "logs", "lease")
SUCCESS = "success"
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


def now() -> str:
    """The time as RFC 3339, in UTC, to the second."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


class Run:
    """One run on disk. ``path`` is its directory."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)

    @property
    def frozen(self) -> dict[str, t.Any]:
        """The contents of run.json."""
        try:
            value: dict[str, t.Any] = read_json(os.path.join(self.path, "run.json"))
        except DistrogateError as error:
            if error.reason != "not_found":
                raise
            raise DistrogateError(
                "no_run",
                f"{self.path} is not a run directory: it has no run.json. Run the stage freeze first.",
            ) from error
        if value.get("version") != FORMAT:
            raise DistrogateError(
                "run_version",
                f"{self.path}/run.json has version {value.get('version')}; this code reads {FORMAT}.",
            )
        return value

    def exists(self) -> bool:
        return os.path.exists(os.path.join(self.path, "run.json"))

    def create(self, frozen: dict[str, t.Any]) -> None:
        """Write run.json; a second, different one is refused."""
        if self.exists():
            old = {key: value for key, value in self.frozen.items() if key != "created"}
            new = {key: value for key, value in {"version": FORMAT, **frozen}.items() if key != "created"}
            if digest_json(old) == digest_json(new):
                return
            raise DistrogateError(
                "run_frozen",
                f"{self.path}/run.json is frozen with other inputs. Give the new run its own run_dir.",
            )
        for folder in FOLDERS:
            os.makedirs(os.path.join(self.path, folder), exist_ok=True)
        write_json(os.path.join(self.path, "run.json"), {"version": FORMAT, **frozen})

    def file(self, *parts: str) -> str:
        """A path inside the run directory; names that would leave it are refused."""
        return inside(self.path, "/".join(parts))

    def relative(self, path: str) -> str:
        return os.path.relpath(path, self.path)

    def log(self, stage: str) -> str:
        """The log of a stage, as an absolute path."""
        return self.file("logs", f"{checked_stage(stage)}.log")

    def stage(self, name: str) -> dict[str, t.Any] | None:
        """What stage ``name`` wrote, or None."""
        path = self.file("stages", f"{checked_stage(name)}.json")
        if not os.path.exists(path):
            return None
        value: dict[str, t.Any] = read_json(path)
        return value

    def stages(self) -> dict[str, dict[str, t.Any]]:
        """All stage files by name, in the order in which they started."""
        folder = os.path.join(self.path, "stages")
        names = [n[:-5] for n in os.listdir(folder) if n.endswith(".json")] if os.path.isdir(folder) else []
        found = {name: read_json(os.path.join(folder, f"{name}.json")) for name in names}
        return dict(sorted(found.items(), key=lambda item: (item[1].get("started_ns", 0), item[0])))

    def artifacts(self, *types: str) -> list[dict[str, t.Any]]:
        """Artifacts of all successful stages, of the given types (all, when none is given)."""
        return [
            artifact
            for stage in self.stages().values()
            if stage["verdict"] == "success"
            for artifact in stage["artifacts"]
            if not types or artifact["type"] in types
        ]


def checked_stage(stage: str) -> str:
    """A stage's name, or an error with reason ``bad_name``."""
    if not _STAGE_NAME.fullmatch(stage):
        raise DistrogateError("bad_name", f"{stage!r} is not a stage's name (a-z, 0-9 and _).")
    return stage


def file_artifact(run: Run, path: str, kind: str, **facts: t.Any) -> dict[str, t.Any]:
    """Describe a file below the run directory as an artifact (``path`` absolute)."""
    return {
        "type": kind,
        "name": os.path.basename(path),
        "path": run.relative(path),
        "sha256": sha256_file(path),
        "size": os.path.getsize(path),
        **facts,
    }
