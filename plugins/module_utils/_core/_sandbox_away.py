# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Throwing a sandbox away."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._call import AnyCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import remove_folder


def sandbox_options() -> dict[str, t.Any]:
    """``sandbox``."""
    return {
        "argument_spec": {
            "directory": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["absent"], "default": "absent"},
        }
    }


def throw_away(call: AnyCall) -> None:
    """Remove it. Error ``no_sandbox``: the folder is something else."""
    path = os.path.abspath(call.params["directory"])
    there = os.path.lexists(path)
    if there and not os.path.isdir(os.path.join(path, "upper")):
        raise DistrogateError("no_sandbox", f"{path} is not a sandbox's folder; it was left alone.")
    call.difference.add("directory", path if there else None, None)
    if there and not call.check_mode:
        remove_folder(path)
