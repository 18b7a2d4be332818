# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A long module in a child of this very process: as ``_long_job.Job``, where that comes to the same."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import typing as t

from ansible import constants

from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import LIMIT, read_record
from ansible_collections.distrogate.ci.plugins.plugin_utils._long_job import GRACE, Look
from ansible_collections.distrogate.ci.plugins.plugin_utils._module_arguments import sent_arguments
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_module import NearModule


class NearJob:
    """One run of the module of ``action``'s task; nobody but this process need be asked about it."""

    near = True

    def __init__(self, action: t.Any, variables: dict[str, t.Any]) -> None:
        # Made by Ansible for this playbook alone (0700), and removed by it.
        local: str = constants.DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]
        self._folder = tempfile.mkdtemp(prefix="long-", dir=local)
        self._progress = action._task.args.get("progress_file") or os.path.join(self._folder, "progress")
        self._name = action._task.action
        arguments = {**action._task.args, "progress_file": self._progress}
        module = str(action._task.resolved_action)
        self._module = NearModule(module, sent_arguments(action, module, arguments, variables), session=True)
        self.descriptor: int | None = self._module.descriptor

    def look(self) -> Look:
        """Read the progress; the result, once there is one."""
        done = self._module.wait(0)
        record = None
        with contextlib.suppress(OSError), open(self._progress, encoding="utf-8", errors="replace") as stream:
            record = read_record(stream.read(LIMIT).strip())
        return Look(record, self._result() if done else None)

    def _result(self) -> str:
        output = self._module.output()
        lines = [line for line in output["stdout"].splitlines() if line.startswith("{")]
        if lines:
            return str(lines[-1])
        if output["rc"] < 0:
            name = signal.Signals(-output["rc"]).name
            message = f"{self._name} was ended by {name}, and left no result. Run it again."
            return json.dumps({"failed": True, "msg": message, "reason": "module_lost"})
        # As Ansible writes it of a module that broke while nobody looked.
        return json.dumps(
            {"failed": True, "cmd": self._name, "data": output["stdout"], "stderr": output["stderr"]}
        )

    def lost(self) -> bool:
        """Its end is seen, however it ends."""
        return False

    def end(self) -> None:
        """End the module and what it started."""
        self._module.end(GRACE)

    def clean(self) -> None:
        """Remove the files of this run."""
        self._module.close()
        shutil.rmtree(self._folder, ignore_errors=True)
