# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables that a stranger may have written, in a file that Ansible reads and never takes for templates."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t

from ansible import constants


def _text(value: str) -> str:
    letters = (c if " " <= c <= "~" and c not in '"\\' else f"\\U{ord(c):08x}" for c in value)
    return '"' + "".join(letters) + '"'


def spelled(value: t.Any) -> str:
    """A value as YAML in which every text is marked as no template."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"? {_text(str(k))} : {spelled(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(spelled(item) for item in value) + "]"
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)  # run.json is JSON, which knows no infinity
    return f"!unsafe {_text(str(value))}"


def write_variables(variables: t.Mapping[str, t.Any]) -> str:
    """Write the file on the controller; it goes when ansible-playbook ends."""
    folder = str(vars(constants)["DEFAULT_LOCAL_TMP"])  # get_config_value would make another one
    descriptor, path = tempfile.mkstemp(prefix="variables-", suffix=".yml", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        for name, value in variables.items():
            stream.write(f"{name}: {spelled(value)}\n")
    return path
