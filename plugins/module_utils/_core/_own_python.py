# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A function of ours in another Python process, which imports the collection from where this one has it.

That is an archive, files, or where Ansible's own finder saw it, which no other process has: sys.path alone
does not lead there.
"""

from __future__ import annotations

import json
import sys

_PACKAGES = (
    "ansible",
    "ansible.module_utils",
    "ansible_collections",
    "ansible_collections.distrogate",
    "ansible_collections.distrogate.ci",
)
_PROGRAM = """
import importlib, json, sys, types
given = json.loads(sys.argv[1])
sys.path[:] = given["path"]
for name, paths in given["packages"].items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = paths
print(getattr(importlib.import_module(given["module"]), given["function"])(*sys.argv[2:]))
"""


def call_in_python(module: str, function: str, *words: str) -> list[str]:
    """The command that calls a function with texts, and prints what it returns."""
    packages = {name: list(sys.modules[name].__path__) for name in _PACKAGES if name in sys.modules}
    given = {"path": sys.path, "packages": packages, "module": module, "function": function}
    return [sys.executable, "-c", _PROGRAM, json.dumps(given), *words]
