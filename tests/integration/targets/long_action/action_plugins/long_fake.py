# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of a module that works for a while, and is doubted soon."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.plugin_utils._long_action import LongAction


class ActionModule(LongAction):
    """As any action of a long module."""

    default_timeout: t.ClassVar[int] = 60
    margin: t.ClassVar[int] = 3
    doubt: t.ClassVar[float] = 1.0
