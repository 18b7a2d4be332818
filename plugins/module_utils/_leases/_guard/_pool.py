# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pool's key may do: raise a TE's fence for a new lease, end a lease, look."""

from __future__ import annotations

import os
import select
import typing as t

from . import _files, _image, _keys, _running, _state
from ._configuration import Configuration
from ._wire import Command, RefusedError

_KEY_SECONDS, _KEY_MOST = 30.0, 8192


def stdin_key(descriptor: int) -> str:
    """The lease's public key, from a client that may be slow or never end."""
    data = b""
    while len(data) <= _KEY_MOST:
        if not select.select([descriptor], [], [], _KEY_SECONDS)[0]:
            break
        part = os.read(descriptor, _KEY_MOST)
        if not part:
            return _keys.public_key(data.decode("ascii", "replace"))
        data += part
    raise RefusedError(
        "bad_key", "The lease's public key is read from standard input: one line, then its end."
    )


def write_keys(configuration: Configuration) -> bool:
    """Let sshd know every key that the states know; whether that was new."""
    path = configuration.authorized_keys
    with _files.locked(configuration.keys_lock):
        text = lines(configuration)
        if _files.read_text(path, 64 << 20) == text:
            return False
        _files.make_folder(os.path.dirname(path))
        _files.write_atomic(path, text)
        _files.sweep(os.path.dirname(path))
        return True


def lines(configuration: Configuration) -> str:
    """The contents of authorized_keys. A damaged state has no keys; it does not take the others' away."""
    leases: dict[str, list[tuple[str, int, str]]] = {}
    for te, settings in sorted(configuration.tes.items()):
        try:
            known = _state.read(configuration.states, te).known()
        except RefusedError:
            continue
        for fence, key in known:
            leases.setdefault(key, []).append((settings["pool"], fence, te))
    return _keys.authorized_keys(configuration.command, configuration.pools, leases)


def raise_fence(configuration: Configuration, command: Command, key: str) -> dict[str, t.Any]:
    """Make a lease the current one: nobody else's operations are under way when this returns."""
    te, fence, ttl = command.arguments["te"], command.number("fence"), command.number("ttl")
    if any(key in keys for keys in configuration.pools.values()):
        raise RefusedError("bad_key", "That is a pool's key. Make one for the lease.")
    with _files.locked(configuration.lock(te)):
        state = _state.read(configuration.states, te).raised(fence, ttl, key, configuration.clock)
        stopped = _change(configuration, state, fence - 1)
    return {"te": te, "fence": fence, "seconds": ttl, "stopped": stopped}


def end(configuration: Configuration, command: Command) -> dict[str, t.Any]:
    """Make a lease's key worthless. The end of a lease that is over already changes nothing."""
    te, fence = command.arguments["te"], command.number("fence")
    with _files.locked(configuration.lock(te)):
        state = _state.read(configuration.states, te).ended(fence)
        stopped = _change(configuration, state, fence)
    return {"te": te, "fence": state.fence, "stopped": stopped}


def _change(configuration: Configuration, state: _state.State, older: int) -> int:
    """First the state, which is what decides; then sshd's keys; then what still runs."""
    _state.write(configuration.states, state)
    _files.sweep(configuration.states)
    write_keys(configuration)
    patience = configuration.power_timeout + 5
    stopped = _running.stop(configuration.running(state.te), older, patience)
    for disk in configuration.tes.get(state.te, {}).get("disks", {}).values():
        _image.sweep(disk["path"], older)
    return stopped


def status(configuration: Configuration, pool: str, te: str | None) -> dict[str, t.Any]:
    """The fences of the pool's TEs, or of one of them."""
    names = [te] if te else sorted(name for name, one in configuration.tes.items() if one["pool"] == pool)
    tes = {}
    for name in names:
        state = _state.read(configuration.states, name)
        tes[name] = {"fence": state.fence, "seconds": round(state.seconds(configuration.clock), 3)}
    return {"tes": tes}


def rewrite(configuration: Configuration) -> dict[str, t.Any]:
    """After the configuration changed: TEs that it has no more lose their keys, and what they run ends."""
    configuration.make_folders()
    removed = sorted(set(os.listdir(configuration.states)) - set(configuration.tes))
    for te in removed:
        if te.startswith("."):
            continue
        with _files.locked(configuration.lock(te)):
            state = _state.read(configuration.states, te)
            if state.known():
                # Its fence stays: a TE that comes back never repeats one.
                _change(configuration, _state.State(te, state.fence), state.fence)
    return {"changed": write_keys(configuration)}
