# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option by which plugins find the store."""

from __future__ import annotations


class ModuleDocFragment:
    """``distrogate.ci.store``: the option ``store``."""

    DOCUMENTATION = r"""
options:
  store:
    description:
      - Where leases, queues, channels, journals and pins are kept.
      - V(sqlite:///path/of/a/file) is the embedded store, for the processes of one machine. The file is made
        when it is missing. It is refused on a network file system, and when another machine made it.
      - V(etcd://host:port,host:port,host:port/namespace) is an etcd 3.4 or newer, for the processes of many
        machines. All keys are put below the namespace, C(distrogate) when there is none. What follows a
        question mark, as name=value joined by C(&), are C(ca) (a file; switches on TLS), C(cert) and C(key)
        (files of a client certificate), C(password_file), and C(timeout), the seconds that a call may take
        (10). A user is written before the hosts, as C(user@host); the password is read from C(password_file),
        or from the environment variable E(DISTROGATE_STORE_PASSWORD) of the controller, and is refused in the
        address.
      - If not set, the environment variable E(DISTROGATE_STORE) of the controller is used; one of both is
        needed.
    type: str
"""
