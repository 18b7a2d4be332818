# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring mirrors to one state, with a line on the screen now and then."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.plugin_utils._long_action import LongAction


class ActionModule(LongAction):
    """The module does the work; this shows where it stands."""

    default_timeout: t.ClassVar[int] = 3600
