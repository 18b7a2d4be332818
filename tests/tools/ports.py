# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket

# Below those that the kernel gives to whoever asks for any: a test beside this one may get them meanwhile.
_FIRST, _LAST = 12000, 32000


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on now."""
    found: list[int] = []
    for port in random.SystemRandom().sample(range(_FIRST, _LAST), _LAST - _FIRST):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"there are not {count} free ports from {_FIRST} to {_LAST}")


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    [port] = free_ports(1)
    return port
