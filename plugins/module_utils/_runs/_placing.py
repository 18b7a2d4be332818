# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts what came from a test machine into the run directory. The machine is a stranger."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import typing as t
import zlib

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json, write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite, write_results
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._runs._found import safe_name
from ansible_collections.distrogate.ci.plugins.module_utils._runs._junit_read import read_junit

_MOST = 500
_PREFIX = "/var/log/"
Notes = list[dict[str, str]]


def unpack(received: str, limit: int) -> tuple[list[dict[str, t.Any]], Notes]:
    """What the machine says that it took, and left out; error ``bad_logs`` when it is nothing of the kind."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(base64.b64decode(received, validate=True), 2 * limit + (1 << 20))
        if inflater.unconsumed_tail:
            raise ValueError("there is more of it than was asked for")
        value = parse_json(text, "what came from the machine", limit=2 * limit + (1 << 20))
        files, left_out = value["files"], value["left_out"]
        taken = [_file(item) for item in files[:_MOST]]
        notes = [
            {"path": str(note["path"])[:500], "reason": str(note["reason"])[:200]}
            for note in left_out[:_MOST]
        ]
    except (ArithmeticError, LookupError, TypeError, ValueError, zlib.error, DistrogateError) as error:
        raise DistrogateError(
            "bad_logs", f"What came from the machine is not what was asked for: {error}"
        ) from error
    return taken, notes


def _file(item: dict[str, t.Any]) -> dict[str, t.Any]:
    data = base64.b64decode(item["data"], validate=True)
    return {"name": str(item["name"]), "kind": str(item["kind"]), "size": int(item["size"]), "data": data}


class Placing:
    """Writes below logs/services/HOST and results/ in a run directory."""

    def __init__(self, run: Run, stage: str, host: str) -> None:
        self.logs: list[str] = []
        self.results: list[str] = []
        self.left_out: Notes = []
        self._run, self._stage, self._host = run, stage, safe_name(host)
        self._folder = run.file("logs", "services", self._host)

    def clear(self) -> None:
        """What an earlier try left goes."""
        if os.path.islink(self._folder):
            os.unlink(self._folder)
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder)

    def junit(self, text: str) -> None:
        """The results of the test itself."""
        if text:
            self._results(
                text.encode("utf-8", "replace"), "the test's results", f"{self._stage}-{self._host}"
            )

    def place(self, taken: t.Iterable[dict[str, t.Any]]) -> None:
        """Everything that the machine sent."""
        for number, file in enumerate(taken, start=1):
            if file["kind"] == "results":
                self._results(file["data"], file["name"], f"{self._stage}-{self._host}-{number}")
            else:
                self._log(file)

    def _log(self, file: dict[str, t.Any]) -> None:
        name = file["name"]
        name = name[len(_PREFIX) :] if name.startswith(_PREFIX) else name
        stem = safe_name(name.strip("/").replace("/", "-"))
        stem = stem[:-4] if stem.endswith(".log") else stem
        path, number = f"{stem}.log", 1
        while f"logs/services/{self._host}/{path}" in self.logs:
            number += 1
            path = f"{stem}-{number}.log"
        before = file["size"] - len(file["data"])
        data = f"… {before} bytes before this were not taken …\n".encode() if before > 0 else b""
        os.makedirs(self._folder, exist_ok=True)
        write_atomic(os.path.join(self._folder, path), data + file["data"], mode=0o640, durable=False)
        self.logs.append(f"logs/services/{self._host}/{path}")

    def _results(self, data: bytes, name: str, target: str) -> None:
        try:
            suites: list[Suite] = read_junit(data, name)
        except DistrogateError as error:
            self.left_out.append({"path": name, "reason": error.message})
            return
        for suite in suites:
            suite.host = self._host
        self.results.append(write_results(self._run.path, target, suites))
