# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open and close a stage, for the playbook that asks."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._runs._stage_states import perform, stage_options
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import NearAction
from ansible_collections.distrogate.ci.plugins.plugin_utils._stage_action import Told


class ActionModule(Told, NearAction):
    """It knows what only the controller does: which code runs, and for whom."""

    options: t.ClassVar[dict[str, t.Any]] = stage_options()
    body = staticmethod(perform)
