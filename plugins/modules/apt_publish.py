#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish packages to an apt repository on this host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: apt_publish
short_description: Publish packages to a signed apt repository
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Publishes C(.deb), C(.udeb), C(.ddeb) and C(.dsc) files to an apt repository with signed Release files and
    C(by-hash) indexes.
  - A reader of InRelease and C(by-hash) never meets a mixture. Replaced files stay for some publishes and
    some time.
  - Adding a package costs its own hash and a small part of the index, however many packages there are.
  - A package that is there with the same contents is skipped. One with the same name, version and
    architecture but other contents is refused, and the repository stays as it was.
  - A killed run leaves the old state or the new one; the next run finishes or cleans up.
requirements:
  - gnupg on the host
  - zstd on the host, for packages whose control archive is compressed with it
  - apt on the host, for O(verify=client)
options:
  suite:
    description:
      - The suite, such as the codename of the operating system.
      - One that ends in a slash, such as V(./), makes a flat repository, whose indexes lie beside its
        InRelease.
    type: str
    required: true
  component:
    description: The component that packages are published to, or removed from.
    type: str
    default: main
  architectures:
    description:
      - Architectures for which there is an index, even an empty one. Those of the packages are added to them.
      - When it is left out, it stays as it is, and is V(amd64) for a new suite.
    type: list
    elements: str
  origin:
    description: The Origin in the Release file. When it is left out, it stays as it is, as does O(label).
    type: str
  valid_for:
    description:
      - Seconds for which clients take a Release file. V(0) means that it never expires.
      - A call that changes nothing else signs anew when half of that time is over.
      - When it is left out, it stays as it is, and is V(0) for a new suite.
    type: int
  contents:
    description:
      - Whether there are Contents indexes, which say in which package a file is. When they are asked for
        the first time, all packages of the suite are read for that.
      - When it is left out, it stays as it is, and is V(false) for a new suite.
    type: bool
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.publish
seealso:
  - module: distrogate.ci.rpm_publish
"""

EXAMPLES = r"""
- name: Publish a change's packages, with those of the change ahead shown through
  distrogate.ci.apt_publish:
    root: /srv/repositories/4711
    suite: bookworm
    packages:
      - /srv/incoming/nova_30.0.0-1_all.deb
    layers:
      - name: "4710"
        root: /srv/repositories/4710
    signing_key: 0123456789ABCDEF0123456789ABCDEF01234567
    gnupg_home: /var/lib/distrogate/gnupg
    url: https://packages.example.org/4711
  register: published

- name: Show what a client needs
  ansible.builtin.debug:
    var: published.sources

- name: Prepare a release, to be published together with others
  distrogate.ci.apt_publish:
    root: /srv/repositories/release
    suite: bookworm
    packages:
      - /srv/incoming/nova_30.0.0-1_all.deb
    signing_key: 0123456789ABCDEF0123456789ABCDEF01234567
    state: prepared
    transaction: promote-2026-11-21

- name: Publish what was prepared
  distrogate.ci.apt_publish:
    root: /srv/repositories/release
    suite: bookworm
    state: committed
    transaction: promote-2026-11-21

- name: Publish what the real client accepts, and keep the state under a name
  distrogate.ci.apt_publish:
    root: /srv/repositories/release
    suite: bookworm
    packages:
      - /srv/incoming/nova_30.0.0-1_all.deb
    verify: client
    keep_versions: 3
    snapshot: 2026-11-21
    keep_snapshots: 10
    keep_snapshots_seconds: 2592000  # the newest ten, and all of the last 30 days

- name: Go back to the packages of a kept state
  distrogate.ci.apt_publish:
    root: /srv/repositories/release
    suite: bookworm
    restore: 2026-11-21
    transaction: roll-back-2026-11-22

- name: Remove a version
  distrogate.ci.apt_publish:
    root: /srv/repositories/release
    suite: bookworm
    packages:
      - nova=30.0.0-1
    state: absent
"""

RETURN = r"""
added:
  description: Packages that were, or in check mode would be, added.
  returned: success
  type: list
  elements: dict
  contains: &package
    name:
      description: The package's name.
      type: str
      returned: success
    version:
      description: Its version.
      type: str
      returned: success
    architecture:
      description: Its architecture.
      type: str
      returned: success
    sha256:
      description: The digest of its file.
      type: str
      returned: success
removed:
  description: Packages that were, or would be, removed.
  returned: success
  type: list
  elements: dict
  contains: *package
unchanged:
  description:
    - Packages that were there already.
      Use RV(added) to decide what comes next.
  returned: success
  type: list
  elements: dict
  contains: *package
packages:
  description: All packages of the state, with those of its layers, sorted.
  returned: with O(list_packages)
  type: list
  elements: dict
  contains:
    name:
      description: The package's name.
      type: str
      returned: success
    package_version:
      description: Its version.
      type: str
      returned: success
    architecture:
      description: Its architecture.
      type: str
      returned: success
    sha256:
      description: The digest of its file.
      type: str
      returned: success
layers:
  description: What is shown from each layer.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The layer's name.
      type: str
      returned: success
    root:
      description: Its root.
      type: str
      returned: success
    packages:
      description: Its packages that are shown, as C(NAME=VERSION/ARCHITECTURE).
      type: list
      elements: str
      returned: success
snapshot_sources:
  description: As RV(sources), for the address of O(snapshot); empty when none is asked for.
  returned: success
  type: str
snapshots:
  description: The snapshots that are there after it, the newest first.
  returned: success
  type: list
  elements: dict
  contains: &snapshot
    name:
      description: The snapshot's name.
      type: str
      returned: success
    date:
      description: When it was made, in UTC.
      type: str
      returned: success
      sample: "2026-11-21T12:00:00Z"
    state_digest:
      description: Identifies the packages in it, as RV(state_digest) does.
      type: str
      returned: success
removed_snapshots:
  description: Snapshots that were, or would be, removed; see O(keep_snapshots).
  returned: success
  type: list
  elements: dict
  contains: *snapshot
serial:
  description: Rises by one with each publish. After O(state=prepared) the one that the commit will give.
  returned: success
  type: int
  sample: 42
release_sha256:
  description: The sha256 of InRelease. Not known in check mode when something would change.
  returned: success
  type: str
state_digest:
  description: Identifies the state by its packages, and those of its layers, with their digests.
  returned: success
  type: str
  sample: sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
sources:
  description: A deb822 text for C(/etc/apt/sources.list.d/), with the key in it.
  returned: success
  type: str
key:
  description: The armored public key, which is in C(key.asc) too.
  returned: success
  type: str
reason:
  description:
    - Why it failed, for a machine to read. Among them are V(bad_package), V(content_conflict),
      V(downgrade), V(digest_mismatch), V(package_changed), V(not_in_bundle), V(bundle_required),
      V(no_signing_key), V(key_change), V(bad_layer), V(snapshot_exists), V(unknown_snapshot),
      V(package_gone), V(bad_restore), V(client_refused), V(no_space), V(lock_timeout), V(reserved),
      V(unknown_transaction), V(transaction_used) and V(not_latest).
  returned: failure
  type: str
  sample: content_conflict
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._packages._apt_publish import (
    apt_publish_options,
    publish_apt,
)


def main() -> None:
    """Run the module."""
    with module_call(**apt_publish_options()) as call:
        publish_apt(call)


if __name__ == "__main__":
    main()
