#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Promote images and Helm charts within a registry."""

from __future__ import annotations

DOCUMENTATION = r"""
module: oci_publish
short_description: Promote container images and Helm charts within a registry
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Gives images, multi-arch indexes and Helm charts that lie in a registry the tags of a channel and of a
    version. The bytes of a manifest stay the same, and so does its digest.
  - Layers are never moved within a registry. In the same repository only a tag is written; in another one
    the registry is asked to mount the blobs.
  - It is a transaction. O(state=prepared) brings all contents by digest and shows no reader anything,
    O(state=committed) moves the tags, O(state=undone) takes back what either did.
  - A killed run is finished, or undone, by the next call with the same O(transaction). The journal for that
    is in O(state_folder), so all calls of a transaction run on one host.
  - Tags of versions never move to another digest. The tag of a channel does, unless O(immutable).
  - Works with what registries and anybody on the way send as with a stranger's; the size of an answer, the
    time and the number of manifests have limits.
options:
  registry:
    description: The registry to promote in, as C(https://HOST:PORT). Plain http is for loopback only.
    type: str
    required: true
  repository:
    description:
      - The repository to promote to. C({repository}) stands for the one that an artifact is in,
        C({basename}) for the last part of it, C({name}) for the artifact's name.
      - The default promotes within each artifact's own repository.
    type: str
    default: "{repository}"
  artifacts:
    description:
      - What to promote, as bundles list it. Each has C(type), V(oci_image) or V(helm_chart), C(name),
        C(sha256) (of the manifest, without a prefix), C(media_type), C(registry) and C(repository).
      - One that has C(manifest), too, the manifest itself as lines of base64, spares a request for it.
      - Required when O(state) is V(published), V(prepared) or V(attached).
    type: list
    elements: dict
    default: []
  channel:
    description: The channel's name, for O(tags).
    type: str
  version:
    description: The version that the promotion gave out, for O(tags). Leave it out when it gave none.
    type: str
  tags:
    description:
      - The tags to give, with C({channel}) and C({version}) in them. One without a value is left out.
      - A tag with C({channel}) and without C({version}) may move to another digest, all others never do.
    type: list
    elements: str
    default: ["{channel}", "{version}"]
  immutable:
    description: The channel's tag may not move to another digest, either.
    type: bool
    default: false
  copy:
    description:
      - Take artifacts of other registries too. Their layers pass through this host then, which is refused
        otherwise.
    type: bool
    default: false
  attach:
    description:
      - DSSE envelopes to attach to each artifact as OCI artifacts with a C(subject), where the referrers of
        an image are looked for. A registry without that API gets the fallback tag C(sha256-DIGEST).
      - Signatures are not verified here. O(state=published) does not take them.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of its file.
        type: str
        required: true
      envelope:
        description: Its text, or what that says.
        type: json
        required: true
  username:
    description: A user of O(registry). It is sent to no other registry.
    type: str
  password:
    description: The password, or an access token, for O(username).
    type: str
  auth_file:
    description:
      - A file with credentials as C(docker login) and C(skopeo login) write it, readable by its owner alone.
        Each is sent to its own registry only. Credential helpers are not called.
    type: path
  token_hosts:
    description:
      - Further hosts to which passwords may be sent for a token, when the registry asks for that. Its own
        host is one of them always.
    type: list
    elements: str
    default: []
  ca_path:
    description: A file with the certificates of the authorities to trust, in place of the system's.
    type: path
  state:
    description:
      - V(published) prepares and commits in one call.
      - V(prepared) checks that every manifest and blob is there with the right digest, brings them to the
        repositories that they go to, and refuses tags that may not move.
      - V(committed) attaches O(attach), and gives the tags, first those of the version. When it fails, the
        tags go back.
      - V(undone) forgets what was prepared, or gives the tags back what they had. What was brought by digest
        stays in the registry until it collects garbage.
      - V(attached) attaches O(attach) to artifacts that were promoted before, and moves no tag.
    type: str
    choices: [published, prepared, committed, undone, attached]
    required: true
  transaction:
    description: Name of the transaction. Required when O(state) is V(prepared), V(committed) or V(undone).
    type: str
  state_folder:
    description: Folder on this host for the journal. It is made when it is missing.
    type: path
    default: /var/lib/distrogate/oci_publish
  threads:
    description: How many requests are under way at one time.
    type: int
    default: 8
  retries:
    description:
      - How often a request is sent again when the connection broke or the registry had a fault (429, 500,
        502, 503, 504), after 0.2, 0.4, 0.8, … seconds.
    type: int
    default: 5
  timeout:
    description: Seconds after which it gives up.
    type: int
    default: 600
extends_documentation_fragment:
  - distrogate.ci.attributes
notes:
  - Undoing a commit removes tags that were not there before. A registry that deletes by digest only must
    allow that; no other tag of the digest is lost.
seealso:
  - module: distrogate.ci.bundle_promote
"""

EXAMPLES = r"""
- name: Promote a chart where nothing else takes part
  distrogate.ci.oci_publish:
    registry: https://registry.example.org
    repository: charts/{basename}
    artifacts: "{{ bundle.artifacts | selectattr('type', 'eq', 'helm_chart') }}"
    channel: stable
    auth_file: /etc/distrogate/registry.json
    state: published

- name: Check the images, and mount them in the release repositories
  distrogate.ci.oci_publish:
    registry: https://registry.example.org
    repository: release/{basename}
    artifacts:
      - type: oci_image
        name: nova-api
        sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
        media_type: application/vnd.oci.image.manifest.v1+json
        registry: https://registry.example.org
        repository: build/nova-api
    channel: stable
    version: 30.0.0
    auth_file: /etc/distrogate/registry.json
    state: prepared
    transaction: promote-2026-11-21

- name: Move the tags
  distrogate.ci.oci_publish:
    registry: https://registry.example.org
    repository: release/{basename}
    auth_file: /etc/distrogate/registry.json
    state: committed
    transaction: promote-2026-11-21

- name: Attach a verdict that came later
  distrogate.ci.oci_publish:
    registry: https://registry.example.org
    repository: release/{basename}
    artifacts: "{{ bundle.artifacts | selectattr('type', 'eq', 'oci_image') }}"
    attach:
      - name: stage-nightly.json
        envelope: "{{ lookup('ansible.builtin.file', 'statements/stage-nightly.json') }}"
    auth_file: /etc/distrogate/registry.json
    state: attached
"""

RETURN = r"""
published:
  description: The artifacts; empty when the transaction is undone.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The artifact's name.
      type: str
    digest:
      description: The digest of its manifest.
      type: str
    address:
      description: Where it is, with the digest.
      type: str
      sample: registry.example.org/release/nova-api@sha256:2c26…
    tags:
      description: The tags that it has, or will have after the commit.
      type: list
      elements: str
      sample: [registry.example.org/release/nova-api:stable]
previous:
  description: What each tag had before, with a C(digest) of none for one that was not there.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The tag.
      type: str
    digest:
      description: What it had.
      type: str
state_digest:
  description: Identifies the tags of this transaction with their digests.
  returned: success
  type: str
left:
  description: Tags that were not given back, because somebody else has moved them since.
  returned: success
  type: list
  elements: str
reason:
  description:
    - Why it failed, for a machine to read. Among them are V(digest_mismatch), V(blob_missing),
      V(manifest_missing), V(bad_manifest), V(bad_artifact), V(bad_name), V(tag_taken), V(tag_conflict),
      V(other_registry), V(mount_refused), V(registry_failed), V(unknown_transaction),
      V(transaction_used) and V(lock_timeout).
    - Where it is about one digest, C(digest) names it; C(status) is what the registry answered.
  returned: failure
  type: str
  sample: blob_missing
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_publish import perform
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_request import (
    REQUIRED_IF,
    REQUIRED_TOGETHER,
    SPEC,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call


def main() -> None:
    """Run the module."""
    with module_call(SPEC, required_if=REQUIRED_IF, required_together=REQUIRED_TOGETHER) as call:
        call.result = perform(call.params, call.check_mode, call.difference)


if __name__ == "__main__":
    main()
