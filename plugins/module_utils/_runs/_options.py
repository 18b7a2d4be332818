# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that a module and the action plugin of the same name share."""

from __future__ import annotations

import typing as t


def run_report_options() -> dict[str, t.Any]:
    """``run_report``."""
    return {
        "argument_spec": {
            "run_dir": {"type": "path", "required": True},
            "secrets": {"type": "list", "elements": "str", "no_log": True, "default": []},
            "log_bytes": {"type": "int", "default": 67108864},
            "total_bytes": {"type": "int", "default": 268435456},
            "line_length": {"type": "int", "default": 4000},
        }
    }


def service_logs_options() -> dict[str, t.Any]:
    """``service_logs``."""
    return {
        "argument_spec": {
            "run_dir": {"type": "path"},
            "stage": {"type": "str", "default": "system_test"},
            "host": {"type": "str"},
            "since": {"type": "float", "default": 0},
            "files": {"type": "list", "elements": "str", "default": ["/var/log/**"]},
            "journal": {"type": "bool", "default": True},
            "results": {"type": "list", "elements": "str", "default": []},
            "junit": {"type": "str", "default": ""},
            "file_bytes": {"type": "int", "default": 1048576},
            "total_bytes": {"type": "int", "default": 16777216},
            "timeout": {"type": "int", "default": 60},
            "received": {"type": "str", "no_log": True},
        }
    }
