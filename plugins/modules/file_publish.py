#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish files on this host under channels and versions."""

from __future__ import annotations

DOCUMENTATION = r"""
module: file_publish
short_description: Publish sets of files, such as images, under channels and versions
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Files that belong together are one set. It lies in C(ROOT/NAME/DIGEST) with a C(SHA256SUMS), and never
    changes; C(DIGEST) is the sha256 of that C(SHA256SUMS), or what O(key) says.
  - A channel is a link C(ROOT/NAME/CHANNEL) to a set, moved in one step. C(ROOT/NAME/CHANNEL.previous) is the
    set that it pointed to before. A version is a link that never points to another set.
  - A set that is there with the right contents is not brought again, so that a roll back needs no files.
  - A killed run leaves the old state or the new one; the next run finishes or cleans up.
  - M(distrogate.ci.bundle_promote) drives it as a target of a promotion.
options:
  root:
    description: The folder on this host in which each name has a folder. It is made when it is missing.
    type: path
    required: true
  name:
    description: What the files are, such as V(cloud-image).
    type: str
    required: true
  artifacts:
    description:
      - The files of the set, as they stand in a bundle, with O(state=present) and O(state=prepared).
      - Each has a C(name), a C(sha256), and may have a C(size) in bytes and a C(path), where it lies in
        O(incoming). The default of C(path) is C(SHA256/NAME). Other keys are not looked at.
    type: list
    elements: dict
    default: []
  incoming:
    description:
      - The folder that the files come from. Only plain files are taken; a link in C(path) is refused.
      - They are cloned where the file system can, else copied, and the copy is compared with its digest.
    type: path
  channel:
    description: The channel that points to the set afterwards. This or O(version) is needed.
    type: str
  version:
    description: A version that names the set from then on. One that names another set is refused.
    type: str
  key:
    description:
      - What the files were made by, such as an image's key, as C(sha256:) and 64 digits. The set's folder has
        these digits as its name then, and so the set is found by who knows the key.
      - The default is the C(key) that all of O(artifacts) carry. Without one, or when they differ, it is the
        digest of the set. Other files under a key that is taken are refused.
    type: str
  signing_key:
    description:
      - The fingerprint of the OpenPGP key that signs C(SHA256SUMS) into C(SHA256SUMS.asc), which
        C(gpg --verify SHA256SUMS.asc SHA256SUMS) checks. Without it, nothing is signed.
      - A set that is there gets its signature when it has none, when it is damaged, or when the key is
        another one now.
    type: str
  gnupg_home:
    description: The GnuPG home with the secret key. The default is the one of the user that runs the module.
    type: path
  url:
    description: Where clients find O(root), for the addresses that are returned. The default is C(file://).
    type: str
  keep:
    description:
      - For how many further publishes a set stays that no channel, no V(.previous) and no version names, and
        that is not in O(pinned).
    type: int
    default: 5
  keep_seconds:
    description: It stays at least so many seconds, for slow readers, whatever O(keep) says.
    type: int
    default: 900
  keep_versions:
    description:
      - How many versions stay, the newest ones; V(0) keeps all. The link of an older one is removed, and its
        set is kept only as long as O(keep) says. It never names another set all the same.
    type: int
    default: 0
  pinned:
    description: The digests of sets, or of files in them, that stay as long as they are named here.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) publishes the files.
      - V(prepared) brings and checks them under the id O(transaction), and reserves the name.
      - V(committed) publishes what was prepared. V(undone) drops it; when it is published already and nothing
        was published since, the channel points again to what it had. A version's link is removed then, but
        that version stays taken.
    type: str
    choices: [present, prepared, committed, undone]
    default: present
  transaction:
    description:
      - The id of the transaction, for V(prepared), V(committed) and V(undone).
      - With O(state=present) it is optional, and allows for V(undone) later.
    type: str
  ttl:
    description: Seconds for which a prepared transaction reserves the name. After that it is dropped.
    type: int
    default: 3600
  timeout:
    description: Seconds to wait for another writer, or for a prepared transaction. The error says who it is.
    type: int
    default: 600
extends_documentation_fragment:
  - distrogate.ci.attributes
seealso:
  - module: distrogate.ci.bundle_promote
  - module: distrogate.ci.git_publish
"""

EXAMPLES = r"""
- name: Publish an image as the latest one
  distrogate.ci.file_publish:
    root: /srv/files
    name: cloud-image
    incoming: /srv/incoming/4711
    artifacts:
      - name: cloud.qcow2
        sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
        path: cloud.qcow2
    channel: latest
    version: 4.0.0
    url: https://files.example.org
  register: published

- name: Publish an image under its key, with signed checksums
  distrogate.ci.file_publish:
    root: /srv/files
    name: appliance
    incoming: "{{ built.image }}"
    artifacts: "{{ built.files }}"
    key: "{{ built.key }}"
    channel: latest
    signing_key: 0123456789ABCDEF0123456789ABCDEF01234567
    gnupg_home: /var/lib/distrogate/gnupg

- name: Prepare what a promotion publishes together with others
  distrogate.ci.file_publish:
    root: /srv/files
    name: cloud-image
    incoming: /srv/incoming/4711
    artifacts: "{{ files }}"
    channel: stable
    state: prepared
    transaction: promote-2026-11-21

- name: Publish what was prepared
  distrogate.ci.file_publish:
    root: /srv/files
    name: cloud-image
    channel: stable
    state: committed
    transaction: promote-2026-11-21
"""

RETURN = r"""
published:
  description: The files of the set.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The file's name.
      type: str
      returned: success
    digest:
      description: Its digest.
      type: str
      returned: success
    address:
      description: Where it is found, by O(version) when one is given, else by the set's digest.
      type: str
      returned: success
links:
  description: Every link that is there after it, with its address.
  returned: success
  type: dict
  sample: {"latest": "https://files.example.org/cloud-image/latest"}
state_digest:
  description: Identifies the set by the names and digests of its files, or by O(key).
  returned: success
  type: str
  sample: sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
previous:
  description: The set that O(channel) had before, null when it had none.
  returned: success
  type: str
removed:
  description: Sets that were, or would be, removed; see O(keep).
  returned: success
  type: list
  elements: str
reason:
  description:
    - Why it failed, for a machine to read. Among them are V(bad_artifact), V(artifact_conflict),
      V(artifact_missing), V(digest_mismatch), V(tag_taken), V(key_taken), V(no_signing_key), V(bad_name),
      V(in_the_way), V(no_space), V(lock_timeout), V(reserved), V(unknown_transaction), V(transaction_used),
      V(set_gone) and V(not_latest).
  returned: failure
  type: str
  sample: digest_mismatch
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._adapter import REQUIRED_IF
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_publish import (
    FILE_SPEC,
    FilePublisher,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call


def main() -> None:
    """Run the module."""
    with module_call(FILE_SPEC, required_if=REQUIRED_IF) as call:
        call.result = FilePublisher(call).run()


if __name__ == "__main__":
    main()
