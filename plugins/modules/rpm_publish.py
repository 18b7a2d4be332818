#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish packages to an rpm repository on this host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rpm_publish
short_description: Publish packages to a signed rpm repository
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Publishes C(.rpm) files to a repository with a signed repomd.xml and metadata files named by their digest.
  - A reader of repomd.xml and the files that it names never meets a mixture. Replaced files stay for some
    publishes and some time.
  - Adding a package costs its own hash and a small part of the lists, however many packages there are.
  - The packages themselves are expected to be signed when they are built.
  - A package that is there with the same contents is skipped. One with the same name, version and
    architecture but other contents is refused, and the repository stays as it was.
  - A killed run leaves the old state or the new one; the next run finishes or cleans up.
requirements:
  - gnupg on the host
  - createrepo_c with its bindings for the host's Python (C(python3-createrepo-c) on Debian)
  - dnf 4 on the host, for O(verify=client)
options:
  group:
    description:
      - A file with groups of packages (comps.xml), which is published beside the lists.
      - When it is left out, it stays as it is; an empty string removes it.
    type: path
  updateinfo:
    description:
      - A file with advisories (updateinfo.xml), which is published beside the lists.
      - When it is left out, it stays as it is; an empty string removes it.
    type: path
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.publish
seealso:
  - module: distrogate.ci.apt_publish
"""

EXAMPLES = r"""
- name: Publish a change's packages, with those of the change ahead shown through
  distrogate.ci.rpm_publish:
    root: /srv/repositories/4711
    packages:
      - /srv/incoming/nova-30.0.0-1.noarch.rpm
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
  distrogate.ci.rpm_publish:
    root: /srv/repositories/release
    packages:
      - /srv/incoming/nova-30.0.0-1.noarch.rpm
    signing_key: 0123456789ABCDEF0123456789ABCDEF01234567
    state: prepared
    transaction: promote-2026-11-21

- name: Publish what was prepared
  distrogate.ci.rpm_publish:
    root: /srv/repositories/release
    state: committed
    transaction: promote-2026-11-21

- name: Publish what the real client accepts, and keep the state under a name
  distrogate.ci.rpm_publish:
    root: /srv/repositories/release
    packages:
      - /srv/incoming/nova-30.0.0-1.noarch.rpm
    verify: client
    keep_versions: 3
    snapshot: 2026-11-21
    keep_snapshots: 10
    keep_snapshots_seconds: 2592000  # the newest ten, and all of the last 30 days

- name: Go back to the packages of a kept state
  distrogate.ci.rpm_publish:
    root: /srv/repositories/release
    restore: 2026-11-21
    transaction: roll-back-2026-11-22

- name: Remove a version
  distrogate.ci.rpm_publish:
    root: /srv/repositories/release
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
      description: Its version, as [epoch:]version-release.
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
repomd_sha256:
  description: The sha256 of repomd.xml. Not known in check mode when something would change.
  returned: success
  type: str
state_digest:
  description: Identifies the state by its packages, and those of its layers, with their digests.
  returned: success
  type: str
  sample: sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
sources:
  description: A text for C(/etc/yum.repos.d/).
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
from ansible_collections.distrogate.ci.plugins.module_utils._packages._alias import point
from ansible_collections.distrogate.ci.plugins.module_utils._packages._publish import Publisher
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rpm import Rpm
from ansible_collections.distrogate.ci.plugins.module_utils._packages._spec import COMMON_SPEC, REQUIRED_IF


def main() -> None:
    """Run the module."""
    spec = {**COMMON_SPEC, "group": {"type": "path"}, "updateinfo": {"type": "path"}}
    with module_call(spec, required_if=REQUIRED_IF) as call:
        call.result = Publisher(call, Rpm(call.params), "repomd_sha256").run()
        point(call)


if __name__ == "__main__":
    main()
