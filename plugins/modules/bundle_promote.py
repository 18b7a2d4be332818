#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points a channel at a bundle."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_promote
short_description: Point a channel at a bundle, and publish exactly its artifacts
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Verifies a bundle, its artifacts and its signed statements, publishes its artifacts to the release
    repositories on their hosts, all or none, and points the channel at it. Nothing is ever built again.
  - What is against a promotion is said all at once, in RV(refused).
  - A promotion that was killed is completed by the next call for the same channel when it had begun to
    publish, and undone when it had not.
  - One promotion to a channel runs at a time. Another waits, and says for whom.
requirements:
  - securesystemslib[crypto], on the controller
options:
  bundle:
    description: The digest of the bundle. The store says where it lies.
    type: str
  run_dir:
    description: The run directory of the bundle, on the task's host, instead of its digest.
    type: path
  channel:
    description:
      - The channel, such as V(latest), V(candidate), V(stable). It is made when it is missing.
      - Versions such as V(4.0.0) are given out by promotion, and never given out twice.
    type: str
    required: true
  signing_key:
    description:
      - The path on the controller of a private key, Ed25519 or ECDSA, in PEM form and without a passphrase.
      - It never leaves the controller.
    type: path
  signing_key_env:
    description: >-
      The name of an environment variable of the controller that holds such a key, instead of a file.
    type: str
  policy:
    description: What must hold for a bundle to be promoted to this channel.
    type: dict
    default: {}
    suboptions:
      verdicts:
        description: The stages whose last verdict on exactly this bundle must be PASSED.
        type: list
        elements: str
        default: []
      signers:
        description:
          - Who is trusted. Each is the path on the controller of a public key in PEM form, or the id of a
            key that has sealed a bundle of this store.
          - The public key of O(signing_key) is the default.
        type: list
        elements: str
  targets:
    description:
      - The release repositories. All are prepared, then all are committed.
      - A repository is named once.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The inventory name of the repository's host.
        type: str
        required: true
      plugin:
        description: The module that publishes, M(distrogate.ci.apt_publish) or M(distrogate.ci.rpm_publish).
        type: str
        required: true
      artifact_types:
        description: The types of the artifacts that go there, such as V(deb).
        type: list
        elements: str
        required: true
      arguments:
        description:
          - The module's options, without C(packages), C(digests), C(state) and C(transaction).
          - They are kept in the store until the promotion has ended, so they hold no secrets.
        type: dict
        required: true
      incoming:
        description:
          - The folder on that host in which artifacts arrive. The default is C(incoming) beside the root.
          - It is not used when the bundle lies on the same machine.
        type: path
  timeout:
    description: Seconds to wait for another promotion, and for another writer of a repository.
    type: float
    default: 600.0
attributes:
  check_mode:
    details: >-
      RV(version) is not predicted, and the repositories are not asked. A refused promotion does not fail
      in check mode.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
  - distrogate.ci.store
seealso:
  - module: distrogate.ci.bundle
  - module: distrogate.ci.apt_publish
  - module: distrogate.ci.rpm_publish
"""

EXAMPLES = r"""
- name: Promote what the gate tested
  distrogate.ci.bundle_promote:
    bundle: "{{ sealed.digest }}"
    channel: latest
    signing_key: /etc/distrogate/release.pem
    policy:
      verdicts: [install_test, system_test]
      signers: [/etc/distrogate/ci.pub]
    targets:
      - host: packages.example.org
        plugin: apt_publish
        artifact_types: [deb]
        arguments:
          root: /srv/release/debian
          suite: bookworm
"""

RETURN = r"""
version:
  description: The version of this promotion.
  type: str
  returned: success
  sample: 4.0.0
channel:
  description: The channel.
  type: str
  returned: success
bundle:
  description: The bundle's digest.
  type: str
  returned: success
from:
  description: The digest of the bundle that the channel pointed to before.
  type: str
  returned: success
refused:
  description: Every reason against the promotion.
  type: list
  elements: dict
  returned: always
  contains:
    rule:
      description: A word for the rule that is broken.
      type: str
    message:
      description: What is wrong.
      type: str
    satisfy:
      description: What would satisfy the rule.
      type: str
targets:
  description: What each repository's module returned, with its C(host) and C(plugin).
  type: list
  elements: dict
  returned: success
reason:
  description: >-
    A word for why it failed, such as V(promotion_refused), V(promotion_incomplete), V(promotion_lost),
    V(lock_timeout), V(unknown_bundle).
  type: str
  returned: failure
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import bundle_promote_options
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only


def main() -> None:
    """Say that the action plugin of the same name does the work."""
    controller_only(bundle_promote_options())


if __name__ == "__main__":
    main()
