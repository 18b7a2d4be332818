# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the logs of a test machine into the run directory."""

from __future__ import annotations

import contextlib
import signal
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._runs._options import service_logs_options
from ansible_collections.distrogate.ci.plugins.module_utils._runs._service_logs import place
from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import Hosts
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import is_near

_MODULE = "distrogate.ci.service_logs"
_CONNECTING = 30  # seconds beyond what the machine has
_CLOCKS = 30  # seconds that the builder's clock and the controller's may differ
_ASKED = ("files", "journal", "results", "file_bytes", "total_bytes", "timeout")
_KEPT = ("run_dir", "stage", "host", "junit", "total_bytes")


class _TooLateError(BaseException):
    """Passes what catches ordinary exceptions."""


class ActionModule(ControllerAction, ActionBase):
    """From the machine through the controller's memory to the builder; nothing is written on the way."""

    _requires_connection = True
    options: t.ClassVar[dict[str, t.Any]] = service_logs_options()

    def perform(self, call: ActionCall) -> None:
        """Never fail for the machine's sake: the test's own failure matters more."""
        params = call.params
        if not params["run_dir"] or not params["host"]:
            raise DistrogateError("bad_options", "run_dir and host must be given.")
        call.result.update(logs=[], results=[], left_out=[], problem="")
        if call.check_mode:
            return
        received = None
        try:
            received = self._collected(call)
        except (DistrogateError, AnsibleError, OSError, _TooLateError) as error:
            self._say(call, error)
        given = {name: params[name] for name in _KEPT}
        for tried in ({**given, "received": received}, given):
            try:
                self._place(call, tried)
                return
            except (DistrogateError, AnsibleError, OSError) as error:
                self._say(call, error)

    def _place(self, call: ActionCall, given: dict[str, t.Any]) -> None:
        if is_near(self):
            placed = self._placed_here(call, given)
        else:
            with Hosts(self, call.variables) as hosts:
                placed = hosts.run(hosts.own, _MODULE, given)
        call.difference.add("files", [], [*placed["logs"], *placed["results"]])
        call.result.update({name: placed[name] for name in ("logs", "results", "left_out")})

    def _placed_here(self, call: ActionCall, given: dict[str, t.Any]) -> dict[str, t.Any]:
        """As the module would: nothing that the machine sent may end this action."""
        inner = ActionCall({**call.params, **given}, False, call.variables, call.progress)
        try:
            place(inner)
        except (DistrogateError, OSError):
            raise
        except Exception as error:
            raise DistrogateError("bad_logs", f"What came from {given['host']} breaks: {error!r}") from error
        return inner.result

    def _collected(self, call: ActionCall) -> str:
        params = call.params
        asked = {name: params[name] for name in _ASKED}
        ago = max(0.0, time.time() - params["since"]) + _CLOCKS if params["since"] else time.time()
        with _limited(params["timeout"] + _CONNECTING), Hosts(self, call.variables) as hosts:
            answer = hosts.run(params["host"], _MODULE, {**asked, "since": ago})
        return str(answer.get("packed", ""))

    def _say(self, call: ActionCall, error: BaseException) -> None:
        """In one line, whatever the machine said."""
        late = f"it took longer than {call.params['timeout'] + _CONNECTING} seconds."
        why = late if isinstance(error, _TooLateError) else str(error)
        line = " ".join(why.split())[:500]
        call.result["problem"] = f"The logs of {call.params['host']} are missing: {line}"
        call.progress(call.result["problem"])


@contextlib.contextmanager
def _limited(seconds: float) -> t.Iterator[None]:
    """End by an exception, once the time is over (an action runs in its process's main thread)."""

    def late(*_signal: t.Any) -> None:
        raise _TooLateError

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
