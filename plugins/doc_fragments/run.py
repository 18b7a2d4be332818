# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that plugins which work on a run directory share."""

from __future__ import annotations


class ModuleDocFragment:
    """``distrogate.ci.run``: the run directory and the stage's name."""

    DOCUMENTATION = r"""
options:
  run_dir:
    description: The run directory, on this host.
    type: path
    required: true
"""

    SANDBOX = r"""
options:
  rootfs:
    description:
      - The root filesystem to work in, as returned by M(distrogate.ci.root_filesystem).
      - It is never changed; each run gets an overlay of its own, which is removed afterwards.
    type: path
    required: true
  scratch:
    description: A folder for the overlay. The default is C(scratch) in the run directory.
    type: path
  timeout:
    description: How long one command may take, in seconds.
    type: int
    default: 3600
"""
