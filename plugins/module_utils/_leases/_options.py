# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the plugins for TEs: read by the action plugin and by the module that documents it."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store_option import store_option


def te_options() -> dict[str, t.Any]:
    """``te``."""
    clean = {
        "type": "dict",
        "options": {"command": {"type": "list", "elements": "str"}, "playbook": {"type": "str"}},
        "mutually_exclusive": [("command", "playbook")],
        "required_one_of": [("command", "playbook")],
    }
    return {
        "argument_spec": {
            **store_option(),
            "name": {"type": "str", "required": True},
            "pool": {"type": "str", "default": "default"},
            "labels": {"type": "dict"},
            "hosts": {"type": "dict"},
            "clean": clean,
            "state": {"type": "str", "choices": ["present", "drained", "absent"], "default": "present"},
        }
    }


def te_lock_options() -> dict[str, t.Any]:
    """``te_lock``."""
    return {
        "argument_spec": {
            **store_option(),
            "pool": {"type": "str", "default": "default"},
            "labels": {"type": "dict", "default": {}},
            "name": {"type": "str"},
            "count": {"type": "int", "default": 1},
            "owner": {"type": "dict"},
            "ttl": {"type": "int", "default": 3600},
            "priority": {"type": "int", "default": 0},
            "timeout": {"type": "int", "default": 600},
            "lease_file": {"type": "path"},
            "reason": {"type": "str"},
            "state": {
                "type": "str",
                "choices": ["locked", "cleaned", "released", "held"],
                "default": "locked",
            },
        },
        "required_if": [
            ("state", "locked", ("lease_file",)),
            ("state", "cleaned", ("lease_file",)),
            ("state", "released", ("lease_file", "name"), True),
            ("state", "held", ("reason",)),
            ("state", "held", ("lease_file", "name"), True),
        ],
    }


def te_info_options() -> dict[str, t.Any]:
    """``te_info``."""
    return {"argument_spec": {**store_option(), "pool": {"type": "str"}}}


def as_labels(given: dict[str, t.Any] | None) -> dict[str, str] | None:
    """Labels are compared as text, so that 4 and "4" are one."""
    return None if given is None else {str(key): str(value) for key, value in given.items()}
