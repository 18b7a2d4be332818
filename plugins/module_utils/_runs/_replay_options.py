# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``replay``, for the module and for the action plugin of the same name."""

from __future__ import annotations

import typing as t

REPLAY_OPTIONS: dict[str, dict[str, t.Any]] = {
    "run": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["read", "compared"], "default": "compared"},
    "projects": {"type": "dict", "default": {}},
    "pipelines": {"type": "dict", "default": {}},
    "cache": {"type": "path"},
    "rootfs": {"type": "path"},
    "repositories": {"type": "dict", "default": {}},
    "accept_drift": {"type": "bool", "default": False},
    "frozen": {"type": "dict"},
}
