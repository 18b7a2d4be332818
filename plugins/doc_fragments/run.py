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

    # distrogate.ci.run.stage: for modules that are a stage by themselves; see _core/_stage.STAGE_OPTIONS.
    STAGE = r"""
options:
  reads:
    description:
      - The stages whose results this one reads. Each must have succeeded in this run.
      - V(*) stands for all stages of the pipeline before this one that have succeeded.
      - A stage whose code, settings and inputs are those of an earlier success is not run again, and its
        result says so.
    type: list
    elements: str
    default: []
  adds:
    description: The types of artifacts that it adds. Others are an error. Without it any may come.
    type: list
    elements: str
  force:
    description: Run it also when an earlier success has the same inputs.
    type: bool
    default: false
  shared:
    description:
      - A folder on this host in which runs find each other's results. Without it only those of the same run
        directory are taken.
    type: path
  code:
    description:
      - A digest of the code that runs. Its action plugin gives it. Without it no earlier result is taken.
    type: str
    default: ''
  controller:
    description:
      - The process that runs the playbook. Its action plugin gives it. The stage ends when it is gone.
    type: dict
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
