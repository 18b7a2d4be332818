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
  - Verifies a bundle, its artifacts and its signed statements, publishes its artifacts to the targets on
    their hosts, all or none, and points the channel at it. Nothing is ever built again.
  - What is against a promotion is said all at once, in RV(refused).
  - With O(state=rolled_back), points the channel at a bundle that it had before, and has the targets restore
    what they had then.
  - A promotion that was killed is completed by the next call for the same channel when it had begun to
    publish, and undone when it had not. RV(recovered) says so, also when what was asked for is refused then.
  - One promotion to a channel runs at a time. Another waits, and says for whom.
requirements:
  - securesystemslib[crypto], on the controller
  - jsonschema and PyYAML, on the controller
options:
  bundle:
    description:
      - The digest of the bundle. The store says where it lies.
      - With O(state=rolled_back), the bundle to go back to, which must be in the channel's history. The
        default is the one that the channel had before.
    type: str
  run_dir:
    description: The run directory of the bundle, on the task's host, instead of its digest.
    type: path
  state:
    description:
      - V(promoted) publishes the bundle and points the channel at it.
      - V(rolled_back) points the channel at an earlier bundle of its own. Repositories of packages publish
        again exactly the packages that they had; files, images and charts get the channel's name again; git
        tags stay, as all versions do. The channel gets the version that the bundle had.
      - For a roll back, holds and verdicts count, but not whether the bundle is newer. The bundle's run
        directory must be there, or O(archive) must have the bundle. Its files are not needed again.
      - Targets that are left out of O(targets) are taken from the channel's history.
    type: str
    choices: [promoted, rolled_back]
    default: promoted
  version:
    description:
      - Which number the promotion takes. V(major) is the next C(N.0.0) of the O(series), V(minor) the next
        C(N.M.0) of its newest N. V(none) takes none; git targets, whose tags are named by versions, are left
        out then.
      - A number is taken when the promotion begins, and never given out again, also when it fails.
    type: str
    choices: [major, minor, none]
    default: major
  series:
    description:
      - The series that the version is of, such as a release of the distribution. Each counts by itself.
      - A version of V(main) is the channel C(4.0.0), one of any other series is the channel C(SERIES/4.0.0).
    type: str
    default: main
  immutable:
    description:
      - Declares that the channel, and the tags of its name, stay with this bundle for ever. Later
        promotions of another bundle to it are refused, whatever they say.
      - It can be declared of a channel that has the bundle already.
    type: bool
    default: false
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
    description:
      - What must hold for a bundle to be promoted to this channel, as a mapping, or as the path on the
        controller of a YAML or JSON file that holds it. C(docs/schemas/policy.schema.json) says what it may
        have.
      - C(verdicts) lists the stages whose last verdict on exactly this bundle must be PASSED.
      - Whatever a policy says, each artifact of the type C(image) needs the verdict of C(image_boot_test)
        that it booted, by its digest (rule C(not_booted)); of a build's C(tar) that of a disk of the same key
        is enough. Nobody can waive that.
      - C(signers) lists who is trusted. Each is the path on the controller of a public key in PEM form, or
        the id of a key that has sealed a bundle of this store. The public key of O(signing_key) is the
        default.
      - C(waiver_signers) lists who may waive a rule, the signers by default, and C(waivable) which rules.
      - C(minimum_age) is the seconds since it was sealed. C(newer_than_channel) asks that it was sealed after
        the bundle that the channel has. C(no_holds), which is the default, that no hold on it is open.
      - A file needs C(version), which is 1.
    type: raw
    default: {}
  targets:
    description:
      - Where artifacts are published. All are prepared side by side, and only then committed. Images,
        charts and git tags come first, then packages, then files, and last the channel itself.
      - A target is named once. One for which the bundle has no artifacts is left out, unless it is a
        repository of packages.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: The inventory name of the target's host.
        type: str
        required: true
      plugin:
        description:
          - The module that publishes, M(distrogate.ci.apt_publish), M(distrogate.ci.rpm_publish),
            C(oci_publish), C(file_publish), C(glance_publish) or C(git_publish).
        type: str
        required: true
      artifact_types:
        description: The types of the artifacts that go there, such as V(deb).
        type: list
        elements: str
        required: true
      artifact_names:
        description:
          - Patterns of the names of the artifacts that go there, such as V(appliance.*), where a bundle has
            several of one type, such as images.
          - Without it, all of O(targets[].artifact_types) do.
        type: list
        elements: str
      arguments:
        description:
          - The module's options, without those that promotion sets, such as C(packages), C(artifacts),
            C(channel), C(version), C(state) and C(transaction).
          - They are kept in the store, and in the history of the channel, so they may hold no secrets.
          - For V(apt_publish) and V(rpm_publish), C(snapshot) is V(now) unless it is said. A roll back
            restores these snapshots. When C(keep_snapshots) removes them, it has nothing to go back to.
        type: dict
        required: true
      from_environment:
        description:
          - Options of the module whose values are secrets, each with the name of the controller's environment
            variable that has it, such as C(password) with V(REGISTRY_PASSWORD).
          - The names are kept, the values are not. Whoever finishes a killed promotion needs them too.
        type: dict
      incoming:
        description:
          - The folder on that host in which artifacts arrive. The default is C(incoming) beside the root.
          - It is not used when the bundle lies on the same machine.
        type: path
      attach:
        description:
          - For C(oci_publish), attach the statements about the bundle, with that of this promotion, to the
            images and charts in the registry. It is done after the channel has moved, so a registry that
            does not take them bars nothing; the next call tries once more.
          - What is said of the bundle later is attached by its next promotion.
        type: bool
        default: true
  timeout:
    description: Seconds to wait for another promotion, and for another writer of a repository.
    type: float
    default: 600.0
attributes:
  check_mode:
    details: >-
      RV(version) is not predicted, and the targets are not asked. A refused promotion does not fail
      in check mode.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
  - distrogate.ci.store
  - distrogate.ci.archive
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

- name: Point a channel of images at it without a version, by a policy in a file
  distrogate.ci.bundle_promote:
    bundle: "{{ sealed.digest }}"
    channel: candidate
    version: none
    signing_key: /etc/distrogate/release.pem
    policy: /etc/distrogate/candidate.yml
    archive: /var/lib/distrogate/archive
    targets:
      - host: registry.example.org
        plugin: oci_publish
        artifact_types: [oci_image, helm_chart]
        arguments:
          registry: https://registry.example.org
          auth_file: /etc/distrogate/registry.json

- name: Go back to what the channel had before
  distrogate.ci.bundle_promote:
    channel: stable
    state: rolled_back
    signing_key: /etc/distrogate/release.pem
    policy: /etc/distrogate/stable.yml
"""

RETURN = r"""
version:
  description: >-
    The version of this promotion; after a roll back, the one that the bundle had. None with
    O(version=none), and in check mode.
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
waived:
  description: Reasons that do not count, because a signed waiver says so, as in RV(refused).
  type: list
  elements: dict
  returned: always
  contains:
    rule:
      description: The rule that is waived.
      type: str
    message:
      description: What is wrong.
      type: str
    author:
      description: Who waived it.
      type: str
    reason:
      description: Why.
      type: str
    expires:
      description: Until when.
      type: str
recovered:
  description: The promotion that another call had left open, which this one ended first.
  type: dict
  returned: when there was one
  contains:
    bundle:
      description: The digest of its bundle.
      type: str
    ended:
      description: V(completed) when it had begun to publish, V(undone) when it had not.
      type: str
    version:
      description: Its version.
      type: str
    at:
      description: When it began.
      type: str
    by:
      description: Who began it.
      type: str
taken:
  description:
    - The names of artifacts that the run took from where they are published, as
      RV(distrogate.ci.disk_image#module:from) says. A promotion does not publish them again, since they may
      have been replaced there meanwhile; a roll back does.
    - A bundle that has nothing else is not promoted. The call succeeds, nothing changes, and C(msg) says so.
  type: list
  elements: str
  returned: when there are some
targets:
  description: What each target's module returned, with its C(host) and C(plugin).
  type: list
  elements: dict
  returned: success
reason:
  description: >-
    A word for why it failed, such as V(promotion_refused), V(promotion_incomplete), V(promotion_lost),
    V(lock_timeout), V(unknown_bundle), V(bad_policy), V(tag_taken), V(channel_immutable), V(not_in_history),
    V(no_previous), V(no_earlier_state).
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
