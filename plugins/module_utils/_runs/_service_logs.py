# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Service logs of a test machine: collected there, placed in the run directory on the builder."""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.module_utils._core._call import AnyCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._runs._collect import Collector
from ansible_collections.distrogate.ci.plugins.module_utils._runs._junit_read import LIMIT
from ansible_collections.distrogate.ci.plugins.module_utils._runs._placing import Placing, unpack


def collect(call: AnyCall) -> None:
    """On the machine. ``since`` is how many seconds ago it was: clocks differ."""
    params = call.params
    collector = Collector(params["since"], params["file_bytes"], params["total_bytes"], params["timeout"])
    collector.results(params["results"], LIMIT)
    if params["journal"]:
        collector.journal()
    collector.logs(params["files"])
    call.result["packed"] = collector.packed()


def place(call: AnyCall) -> None:
    """On the builder."""
    params = call.params
    placing = Placing(Run(params["run_dir"]), params["stage"], params["host"])
    placing.clear()
    placing.junit(params["junit"])
    if params["received"]:
        taken, left_out = unpack(params["received"], params["total_bytes"])
        placing.place(taken)
        placing.left_out += left_out
    call.difference.add("files", [], [*placing.logs, *placing.results])
    call.result.update(logs=placing.logs, results=placing.results, left_out=placing.left_out, problem="")
