#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: replay
short_description: Read what a run worked on, and compare it with this site
version_added: 0.1.0
description:
  - Reads C(run.json) of a run that is to be done again, and says which of its inputs are gone here,
    or differ. The role P(distrogate.ci.replay#role) uses it; the playbook C(distrogate.ci.replay) then does
    the run.
  - >-
    Whoever made the log bundle may be a stranger. Nothing is unpacked, no text of it is a template, nothing
    is fetched from an address that it names, and what it says of paths, hosts, stores and keys is not used.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
options:
  run:
    description:
      - A run directory, an unpacked report, or a log bundle C(report.tar.gz).
      - It is looked for on the controller, then on this host.
    type: path
    required: true
  state:
    description:
      - V(read) returns what a pipeline needs to do the run again.
      - V(compared) also says what differs, and fails unless that is accepted.
    type: str
    choices: [read, compared]
    default: compared
  projects:
    description: The projects of this site's profile. What is fetched is fetched from their C(url).
    type: dict
    default: {}
  pipelines:
    description: The pipelines of this site's profile. A stage that is in none of them is not run.
    type: dict
    default: {}
  cache:
    description: The folder in which fetched repositories are kept. Needed with O(state=compared).
    type: path
  rootfs:
    description: The folder of this host's root filesystems.
    type: path
  repositories:
    description: >-
      The states of this site's test repositories of the changes ahead, as M(distrogate.ci.repository_info)
      returns them.
    type: dict
    default: {}
  accept_drift:
    description: Whether to go on when inputs differ. An input that is gone always fails.
    type: bool
    default: false
  frozen:
    description: What the action plugin has read already.
    type: dict
"""

EXAMPLES = r"""
---
- name: Say what is not as it was
  distrogate.ci.replay:
    run: report.tar.gz
    projects: "{{ distrogate_projects }}"
    pipelines: "{{ distrogate_pipelines }}"
    cache: "{{ distrogate_root }}/git"
    rootfs: "{{ distrogate_rootfs }}"
    accept_drift: true
"""

RETURN = r"""
---
run:
  description: >-
    What to do again, as C(id), C(pipeline), C(profile), C(queue), C(projects), C(stages), C(base_commits),
    C(fetch_from) and C(ahead), the keys of the changes ahead.
  returned: success
  type: dict
variables_file:
  description: A file on the controller with the variables that decided what was done.
  returned: with O(state=read)
  type: str
drift:
  description: Every input that is gone or differs.
  returned: with O(state=compared)
  type: list
  elements: dict
  contains:
    input:
      description: The section of C(run.json), and the name in it.
      type: str
    frozen:
      description: What it was.
      type: raw
    here:
      description: What it is.
      type: raw
    kind:
      description: V(gone) or V(differs).
      type: str
    hint:
      description: What to do.
      type: str
reason:
  description: V(drift), V(bad_report), V(bad_run), V(no_run) or V(not_found).
  returned: failure
  type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._runs._inputs import checked
from ansible_collections.distrogate.ci.plugins.module_utils._runs._replay_options import REPLAY_OPTIONS
from ansible_collections.distrogate.ci.plugins.module_utils._runs._source import read_frozen
from ansible_collections.distrogate.ci.plugins.module_utils._sources._freeze import images, tools
from ansible_collections.distrogate.ci.plugins.module_utils._sources._resolve import bring_all


def main() -> None:
    """The builder's part: run.json when it lies here, commits, images and tools."""
    with module_call(REPLAY_OPTIONS, required_if=[("state", "compared", ["cache"])]) as call:
        params = call.params
        frozen = checked(params["frozen"] or read_frozen(params["run"]))
        call.result["frozen"] = frozen
        if params["state"] == "read":
            return
        addresses = {name: project["url"] for name, project in params["projects"].items()}
        call.result["here"] = {"tools": tools(), "images": images(params["rootfs"])}
        known = {name: project for name, project in frozen["projects"].items() if name in addresses}
        gone = bring_all({**frozen, "projects": known}, params["cache"], addresses, not call.check_mode)
        call.result["gone"] = [list(each) for each in gone]


if __name__ == "__main__":
    main()
