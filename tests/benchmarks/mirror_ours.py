# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""mirror_sync as a host runs it: a new process of the system's Python for each run."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.tests.benchmarks.mirror_meter import MirrorMeter
from ansible_collections.distrogate.ci.tests.benchmarks.publish_meter import Step, Used
from ansible_collections.distrogate.ci.tests.benchmarks.publish_ours import CALL
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY
from ansible_collections.distrogate.ci.tests.faults.run import PYTHON, paths
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon

MODULE = REPOSITORY / "plugins" / "modules" / "mirror_sync.py"
# Every run removes what only the state before last named, as one that is not the first of the day does.
STEADY: dict[str, Any] = {"keep": 1, "keep_seconds": 0, "timeout": 3600}
# The comparison of what arrived is an rsync that compares digests and writes nothing: it does nothing here.
# Whatever starts processes is asked, so that this knows no more of our code than that.
_UNVERIFIED = """
import subprocess, sys
class Popen(subprocess.Popen):
    def __init__(self, argv, *args, **options):
        words = set(argv)
        compares = words & {"--checksum", "-c"} and words & {"--dry-run", "-n"}
        if argv[0] == "rsync" and compares:
            sys.stderr.write("a comparison was left out\\n")
            argv = ["true"]
        super().__init__(argv, *args, **options)
subprocess.Popen = Popen
"""
LEFT_OUT = "a comparison was left out"


class Ours:
    """Runs of the module; ``folder`` is for arguments, results and Python's bytecode."""

    def __init__(self, meter: MirrorMeter, folder: Path) -> None:
        self.meter, self.folder = meter, folder
        self.result: dict[str, Any] = {}

    def _environment(self, compiled: bool = True) -> dict[str, str]:
        """Without ``compiled`` there is no bytecode, as when Ansible sends a module."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": paths(),
            "PYTHONPYCACHEPREFIX": str(self.folder / ("bytecode" if compiled else "none")),
            "LC_ALL": "C.UTF-8",
            "HOME": os.devnull,
            **({} if compiled else {"PYTHONDONTWRITEBYTECODE": "1"}),
        }

    def sync(
        self,
        source: Path,
        daemons: Sequence[Daemon],
        ports: Sequence[int] = (),
        verify: bool = True,
        file: bool = False,
        compiled: bool = True,
        **options: Any,
    ) -> Used:
        """One run; ``ports`` are those of proxies before the daemons. All mirrors must follow.

        ``file`` runs the module's own file as a program, else its function is called.
        """
        found = [*ports, *([0] * len(daemons))]
        addresses = [daemon.address(port) for daemon, port in zip(daemons, found)]
        arguments = {"source": str(source), "name": "bench", "mirrors": addresses, **STEADY, **options}
        words, result = self.folder / "arguments.json", self.folder / "result.json"
        private = {"_ansible_tmpdir": str(self.folder)}
        words.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, **private}}))
        program = CALL if verify else _UNVERIFIED + CALL
        argv = [PYTHON, str(MODULE), str(words)]
        if not file:
            argv = [PYTHON, "-c", program, "mirror_sync", str(words)]
        used = self.meter.both([Step(argv, stdout=result)], self._environment(compiled), daemons)
        self.result = json.loads(result.read_text())
        said = [row["outcome"] for row in self.result["mirrors"]]
        assert set(said) <= {"switched", "unchanged"}, self.result["mirrors"]
        if not verify:
            assert LEFT_OUT in self.meter.log.read_text(), (
                "nothing was compared, so nothing could be left out"
            )
        return used
