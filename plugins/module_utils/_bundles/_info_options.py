# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of those that look into the archive: bundle_info and bundle_history."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.parameters import env_fallback

from ansible_collections.distrogate.ci.plugins.module_utils._core._store_option import store_option

Options = dict[str, t.Any]


def archive_option() -> Options:
    """To merge into an argument spec; documented by the fragment ``distrogate.ci.archive``."""
    return {"archive": {"type": "path", "fallback": (env_fallback, ["DISTROGATE_ARCHIVE"])}}


def _looking() -> Options:
    return {
        **store_option(),
        **archive_option(),
        "signers": {"type": "list", "elements": "str", "default": []},
    }


def bundle_info_options() -> Options:
    """What ``bundle_info`` takes."""
    return {
        "argument_spec": {
            **_looking(),
            "channel": {"type": "str"},
            "bundle": {"type": "str"},
            "contains": {"type": "str"},
            "trees": {"type": "dict"},
            "pipeline": {"type": "str"},
            "history": {"type": "bool", "default": False},
            "difference": {"type": "list", "elements": "str"},
            "limit": {"type": "int", "default": 0},
            "packages": {"type": "bool"},
        },
        "required_if": [("history", True, ["channel"])],
    }


def bundle_history_options() -> Options:
    """What ``bundle_history`` takes."""
    spec = {
        **_looking(),
        "destination": {"type": "path", "required": True},
        "title": {"type": "str", "default": "Bundles"},
        "bundles": {"type": "int", "default": 1000},
        "timeout": {"type": "float", "default": 600.0},
    }
    return {"argument_spec": spec}
