# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lease's key may do, as long as the lease lives."""

from __future__ import annotations

import contextlib
import signal
import typing as t

from . import _files, _image, _power, _running, _state
from ._configuration import Configuration
from ._keys import LEASE_TYPE
from ._log import Log
from ._wire import CONSOLE_DEFAULT, Command, RefusedError


class Holder:
    """The one who has a lease's key: for one TE, with the fence that the key had there."""

    def __init__(self, configuration: Configuration, te: str, fence: int, key: str) -> None:
        self._configuration = configuration
        self.te, self.fence, self.key = te, fence, key
        self.settings = configuration.te(te)

    def check(self) -> _state.State:
        """The TE's state, if the lease is the current one."""
        state = _state.read(self._configuration.states, self.te)
        state.check(self.fence, self.key, self._configuration.clock)
        return state

    @contextlib.contextmanager
    def current(self) -> t.Iterator[None]:
        """While this lasts nobody can raise the fence."""
        with _files.locked(self._configuration.lock(self.te)):
            self.check()
            yield

    @contextlib.contextmanager
    def running(self, kind: str) -> t.Iterator[int]:
        """Do something under the lease; whoever raises the fence sees it, and ends it."""
        with _running.registered(self._configuration.running(self.te), self.fence, kind) as lock:
            if kind != _running.PATIENT:
                signal.signal(signal.SIGTERM, self._stopped)
            self.check()
            yield lock

    def _stopped(self, _number: int, _frame: t.Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.check()
        raise RefusedError("ended", "The operation was ended by a signal.")

    def renew(self, command: Command) -> dict[str, t.Any]:
        ttl = command.number("ttl")
        with _files.locked(self._configuration.lock(self.te)):
            state = self.check().renewed(ttl, self._configuration.clock)
            _state.write(self._configuration.states, state)
        return {"te": self.te, "fence": self.fence, "seconds": ttl}

    def status(self) -> dict[str, t.Any]:
        left = self.check().seconds(self._configuration.clock)
        return {"te": self.te, "fence": self.fence, "seconds": round(left, 3)}

    def image(self, command: Command, stdin: int) -> dict[str, t.Any]:
        name, size = command.arguments["disk"], command.number("size")
        disk = self.settings["disks"].get(name)
        if disk is None:
            raise RefusedError("unknown_disk", f"{self.te} has no disk {name}.")
        if size > disk["size"]:
            raise RefusedError(
                "image_too_large", f"The disk {name} takes images of at most {disk['size']} bytes."
            )
        with self.running("image"):
            source = _image.Stdin(stdin, self.check)
            wanted = command.arguments.get("sha256", "")
            target = _image.Target(disk["path"], self.fence)
            found = _image.write_image(target, size, wanted, source, self.current)
        return {"te": self.te, "fence": self.fence, "disk": name, "size": size, "sha256": found}

    def power(self, command: Command) -> dict[str, t.Any]:
        action = command.arguments["action"]
        argv = self.settings["power"].get(action)
        if not argv:
            raise RefusedError("no_power", f"This host has no command to {action} {self.te}.")
        with self.running(_running.PATIENT) as lock:
            said = _power.run(argv, lock, self._configuration.power_timeout)
        return {"te": self.te, "fence": self.fence, "output": said}

    def console(self, command: Command, out: int) -> int:
        path = self.settings["console"]
        if not path:
            raise RefusedError("no_console", f"This host has no console's log of {self.te}.")
        with self.running("console"):
            return _power.console(path, command.number("bytes", CONSOLE_DEFAULT), out)


def holder(configuration: Configuration, blob: str, te: str | None, log: Log) -> Holder:
    """Whose key that is. A key may hold TEs of one lease together; then the client names the one it means."""
    key = f"{LEASE_TYPE} {blob}"
    found = _tes_of(configuration, key, te)
    names = [name for name, (_fence, living) in found.items() if living] or list(found)
    if not names:
        raise RefusedError("not_your_te", "This key has no lease here, or not on that TE.")
    if len(names) > 1:
        raise RefusedError(
            "te_needed", f"This key has several TEs ({', '.join(names)}). Say which: te NAME OPERATION."
        )
    fence = found[names[0]][0]
    log.fields.update(te=names[0], fence=fence)
    return Holder(configuration, names[0], fence, key)


def _tes_of(configuration: Configuration, key: str, te: str | None) -> dict[str, tuple[int, bool]]:
    """The TEs that know a key: its newest fence there, and whether that is the current one."""
    found = {}
    for name in configuration.tes if te is None else {te} & set(configuration.tes):
        try:
            state = _state.read(configuration.states, name)
        except RefusedError:
            if te:
                raise
            continue  # another TE's damaged state is not this key's matter
        for fence, known in state.known():
            if known == key:
                found[name] = (fence, (fence, key) == (state.fence, state.key))
                break
    return found
