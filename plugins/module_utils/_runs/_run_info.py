# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run knows so far."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._call import AnyCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run


def run_info_options() -> dict[str, t.Any]:
    """``run_info``."""
    return {"argument_spec": {"run_dir": {"type": "path", "required": True}}}


def read_run(call: AnyCall) -> None:
    """Its frozen inputs, and what each of its stages wrote."""
    run = Run(call.params["run_dir"])
    call.result.update(
        run=run.frozen, stages=run.stages(), artifacts=run.artifacts(), under_way=_under_way.names(run)
    )
