# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a long module, and shows what it says meanwhile.

A module cannot speak while it runs. The action of the same name starts it asynchronously on its host,
with the option ``progress_file``, and shows what the module writes there (``_core/_progress``)::

    class ActionModule(LongAction):
        default_timeout = 3600

Whatever else a task may ask for is as without it: its result, its failure, become, delegation, a host
that goes away. In check mode, and with ``async`` on the task, Ansible runs the module as any other. Where
the module may run in this very process (``_near_module``), a child of it does the same.
"""

from __future__ import annotations

import secrets
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.vars.clean import remove_internal_keys

from ansible_collections.distrogate.ci.plugins.plugin_utils._held_signals import HeldSignals
from ansible_collections.distrogate.ci.plugins.plugin_utils._long_job import Job, Look
from ansible_collections.distrogate.ci.plugins.plugin_utils._long_screen import Screen
from ansible_collections.distrogate.ci.plugins.plugin_utils._module_action import ModuleAction
from ansible_collections.distrogate.ci.plugins.plugin_utils._module_arguments import PROFILES
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_job import NearJob
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_module import may_be_near

_LONGEST = 5.0  # seconds between two looks
_RETRIES = (1, 2, 4)  # seconds, when the connection fails
_WATCHED = 60  # the host itself ends it so many seconds later, should nobody be there to do it


class LongAction(ModuleAction):
    """A module of ours, with its progress on the screen."""

    default_timeout: t.ClassVar[int] = 3600
    margin: t.ClassVar[int] = 600  # seconds to take things back in, when both timeouts are over
    doubt: t.ClassVar[float] = 30.0  # seconds without news until somebody asks whether it lives

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Start the module, follow it, and return its result (called by Ansible)."""
        variables = task_vars or {}
        self._variables = variables
        if self._is_plain():
            return self._plain(tmp, variables)
        with HeldSignals() as signals:
            started, job = self._start(variables)
            if job is not None:
                return self._attended(job, signals, started or {})
        return self._plain(tmp, variables) if started is None else started

    def _is_plain(self) -> bool:
        """Whether Ansible runs the module as any other."""
        task, connection = self._task, self._connection
        plainly = task.check_mode or task.async_val or connection.has_native_async
        return bool(plainly or connection.always_pipeline_modules)

    def _attended(
        self, job: Job | NearJob, signals: HeldSignals, started: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        try:
            result = self._follow(job, signals, started)
        except AnsibleConnectionFailure:
            raise  # nothing can be ended there, or removed
        except BaseException:
            job.end()
            job.clean()
            raise
        job.clean()
        return result

    def _plain(self, tmp: str | None, variables: dict[str, t.Any]) -> dict[str, t.Any]:
        normal: t.Any = super()
        result: dict[str, t.Any] = normal.run(tmp, variables)
        return result

    @property
    def _limit(self) -> int:
        """One timeout to wait for others, one to work, and time to take things back."""
        try:
            return 2 * max(0, int(self._task.args.get("timeout", self.default_timeout))) + self.margin
        except (TypeError, ValueError):
            return self.margin  # the module will refuse it

    def _start(self, variables: dict[str, t.Any]) -> tuple[dict[str, t.Any] | None, Job | NearJob | None]:
        """The job; or the result of one that could not start; or neither, when it cannot run that way."""
        if may_be_near(self, str(self._task.resolved_action)):
            self._profile = PROFILES
            return None, NearJob(self, variables)
        shell, task = self._connection._shell, self._task
        if shell.tmpdir is None:
            self._make_tmp_path()
        folder = str(shell.tmpdir)
        own = task.args.get("progress_file")
        other_user = self._is_become_unprivileged()
        if own:
            path = str(self._remote_expand_user(str(own)))
        else:
            # Beside the result: the temporary folder is removed by the host as soon as the module is done,
            # and belongs to whoever logs in.
            path = shell.join_path(self.get_shell_option("async_dir", "~/.ansible_async"), _name())
        before, task.async_val = task.async_val, self._limit + _WATCHED
        try:
            started: dict[str, t.Any] = self._execute_module(
                module_args={**task.args, "progress_file": path}, task_vars=variables, wrap_async=True
            )
        except AnsibleConnectionFailure:
            raise
        except AnsibleError:
            if not other_user:
                raise
            # Files cannot be shown to that user. A module that comes through a pipe needs none.
            self._remove_tmp_path(folder, force=True)
            shell.tmpdir = None
            return None, None
        finally:
            task.async_val = before
        results = started.get("results_file")
        if not results or started.get("failed"):
            shell.tmpdir = folder  # to be removed by Ansible
            return started, None
        if not own:  # where that is, only the module's user knows
            path = shell.join_path(str(results).rpartition("/")[0], path.rpartition("/")[2])
        return started, Job(self, str(results), path, folder, not own)

    def _parse_returned_data(self, res: dict[str, t.Any], *profile: t.Any) -> dict[str, t.Any]:
        self._profile = profile  # how this module writes its result
        data: dict[str, t.Any] = super()._parse_returned_data(res, *profile)
        return data

    def _follow(
        self, job: Job | NearJob, signals: HeldSignals, started: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        begun = news = time.monotonic()
        screen = Screen(self._line)
        last: Look | None = None
        # Looking costs nothing here, and a connection's round trip elsewhere.
        shortest, longest = (0.05, _LONGEST / 20) if job.near else (0.2, _LONGEST)
        while not signals.wait(min(longest, max(shortest, (time.monotonic() - begun) / 10)), job.descriptor):
            look = self._look(job, signals)
            now = time.monotonic()
            if look is not None and look.result is not None:
                screen.last(look.record or (last.record if last else None))
                return self._shape(look.result, started)
            if look is not None and look.record is not None:
                screen.show(look.record, now)
            if look is None or look != last:
                last, news = look, (now if look is not None else news)
            if now - begun > self._limit:
                job.end()
                return _failed(
                    "time_limit",
                    f"{self._task.action} did not end within {self._limit} s and was ended."
                    " Look at its progress, and give it a longer timeout.",
                )
            if (look is None or now - news > self.doubt) and job.lost():
                look = job.look()
                if look is None or look.result is None:
                    return _failed(
                        "module_lost",
                        f"{self._task.action} does not run any more, and left no result: somebody ended it,"
                        " or its host was started again. Run it again.",
                    )
                return self._shape(look.result, started)
            if now - news > self.doubt:
                news = now
        job.end()
        return _failed("interrupted", f"{self._task.action} was interrupted, and ended on its host.")

    def _look(self, job: Job | NearJob, signals: HeldSignals) -> Look | None:
        for pause in _RETRIES:
            try:
                return job.look()
            except AnsibleConnectionFailure:
                if signals.wait(pause):
                    return None
        try:
            return job.look()
        except AnsibleConnectionFailure as error:
            raise AnsibleConnectionFailure(
                f"{str(error).rstrip('. ')}. {self._task.action} may still run there; it ends by itself,"
                f" after {self._limit} s at most."
            ) from None

    def _shape(self, text: str, started: dict[str, t.Any]) -> dict[str, t.Any]:
        """The result as a module's that ran in the foreground."""
        data = self._parse_returned_data({"stdout": text, "stderr": "", "rc": 0}, *self._profile)
        if data.get("failed") and "data" in data and "cmd" in data:  # what it printed is no result
            printed = {"stdout": str(data["data"]), "stderr": str(data.get("stderr", "")), "rc": 1}
            data = self._parse_returned_data(printed, *self._profile)
        remove_internal_keys(data)
        data.pop("ansible_job_id", None)
        if not self._task.args.get("progress_file"):
            data.get("invocation", {}).get("module_args", {}).pop("progress_file", None)
        for name in ("warnings", "deprecations"):
            if started.get(name):
                data[name] = [*started[name], *data.get(name, [])]
        if started.get("ansible_facts"):
            data["ansible_facts"] = {**started["ansible_facts"], **data.get("ansible_facts", {})}
        return data

    def _line(self, text: str) -> None:
        if self._task.no_log:
            return
        host = str(self._variables.get("inventory_hostname", "localhost"))
        if self._task.delegate_to and self._task.delegate_to != host:
            host = f"{host} -> {self._task.delegate_to}"
        self._display.display(f"[{host}] {self._task.action}: {text}")


def _failed(reason: str, message: str) -> dict[str, t.Any]:
    return {"failed": True, "changed": False, "msg": message, "reason": reason}


def _name() -> str:
    return f"progress-{secrets.token_hex(8)}.json"
