# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``freeze``, for the module and for the action plugin of the same name."""

from __future__ import annotations

import typing as t

FREEZE_OPTIONS: dict[str, dict[str, t.Any]] = {
    "run_dir": {"type": "path"},
    "runs": {"type": "path"},
    "pipeline": {"type": "str", "required": True},
    "queue": {"type": "list", "elements": "dict", "default": []},
    "checkouts": {"type": "dict", "default": {}},
    "prepared": {"type": "path", "default": "~"},
    "ahead": {"type": "list", "elements": "str"},
    "projects": {"type": "dict", "required": True},
    "more_projects": {"type": "list", "elements": "str", "default": []},
    "cache": {"type": "path", "required": True},
    "stages": {"type": "list", "elements": "raw", "default": []},
    "parameters": {"type": "dict", "default": {}},
    "controller": {"type": "dict", "default": {}},
    "code": {"type": "str", "default": ""},
    "base_commits": {"type": "dict", "default": {}},
    "fetch_from": {"type": "dict", "default": {}},
    "replay_of": {"type": "str", "default": ""},
    "profile": {"type": "str", "default": ""},
    "rootfs": {"type": "path"},
    "repositories": {"type": "dict", "default": {}},
    "repositories_root": {"type": "path"},
    "state": {"type": "str", "choices": ["frozen", "resolved"], "default": "frozen"},
}
