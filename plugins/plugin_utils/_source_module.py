# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One of our modules from its source files, by the Python of its host, where that sees them.

So it is on the controller itself, and in a sandbox, which is given them read-only. Looking for all that a
module imports, and packing it, costs as much as many a module works.
"""

from __future__ import annotations

import json
import os
import subprocess
import typing as t

import ansible.module_utils
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.distrogate.ci.plugins.plugin_utils._module_arguments import (
    PROFILE,
    sent_arguments,
)
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import is_near

_SANDBOX = "distrogate.ci.sandbox"
_COLLECTION = "distrogate.ci."
_PACKAGE = "ansible_collections.distrogate.ci"
_ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
_UTILITIES = os.path.realpath(os.path.dirname(ansible.module_utils.__file__))
_INSIDE = "/dev/.distrogate"  # a file system that a sandbox has for as long as a command runs
# Of Ansible nothing but module_utils is there, as in the archive that it packs.
_BOOT = """
import importlib, json, sys, types
sys.path[:] = [path for path in sys.path if path]
sys.dont_write_bytecode = True
given = json.load(sys.stdin)
for name, paths in given["packages"].items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = paths
sys.modules["ansible"].__file__ = given["file"]
from ansible.module_utils import basic
basic._ANSIBLE_ARGS = given["arguments"].encode()
basic._ANSIBLE_PROFILE = given["profile"]
importlib.import_module(given["module"]).main()
"""


def run_from_source(
    handler: t.Any, module: str, arguments: dict[str, t.Any], variables: t.Any
) -> dict[str, t.Any] | None:
    """Run it, and return what it wrote, as of any program; None where that cannot be."""
    python = _interpreter(handler, variables)
    in_sandbox = _is_plain_sandbox(handler)
    if not python or not module.startswith(_COLLECTION) or not (in_sandbox or is_near(handler)):
        return None
    root, utilities = (_INSIDE, f"{_INSIDE}/module_utils") if in_sandbox else (_ROOT, _UTILITIES)
    parents: dict[str, list[str]] = {
        "ansible": [],
        "ansible_collections": [],
        "ansible_collections.distrogate": [],
    }
    given = {
        "packages": {**parents, "ansible.module_utils": [utilities], _PACKAGE: [root]},
        "file": os.path.join(os.path.dirname(utilities), "__init__.py"),
        "arguments": sent_arguments(handler, module, arguments, variables),
        "profile": PROFILE,
        "module": f"{_PACKAGE}.plugins.modules.{module[len(_COLLECTION) :]}",
    }
    argv, stdin = [python, "-c", _BOOT], json.dumps(given).encode()
    if in_sandbox:
        binds = {utilities: _UTILITIES, f"{root}/plugins": os.path.join(_ROOT, "plugins")}
        status, stdout, stderr = handler._connection.run(argv, stdin, binds)
    else:
        try:
            done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
        except OSError as error:
            raise AnsibleConnectionFailure(f"{python} cannot be started: {error}") from error
        status, stdout, stderr = done.returncode, done.stdout, done.stderr
    texts = [text.decode(errors="surrogateescape") for text in (stdout, stderr)]
    return {"stdout": texts[0], "stderr": texts[1], "rc": status}


def _interpreter(handler: t.Any, variables: t.Any) -> str:
    """The path of the Python that the inventory names; empty when Ansible is to look for one."""
    host = handler._task.delegate_to
    known = variables.get("ansible_delegated_vars", {}).get(host, {}) if host else variables
    found = str(handler._templar.template(known.get("ansible_python_interpreter", "")))
    return found if found.startswith("/") and " " not in found else ""


def _is_plain_sandbox(handler: t.Any) -> bool:
    connection, task = handler._connection, handler._task
    return bool(connection.transport == _SANDBOX and connection.become is None and not any(task.environment))
