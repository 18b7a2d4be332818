# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes that the plugins of this collection share."""

from __future__ import annotations


class ModuleDocFragment:
    """``distrogate.ci.attributes``: the base, ``.action`` for action plugins, ``.actiongroup_ci``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    support: full
    description: Changes nothing in check mode, and predicts the same result.
  diff_mode:
    support: full
    description: Returns what it changed, or would change, when run with C(--diff).
  idempotent:
    support: full
    description: A second run with the same options changes nothing.
  platform:
    support: full
    platforms: posix
    description: The systems on which it runs.
"""

    ACTION = r"""
options: {}
attributes:
  action:
    support: full
    description: An action plugin does its work, or a part of it, on the controller.
"""

    ACTIONGROUP_CI = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/distrogate.ci.ci) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - distrogate.ci.ci
"""
