# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Throw a sandbox away."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox_away import (
    sandbox_options,
    throw_away,
)
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import NearAction


class ActionModule(NearAction):
    """In this process: sandboxes lie on the controller."""

    options: t.ClassVar[dict[str, t.Any]] = sandbox_options()
    body = staticmethod(throw_away)
