# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets to an etcd store's endpoints, and what may be wrong with those."""

from __future__ import annotations

import socket
import ssl
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd_address import Endpoint


class BrokenError(Exception):
    """The endpoint cannot be used now; says why."""


class LateError(BrokenError):
    """Nothing came in time; a stream can be read further."""


def seconds_left(deadline: float) -> float:
    """Until the deadline; LateError when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise LateError("it did not answer in time")
    return left


def open_socket(endpoint: Endpoint, context: ssl.SSLContext | None, deadline: float) -> socket.socket:
    """A connection, with TLS when there is a context."""
    try:
        opened = _connect(endpoint, deadline)
        try:
            # A request is one write, and waits for no acknowledgement of the last.
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is None:
                return opened
            opened.settimeout(seconds_left(deadline))
            return context.wrap_socket(opened, server_hostname=endpoint.host)
        except BaseException:
            opened.close()
            raise
    except (OSError, ValueError) as error:
        raise BrokenError(said(error)) from error


def _connect(endpoint: Endpoint, deadline: float) -> socket.socket:
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _name, address) in enumerate(found, 1):
        connecting = socket.socket(family, kind, protocol)
        try:
            connecting.settimeout(seconds_left(deadline))
            connecting.connect(address)
        except OSError:
            connecting.close()
            if number == len(found):
                raise
        except LateError:
            connecting.close()
            raise
        else:
            return connecting
    raise OSError("its name has no address")


def said(error: Exception) -> str:
    """Why it failed, for a person."""
    if isinstance(error, socket.timeout):
        return "it did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
