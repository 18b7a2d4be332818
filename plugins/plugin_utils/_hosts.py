# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules and files on several inventory hosts, from one action plugin.

A promotion spans the builder and the repository hosts, and one journal drives
it; so one action must reach them all, each with its own connection, become
method and Python interpreter, as tasks on these hosts would.
"""

from __future__ import annotations

import os
import tempfile
import threading
import typing as t

from ansible import constants
from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.executor.task_executor import TaskExecutor
from ansible.template import Templar

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.plugin_utils._module_action import execute

UNKNOWN_HOST = "unknown_host"
Variables = t.Mapping[str, t.Any]
# What Ansible does to connect, and to build a module, is not made for threads: Python before 3.11.5 fails
# when two threads parse source text at once. Transfers and the modules themselves run side by side.
_ALONE = threading.RLock()


class _Connector(TaskExecutor):
    """The part of Ansible's executor that makes a connection, for a host that is not the task's own."""

    def __init__(self, action: t.Any, task: t.Any, play_context: t.Any) -> None:
        # The base class's own constructor differs between releases; these are what connecting reads.
        self._task = task
        self._loader = action._loader
        self._shared_loader_obj = action._shared_loader_obj
        self._play_context = play_context
        self._connection = None
        self._new_stdin = None

    def connect(self, variables: dict[str, t.Any], templar: Templar) -> t.Any:
        """A connection with all its options set (it opens when it is first used)."""
        name = variables.get("ansible_connection")
        transport = self._task.connection if name is None else templar.template(name)
        if transport == "smart":
            transport = "ssh"
        executor: t.Any = self
        self._connection = executor._get_connection(variables, templar, transport)
        executor._set_connection_options(variables, templar)
        return self._connection


def build_alone(handler: t.Any) -> None:
    """Let a handler build its modules while no other does."""
    build = handler._configure_module

    def locked(*arguments: t.Any, **options: t.Any) -> t.Any:
        with _ALONE:
            return build(*arguments, **options)

    handler._configure_module = locked


class Hosts:
    """Runs modules on inventory hosts, and moves files between them, for one action plugin."""

    def __init__(self, action: t.Any, variables: Variables, lane: bool = False) -> None:
        self._action = action
        self._variables = variables
        self.own = str(action._task.delegate_to or variables.get("inventory_hostname", "localhost"))
        self._handlers: dict[str, tuple[t.Any, Variables]] = {} if lane else {self.own: (action, variables)}
        self._lanes: dict[int, Hosts] = {}
        if not lane:
            build_alone(action)

    def __enter__(self) -> Hosts:
        return self

    def __exit__(self, *exc: object) -> None:
        for lane in self._lanes.values():
            lane.__exit__(*exc)
        for handler, _variables in self._handlers.values():
            if handler is not self._action:  # Ansible closes the task's own connection
                handler.cleanup(force=True)
                handler._connection.close()

    def lane(self, number: int) -> Hosts:
        """The same hosts by connections of their own, for a thread beside others; number 0 is this one."""
        if number == 0:
            return self
        if number not in self._lanes:
            self._lanes[number] = Hosts(self._action, self._variables, lane=True)
        return self._lanes[number]

    def _handler(self, host: str) -> tuple[t.Any, Variables]:
        if host not in self._handlers:
            with _ALONE:
                self._handlers[host] = self._connect(host)
                build_alone(self._handlers[host][0])
        return self._handlers[host]

    def _connect(self, host: str) -> tuple[t.Any, Variables]:
        action = self._action
        hostvars = self._variables.get("hostvars", {})
        if host not in hostvars and host not in constants.LOCALHOST:
            raise DistrogateError(
                UNKNOWN_HOST, f"{host} is not in the inventory. Add it, with how to connect to it."
            )
        # The task's own host has variables of the task, too, which nobody else knows.
        itself = host == self.own and not action._task.delegate_to
        variables = dict(self._variables if itself else hostvars.raw_get(host))
        templar = Templar(loader=action._loader, variables=variables)
        task = action._task.copy()
        task.delegate_to = None
        task.delegate_facts = None
        try:
            context = action._play_context.copy()
            context.remote_addr = templar.template(variables.get("ansible_host", host))
            context = context.set_task_and_variable_override(task=task, variables=variables, templar=templar)
            connection = _Connector(action, task, context).connect(variables, templar)
        except AnsibleError as error:
            raise DistrogateError(
                "unreachable", f"No connection to {host} can be made: {error}", host=host
            ) from error
        handler = action._shared_loader_obj.action_loader.get(
            "ansible.legacy.normal",
            task=task,
            connection=connection,
            play_context=context,
            loader=action._loader,
            templar=templar,
            shared_loader_obj=action._shared_loader_obj,
        )
        # What it finds out about a host (the interpreter) it writes into these variables.
        variables.setdefault("ansible_facts", {})
        variables.setdefault("ansible_delegated_vars", {})
        return handler, variables

    def run(self, host: str, module: str, arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        """Run a module on a host; its failure becomes an error with the module's reason."""
        handler, variables = self._handler(host)
        try:
            result = execute(handler, module, dict(arguments), variables)
        except AnsibleConnectionFailure as error:
            raise DistrogateError("unreachable", f"{host} cannot be reached: {error}", host=host) from error
        if result.get("failed"):
            details = {
                name: value
                for name, value in result.items()
                if name not in ("msg", "reason", "failed", "changed", "host")
                and not name.startswith(("_", "ansible_"))
            }
            message = str(result.get("msg", "the module failed without a message"))
            if "reason" not in result:
                # Not one of our own errors: say where it happened, and what the module printed.
                message = f"{module} failed on {host}: {message} {result.get('module_stderr', '')}".strip()
            raise DistrogateError(
                str(result.get("reason", "host_failed")), message, **{**details, "host": host}
            )
        return result

    def check(self, host: str) -> None:
        """Refuse a host that is not in the inventory, or whose connection cannot be set up."""
        self._handler(host)

    def same_machine(self, one: str, other: str) -> bool:
        """Whether a path on ``one`` names the same file on ``other``."""
        if one == other:
            return True
        return _address(self._handler(one)[0]._connection) == _address(self._handler(other)[0]._connection)

    def copy(self, source: str, path: str, sha256: str, target: str) -> str:
        """Bring a file from one host to another, through the controller; returns its temporary path there.

        The bytes are checked on the controller; whoever uses the file checks it again.
        """
        fetcher = self._handler(source)[0]
        name = os.path.basename(path)
        local_folder = str(vars(constants)["DEFAULT_LOCAL_TMP"])  # get_config_value would make another one
        with tempfile.TemporaryDirectory(dir=local_folder) as folder:
            local = path
            if fetcher._connection.transport != "local":
                local = os.path.join(folder, "file")
                try:
                    fetcher._connection.fetch_file(path, local)
                except AnsibleError as error:
                    raise DistrogateError(
                        "fetch_failed", f"{path} cannot be fetched from {source}: {error}", host=source
                    ) from error
            if sha256_file(local) != sha256:
                raise DistrogateError(
                    "digest_mismatch",
                    f"{path} on {source} does not have the sha256 {sha256} any more.",
                    host=source,
                )
            return self._send(target, local, f"{sha256[:16]}-{name}")

    def _send(self, host: str, local: str, name: str) -> str:
        handler = self._handler(host)[0]
        shell = handler._connection._shell
        try:
            if shell.tmpdir is None:
                handler._make_tmp_path()
            remote: str = shell.join_path(shell.tmpdir, name)
            handler._transfer_file(local, remote)
            handler._fixup_perms2((shell.tmpdir, remote))
        except AnsibleError as error:
            raise DistrogateError(
                "send_failed", f"{name} cannot be sent to {host}: {error}", host=host
            ) from error
        return remote


def _address(connection: t.Any) -> tuple[str, ...]:
    """Where a connection leads; all local ones lead to the controller."""
    if connection.transport == "local":
        return ("local",)
    found = [connection.transport]
    for option in ("host", "remote_addr", "port"):
        try:
            found.append(str(connection.get_option(option)))
        except KeyError:
            continue
    if len(found) == 1:  # nothing to compare by: only itself is the same
        found.append(str(id(connection)))
    return tuple(found)
