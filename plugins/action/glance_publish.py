# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish an image in Glance, with a line on the screen now and then."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.plugin_utils._long_action import LongAction


class ActionModule(LongAction):
    """The module does the work; this shows where it stands."""

    default_timeout: t.ClassVar[int] = 600

    @property
    def _limit(self) -> int:
        """Time to wait for others, and time for the upload."""
        try:
            return super()._limit + max(0, int(self._task.args.get("upload_timeout", 7200)))
        except (TypeError, ValueError):
            return super()._limit
