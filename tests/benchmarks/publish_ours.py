# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls of the module as a host runs it: a new process of the system's Python for each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Meter, Step, Used
from ansible_collections.distrogate.ci.tests.faults.run import PYTHON, paths

SUITE = "bookworm"
# Every publish removes what the one before last needed, as one that is not the first of the day does.
STEADY: dict[str, Any] = {"keep": 1, "keep_seconds": 0}
LINKED: dict[str, Any] = {"hard_link": True}
CALL = """
import importlib, sys
from ansible.module_utils import basic
with open(sys.argv[2], "rb") as arguments:
    basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = arguments.read(), "legacy"
importlib.import_module("ansible_collections.distrogate.ci.plugins.modules." + sys.argv[1]).main()
"""
_NOTHING = """
from ansible.module_utils import basic
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = b'{"ANSIBLE_MODULE_ARGS": {}}', "legacy"
basic.AnsibleModule({}).exit_json()
"""
_LIMIT = """
import hashlib, sys
for path in open(sys.argv[1]).read().splitlines():
    with open(path, "rb", 0) as file:
        hashlib.sha256(file.read()).digest()
"""


class Ours:
    """The modules, with a key to sign with; ``folder`` is for arguments, results and Python's bytecode.

    Without ``compiled`` there is none, as when Ansible sends a module: it is compiled anew each time.
    """

    def __init__(self, meter: Meter, folder: Path, key: str, gnupg: Path, compiled: bool = True) -> None:
        self.meter = meter
        self.folder = folder
        self.options = {"signing_key": key, "gnupg_home": str(gnupg), "_ansible_tmpdir": str(folder)}
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": paths(),
            "PYTHONPYCACHEPREFIX": str(folder / ("bytecode" if compiled else "none")),
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            **({} if compiled else {"PYTHONDONTWRITEBYTECODE": "1"}),
        }

    def publish(
        self, kind: str, root: Path, packages: list[Path], watch: bool = False, **options: Any
    ) -> Used:
        """Publish ``packages`` to the repository in ``root``; they must all be new there."""
        suite = {"suite": SUITE} if kind == "deb" else {}
        arguments = {
            **self.options,
            **suite,
            **options,
            "root": str(root),
            "packages": list(map(str, packages)),
        }
        file, result = self.folder / "arguments.json", self.folder / "result.json"
        file.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        module = {"deb": "apt_publish", "rpm": "rpm_publish"}[kind]
        used = self._python(CALL, module, str(file), stdout=result, watch=watch)
        added = len(json.loads(result.read_text())["added"])
        assert added == len(packages), f"{module} published {added} of {len(packages)} packages"
        return used

    def nothing(self) -> Used:
        """A module that has nothing to do: the interpreter and AnsibleModule."""
        return self._python(_NOTHING)

    def limit(self, packages: list[Path]) -> Used:
        """What nobody can do without: each package's bytes are read and digested."""
        file = self.folder / "packages"
        file.write_text("\n".join(map(str, packages)))
        return self._python(_LIMIT, str(file))

    def _python(self, program: str, *words: str, stdout: Path | None = None, watch: bool = False) -> Used:
        return self.meter([Step([PYTHON, "-c", program, *words], stdout=stdout)], self.environment, watch)
