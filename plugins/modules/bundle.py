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
  - An artifact is a file of the run directory, an image or a chart in a registry (types V(oci_image) and
    V(helm_chart)), a V(git_commit), or the state of a repository as the list of its packages (V(apt_state),
    V(rpm_state)). Each says which stage made it, and of which project, commit and change, where it is known.
  - Signs an in-toto statement for the verdict of every stage, and one of SLSA provenance. Verdicts, of
    success and of failure, are statements about the digest; they do not change it, and they can be added
    long after sealing. So can waivers and holds, which the policy of a promotion reads.
  - The task's host is the one with the run directory. Keys and signatures stay on the controller.
  - Every file must be the one that its stage recorded. A run directory is sealed once. Sealing it again
    adds what is missing, such as the verdict of a stage that was run since. Other artifacts are refused.
requirements:
  - securesystemslib[crypto], on the controller
options:
  run_dir:
    description:
      - The run directory, on the task's host. It is needed to seal.
    type: path
  bundle:
    description:
      - The digest of the bundle. Another one in the run directory is refused.
      - With O(state=stated) and without O(run_dir), the store says where it lies.
    type: str
  state:
    description:
      - V(sealed) means that the bundle is written, signed and registered.
      - V(stated) means that what O(add) says is said of a bundle that is sealed already. Nothing else is
        signed, so who may waive need not vouch for what was built. No artifact is read.
    type: str
    choices: [sealed, stated]
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
    description:
      - Statements to add, which came from outside of the run.
      - What this key said before, and nobody spoke of since, is not said again.
    type: list
    elements: dict
    default: []
    suboptions:
      predicate_type:
        description:
          - What kind of statement it is. V(verdict) is the result of a test, with O(add[].name) and
            O(add[].result).
          - V(waiver) lets a promotion pass one rule of its policy, with O(add[].rule), O(add[].author),
            O(add[].reason) and O(add[].expires). It counts for this bundle alone, until it expires.
          - V(hold) keeps the bundle from being promoted until a V(hold_release) of the same O(add[].name).
            Both need O(add[].author) and O(add[].reason).
        type: str
        choices: [verdict, waiver, hold, hold_release]
        required: true
      name:
        description: >-
          What was tested, as a policy names it, or the name of the hold. A verdict of a stage's name replaces
          that stage's one.
        type: str
      result:
        description: What came out of a test.
        type: str
        choices: [PASSED, FAILED]
      rule:
        description: The rule that is waived, as RV(distrogate.ci.bundle_promote#module:refused) names it.
        type: str
        choices: [holds, minimum_age, newer_than_channel, verdicts]
      stage:
        description: The only verdict that is waived. Without it all are.
        type: str
      hold:
        description: The only hold that is waived. Without it all are.
        type: str
      author:
        description: The person who waives, holds or releases.
        type: str
      reason:
        description: Why, for those who read about it later.
        type: str
      expires:
        description: When a waiver ends, in UTC, such as V(2026-12-31T12:00:00Z).
        type: str
      url:
        description: Where to read about it.
        type: str
      explanation:
        description: A sentence about a verdict.
        type: str
attributes:
  check_mode:
    details: The result of signing is not predicted, only which files would be added.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
  - distrogate.ci.store
  - distrogate.ci.archive
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

- name: Waive one verdict for one bundle, until the lab is repaired
  distrogate.ci.bundle:
    bundle: "{{ sealed.digest }}"
    state: stated
    signing_key: /etc/distrogate/release-manager.pem
    add:
      - predicate_type: waiver
        rule: verdicts
        stage: system_test
        author: Ada Example
        reason: The lab has no power until Monday; the same change passed yesterday.
        expires: "2026-12-31T12:00:00Z"

- name: Hold a bundle back
  distrogate.ci.bundle:
    bundle: "{{ sealed.digest }}"
    state: stated
    signing_key: /etc/distrogate/release-manager.pem
    add:
      - predicate_type: hold
        name: data-loss
        author: Ada Example
        reason: It may lose data on upgrades, see the report of this morning.
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
archived:
  description: The files that were added to the bundle's folder in the archive.
  type: list
  elements: str
  returned: with O(archive)
reason:
  description: A word for why it failed, such as V(artifact_changed), V(bad_artifact), V(bundle_sealed),
    V(not_sealed), V(other_bundle), V(bad_key).
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
