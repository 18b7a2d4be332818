# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that apt_publish and rpm_publish share."""

from __future__ import annotations

import typing as t

COMMON_SPEC: dict[str, t.Any] = {
    "root": {"type": "path", "required": True},
    "packages": {"type": "list", "elements": "str", "default": []},
    "digests": {"type": "dict", "default": {}},
    "layers": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, "root": {"type": "path", "required": True}},
    },
    "signing_key": {"type": "str", "no_log": False},
    "overlap_key": {"type": "str", "no_log": False},
    "overlap_until": {"type": "str"},
    "allow_key_change": {"type": "bool", "default": False, "no_log": False},
    "gnupg_home": {"type": "path"},
    "url": {"type": "str"},
    "label": {"type": "str"},
    "state": {
        "type": "str",
        "choices": ["present", "absent", "prepared", "committed", "undone"],
        "default": "present",
    },
    "transaction": {"type": "str"},
    "snapshot": {"type": "str"},
    "restore": {"type": "str"},
    "keep_snapshots": {"type": "int", "default": 0},
    "keep_snapshots_seconds": {"type": "int", "default": 0},
    "allow_downgrade": {"type": "bool", "default": False},
    "keep_versions": {"type": "int"},
    "keep": {"type": "int", "default": 5},
    "keep_seconds": {"type": "int", "default": 900},
    "pinned": {"type": "list", "elements": "str", "default": []},
    "bundle": {"type": "str"},
    "require_bundle": {"type": "bool"},
    "hard_link": {"type": "bool", "default": False},
    "compression": {"type": "list", "elements": "str", "choices": ["gz", "xz"]},
    "alias": {"type": "path"},
    "list_packages": {"type": "bool", "default": False},
    "verify": {"type": "str", "choices": ["none", "client"], "default": "none"},
    "ttl": {"type": "int", "default": 3600},
    "timeout": {"type": "int", "default": 600},
}
REQUIRED_IF = [("state", state, ["transaction"]) for state in ("prepared", "committed", "undone")]
