# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option ``store``, for every plugin that is a client of the store."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import env_fallback


def store_option() -> dict[str, t.Any]:
    """To merge into an argument spec; documented by the fragment ``distrogate.ci.store``."""
    return {"store": {"type": "str", "fallback": (env_fallback, ["DISTROGATE_STORE"])}}
