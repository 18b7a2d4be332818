# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible gives a module, and how it reads what the module wrote."""

from __future__ import annotations

import json
import typing as t

from ansible.module_utils import basic
from ansible.vars.clean import remove_internal_keys

from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import as_sent

# Since Ansible 2.19 there are several ways to write a result; a collection's modules have this one.
PROFILE = "legacy" if hasattr(basic, "_ANSIBLE_PROFILE") else None
PROFILES = (PROFILE,) if PROFILE else ()  # as _parse_returned_data takes it


def sent_arguments(handler: t.Any, module: str, arguments: dict[str, t.Any], variables: t.Any) -> str:
    """The arguments with Ansible's own, as JSON; ``handler`` is the action that runs the module."""
    given = dict(arguments)
    handler._update_module_args(module, given, variables)
    return json.dumps({"ANSIBLE_MODULE_ARGS": as_sent(given)})


def result_of(handler: t.Any, output: dict[str, t.Any]) -> dict[str, t.Any]:
    """The result that a module wrote: ``stdout``, ``stderr`` and ``rc`` of a program."""
    data: dict[str, t.Any] = handler._parse_returned_data(output, *PROFILES)
    remove_internal_keys(data)
    return data
