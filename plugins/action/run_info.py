# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what a run knows so far."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._runs._run_info import read_run, run_info_options
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import NearAction


class ActionModule(NearAction):
    """Here when the run directory is, else on its host."""

    options: t.ClassVar[dict[str, t.Any]] = run_info_options()
    body = staticmethod(read_run)
