# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Boot images, with a line on the screen now and then."""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.plugin_utils._long_action import LongAction
from ansible_collections.distrogate.ci.plugins.plugin_utils._stage_action import LongStageAction


class ActionModule(LongStageAction):
    """The module does the work; this tells it what only the controller knows."""

    def _is_plain(self) -> bool:
        """A single file takes as long as a run, so its progress is shown as well."""
        return LongAction._is_plain(self)
