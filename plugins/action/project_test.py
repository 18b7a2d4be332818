# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a project's tests, with a line on the screen now and then."""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.plugin_utils._stage_action import LongStageAction


class ActionModule(LongStageAction):
    """The module does the work; this tells it what only the controller knows."""
