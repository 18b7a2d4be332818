#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Seals a run's artifacts as a bundle."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle
short_description: Seal the artifacts of a run as a bundle
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Writes C(bundle.json) into a run directory. It lists the artifacts of all successful stages and the
    inputs that they came from, and its digest covers these and nothing else.
  - Signs an in-toto statement for the verdict of every stage, and one of SLSA provenance. Verdicts, of
    success and of failure, are statements about the digest; they do not change it, and they can be added
    long after sealing.
  - The task's host is the one with the run directory. Keys and signatures stay on the controller.
  - Every artifact must be the file that its stage recorded. A run directory is sealed once. Sealing it again
    adds what is missing, such as the verdict of a stage that was run since. Other artifacts are refused.
requirements:
  - securesystemslib[crypto], on the controller
options:
  run_dir:
    description: The run directory, on the task's host.
    type: path
    required: true
  state:
    description: V(sealed) means that the bundle is written, signed and registered.
    type: str
    choices: [sealed]
    default: sealed
  signing_key:
    description:
      - The path on the controller of a private key, Ed25519 or ECDSA, in PEM form and without a passphrase.
      - It never leaves the controller.
    type: path
  signing_key_env:
    description: >-
      The name of an environment variable of the controller that holds such a key, instead of a file.
    type: str
  add:
    description: Statements to add, which came from outside of the run.
    type: list
    elements: dict
    default: []
    suboptions:
      predicate_type:
        description: What kind of statement it is. V(verdict) is the result of a test.
        type: str
        choices: [verdict]
        required: true
      name:
        description: >-
          What was tested, as a policy names it. A verdict of a stage's name replaces that
          stage's one.
        type: str
        required: true
      result:
        description: What came out.
        type: str
        choices: [PASSED, FAILED]
        required: true
      url:
        description: Where to read about it.
        type: str
      explanation:
        description: A sentence about it.
        type: str
attributes:
  check_mode:
    details: The result of signing is not predicted, only which files would be added.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
  - distrogate.ci.store
seealso:
  - module: distrogate.ci.bundle_info
  - module: distrogate.ci.bundle_promote
"""

EXAMPLES = r"""
- name: Seal what the run built and tested
  distrogate.ci.bundle:
    run_dir: /var/lib/distrogate/runs/42
    signing_key: /etc/distrogate/ci.pem
    store: sqlite:///var/lib/distrogate/store.db
  register: sealed

- name: Add the verdict of a test that ran elsewhere
  distrogate.ci.bundle:
    run_dir: /var/lib/distrogate/runs/42
    signing_key: /etc/distrogate/ci.pem
    add:
      - predicate_type: verdict
        name: endurance
        result: PASSED
        url: https://tests.example.org/endurance/7
"""

RETURN = r"""
digest:
  description: The bundle's digest.
  type: str
  returned: success
  sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
bundle:
  description: The contents of C(bundle.json), with C(artifacts), C(inputs) and C(digest).
  type: dict
  returned: success
signer:
  description: The id of the key that signed, as a policy may name it.
  type: str
  returned: success
added:
  description: The files that were added to the run directory.
  type: list
  elements: str
  returned: success
reason:
  description: A word for why it failed, such as V(artifact_changed), V(bundle_sealed), V(bad_key).
  type: str
  returned: failure
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import bundle_options
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only


def main() -> None:
    """Say that the action plugin of the same name does the work."""
    controller_only(bundle_options())


if __name__ == "__main__":
    main()
