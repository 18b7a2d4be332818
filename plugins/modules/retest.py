#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: retest
short_description: Have open changes tested again
version_added: 0.1.0
description:
  - Has each change tested again in each way of O(retest_with), such as a Jenkins job, and returns one
    outcome for
    each. What cannot be triggered does not stop the others, and does not fail the task.
  - Remembers in the store what was triggered for O(merged). A second call triggers only what is missing,
    and so does
    a call for a new patch set.
  - Works on the controller.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.store
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
options:
  changes:
    description: The changes, as M(distrogate.ci.gerrit_changes_info) returns them.
    type: list
    elements: dict
    required: true
  merged:
    description: What they are tested again for, which is the commit that was merged, or any other word.
    type: str
    required: true
  retest_with:
    description: The ways in which each is tested again.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description:
          - V(jenkins) starts the job O(retest_with[].job) with the parameters that the Gerrit Trigger gives.
          - V(zuul) enqueues the change in O(retest_with[].pipeline) of O(retest_with[].tenant).
          - V(gerrit) writes O(retest_with[].comment) to the change, on which a trigger acts.
          - V(check) does nothing here. The role P(distrogate.ci.retest#role) runs the pipeline check for it.
        type: str
        choices: [check, gerrit, jenkins, zuul]
        required: true
      name:
        description: What this way is called in outcomes. The default is its kind.
        type: str
      url:
        description: The server's address. A secret is sent over https, or to this machine itself.
        type: str
      user:
        description: The user to log in as, at Jenkins and Gerrit.
        type: str
      password:
        description: Its password for HTTP, or its API token.
        type: str
      password_file:
        description: A file on the controller that holds it.
        type: path
      token:
        description: Zuul's bearer token.
        type: str
      token_file:
        description: A file on the controller that holds it.
        type: path
      ca_path:
        description: A file with the certificates to trust, instead of the system's.
        type: path
      job:
        description: The job in Jenkins, with its folders, as in V(folder/job).
        type: str
      parameters:
        description: More parameters for it.
        type: dict
      crumb:
        description: >-
          Whether Jenkins is asked for a crumb first, which is needed with a password, not with
          an API token.
        type: bool
        default: false
      tenant:
        description: The tenant in Zuul.
        type: str
      pipeline:
        description: The pipeline in Zuul.
        type: str
        default: check
      comment:
        description: What is written to the change in Gerrit.
        type: str
        default: recheck
  state:
    description:
      - V(triggered) triggers what is missing.
      - V(done) only remembers that it was done.
    type: str
    choices: [triggered, done]
    default: triggered
  timeout:
    description: How long one trigger may take, in seconds.
    type: int
    default: 60
"""

EXAMPLES = r"""
---
- name: Test again what is open
  distrogate.ci.retest:
    store: sqlite:///var/lib/distrogate/store.db
    changes: "{{ open.changes }}"
    merged: "{{ lookup('env', 'GERRIT_NEWREV') }}"
    retest_with:
      - kind: jenkins
        url: https://jenkins.example.org/
        user: ci
        password_file: /etc/distrogate/jenkins-token
        job: distrogate-check
"""

RETURN = r"""
---
outcomes:
  description: One for each change and way.
  returned: success
  type: list
  elements: dict
  contains:
    change:
      description: The change and its patch set.
      type: str
    with:
      description: The way.
      type: str
    outcome:
      description: >-
        V(triggered), V(would be triggered), V(skipped), V(failed), V(to check), or V(done).
      type: str
    msg:
      description: What the server said, or why not.
      type: str
    reason:
      description: The same as one word, if it failed.
      type: str
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest import retest_options


def main() -> None:
    """Refuse to run on a host."""
    controller_only(retest_options())


if __name__ == "__main__":
    main()
