# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run hands on to the jobs behind it in Zuul: the data of zuul_return, and the file that it goes to.

Zuul's own action zuul_return writes ``{"data": …, "secret_data": …}`` to results.json in the
job's work folder (``zuul.executor.result_data_file``), and Zuul reads that when the job ends.
The file is there, and empty, from the beginning.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json, read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue_zuul import KIND

Json = dict[str, t.Any]

_LIMIT = 16 << 20


def handed_on(run: Run, repositories_url: str, log_bundle: str) -> Json:
    """The data for zuul_return; a run without a test repository hands nothing on."""
    frozen, published = run.frozen, run.stage("publish_test")
    if not published or published.get("verdict") != "success":
        return {}
    place = f"{frozen['queue_key']}/{frozen['id']}"
    metadata = {
        "type": KIND,
        "run_id": frozen["id"],
        "pipeline": frozen.get("pipeline", ""),
        "queue_key": frozen["queue_key"],
        "bundle": _digest(run),
        "log_bundle": log_bundle,
    }
    url = f"{repositories_url.rstrip('/')}/{place}/"
    artifact = {"name": f"distrogate run {frozen['id']}", "url": url, "metadata": metadata}
    return {"zuul": {"artifacts": [artifact]}}


def _digest(run: Run) -> str:
    try:
        return str(read_json(run.file("bundle.json")).get("digest", ""))
    except DistrogateError as error:
        if error.reason != "not_found":
            raise
        return ""  # not sealed


def merged(contents: str, data: Json, path: str) -> Json:
    """What the results file is going to hold: what was there, and ours beside it; twice is once."""
    old = parse_json(contents, path, _LIMIT) if contents.strip() else {}
    if not isinstance(old, dict) or not isinstance(old.get("data", {}), dict):
        raise DistrogateError("bad_results", f"{path} does not hold what Zuul's zuul_return writes.")
    kept = dict(old.get("data", {}))
    zuul = kept.get("zuul") if isinstance(kept.get("zuul"), dict) else {}
    listed = t.cast(Json, zuul).get("artifacts")
    artifacts = list(listed) if isinstance(listed, list) else []
    for artifact in data.get("zuul", {}).get("artifacts", []):
        if artifact not in artifacts:
            artifacts.append(artifact)
    kept["zuul"] = {**t.cast(Json, zuul), "artifacts": artifacts}
    return {**old, "data": kept, "secret_data": old.get("secret_data", {})}


def results_file(zuul: t.Any) -> str:
    """Where Zuul reads the results of the job that this is; empty when this is no job of Zuul's executor."""
    executor = zuul.get("executor") if isinstance(zuul, dict) else None
    path = executor.get("result_data_file") if isinstance(executor, dict) else None
    if not isinstance(path, str) or not os.path.isabs(path) or not os.path.isfile(path):
        return ""
    return path


def read_results(path: str) -> str:
    """Its contents, bounded."""
    with open(path, encoding="utf-8") as stream:
        return stream.read(_LIMIT + 1)
