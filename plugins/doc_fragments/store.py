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
      - If not set, the environment variable E(DISTROGATE_STORE) of the controller is used; one of both is
        needed.
    type: str
"""
