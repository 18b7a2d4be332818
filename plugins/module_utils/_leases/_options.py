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
        "options": {
            "command": {"type": "list", "elements": "str"},
            "playbook": {"type": "str"},
            "run_on": {"type": "str", "choices": ["hosts", "controller"], "default": "hosts"},
            "timeout": {"type": "int", "default": 1800},
            "attempts": {"type": "int", "default": 3},
        },
        "mutually_exclusive": [("command", "playbook")],
        "required_one_of": [("command", "playbook")],
    }
    guard = {
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "default": 22},
        "user": {"type": "str", "default": "te-guard"},
        "key_file": {"type": "path", "required": True, "no_log": False},
        "known_hosts": {"type": "path", "required": True},
        "te": {"type": "str"},
    }
    return {
        "argument_spec": {
            **store_option(),
            "name": {"type": "str", "required": True},
            "pool": {"type": "str", "default": "default"},
            "labels": {"type": "dict"},
            "hosts": {"type": "dict"},
            "clean": clean,
            "guards": {"type": "list", "elements": "dict", "options": guard},
            "state": {"type": "str", "choices": ["present", "drained", "absent"], "default": "present"},
        }
    }


def te_lock_options() -> dict[str, t.Any]:
    """``te_lock``."""
    person = {"name": {"type": "str", "required": True}, "public_key": {"type": "str", "no_log": False}}
    return {
        "argument_spec": {
            **store_option(),
            "pool": {"type": "str", "default": "default"},
            "labels": {"type": "dict", "default": {}},
            "name": {"type": "str"},
            "where": {"type": "str"},
            "count": {"type": "int", "default": 1},
            "owner": {"type": "dict"},
            "ttl": {"type": "int"},
            "max_lifetime": {"type": "int", "default": 86400},
            "keeper": {"type": "bool", "default": True},
            "with_playbook": {"type": "bool", "default": False},
            "inventory": {"type": "path"},
            "priority": {"type": "int", "default": 0},
            "timeout": {"type": "int", "default": 600},
            "lease_file": {"type": "path"},
            "reason": {"type": "str"},
            "person": {"type": "dict", "options": person},
            "quota": {"type": "int", "default": 2},
            "state": {"type": "str", "choices": ["locked", "released", "held"], "default": "locked"},
        },
        "required_if": [
            ("state", "locked", ("lease_file",)),
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
    return None if given is None else {str(key): _text(value) for key, value in given.items()}


def _text(value: t.Any) -> str:
    """Yes and no as YAML writes them, not as Python does."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def guards_of(te: str, given: list[dict[str, t.Any]] | None) -> list[dict[str, t.Any]] | None:
    """The guards of a TE, which mostly know it by the same name."""
    return None if given is None else [{**guard, "te": guard["te"] or te} for guard in given]


def te_machine_options() -> dict[str, t.Any]:
    """``te_machine``."""
    return {
        "argument_spec": {
            **store_option(),
            "name": {"type": "str", "required": True},
            "te": {"type": "dict", "required": True},
            "lease_file": {"type": "path", "required": True},
        }
    }


def te_clean_options() -> dict[str, t.Any]:
    """``te_clean``."""
    return {
        "argument_spec": {
            **store_option(),
            "pool": {"type": "str"},
            "timeout": {"type": "int", "default": 3600},
        }
    }
