#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tag commits in their git repositories."""

from __future__ import annotations

DOCUMENTATION = r"""
module: git_publish
short_description: Tag exactly the commits of a bundle in their git repositories
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Pushes an annotated tag for each commit to the repository that it is from. A tag is never moved; one that
    is something else already is refused.
  - The remote must have the commit, with the tree that the bundle says. Only the tag itself is sent.
  - All remotes are looked at before the first tag is pushed. When a run is killed between two tags, the next
    run on the same O(root) pushes the others.
  - No shell, hook, credential helper, prompt or configuration is used, neither of the user nor of a
    repository. Secrets reach git by its environment.
  - M(distrogate.ci.bundle_promote) drives it as a target of a promotion.
requirements:
  - git 2.31 or newer on the host; 2.32 or newer sends nothing but the tag
options:
  root:
    description:
      - A folder on this host for what this module has to remember. It is made when it is missing. Always use
        the same one. A prepared transaction reserves it.
    type: path
    required: true
  artifacts:
    description:
      - The commits, as they stand in a bundle, with O(state=present) and O(state=prepared).
      - Each has a C(name), a C(url), a full C(commit) and its C(tree), and may have a C(subject) and a
        C(sha256). Other keys are not looked at.
    type: list
    elements: dict
    default: []
  version:
    description: The version, for C({version}) in O(tag) and O(tag_message).
    type: str
  channel:
    description: The channel, for C({channel}) in O(tag) and O(tag_message).
    type: str
  tag:
    description:
      - The name of the tag. C({version}), C({channel}) and C({name}) (the artifact's) are filled in.
      - A promotion without a version needs a name that is another one each time.
    type: str
    default: "{version}"
  tag_message:
    description:
      - The text of the tag. C({version}), C({channel}), C({name}), C({commit}), C({tree}), C({url}) and
        C({subject}) (the commit's) are filled in.
    type: str
    default: "{name} {version}"
  tagger_name:
    description: Whose name stands in the tag.
    type: str
    default: distrogate.ci
  tagger_email:
    description: Whose mail address stands in the tag.
    type: str
    default: distrogate.ci@localhost
  push_urls:
    description:
      - Where tags are pushed to, by the artifact's C(url) or C(name), where that is not C(url) itself. The
        commit is looked for there.
    type: dict
    default: {}
  protocols:
    description:
      - The protocols that addresses may have. With V(file), git runs the hooks and the configuration of that
        repository on this host as this user, so allow it for repositories of your own only.
    type: list
    elements: str
    choices: [https, ssh, http, git, file]
    default: [https, ssh]
  ssh_key:
    description: A file on this host with the private key for ssh. Without it, ssh finds its keys as usual.
    type: path
  known_hosts:
    description: A file on this host with the public keys of the servers, instead of the user's.
    type: path
  ssh_options:
    description: Further options for ssh, such as V(Port=29418) or V(StrictHostKeyChecking=yes).
    type: list
    elements: str
    default: []
  username:
    description: The user for https. The default is V(git).
    type: str
  password:
    description: The password or token for https. It is given to the remotes in O(password_urls) alone.
    type: str
  password_urls:
    description:
      - The addresses that get O(password), or what they begin with, such as V(https://git.example.org).
      - A bundle may name servers of others, which are not to see it.
    type: list
    elements: str
    default: []
  ca_file:
    description: A file on this host with the certificates that https takes, instead of the system's.
    type: path
  state:
    description:
      - V(present) checks the commits and pushes the tags.
      - V(prepared) checks them, and reserves O(root) under the id O(transaction).
      - V(committed) pushes what was prepared. V(undone) drops it; tags that this transaction pushed are
        removed again, if nothing was pushed with this O(root) since. Their names stay taken, since others may
        have fetched them.
    type: str
    choices: [present, prepared, committed, undone]
    default: present
  transaction:
    description:
      - The id of the transaction, for V(prepared), V(committed) and V(undone).
      - With O(state=present) it is optional, and allows for V(undone) later.
    type: str
  ttl:
    description: Seconds for which a prepared transaction reserves O(root). After that it is dropped.
    type: int
    default: 3600
  timeout:
    description: Seconds to wait for another writer or a prepared transaction, and for each command of git,
      which has a minute at least.
    type: int
    default: 600
extends_documentation_fragment:
  - distrogate.ci.attributes
seealso:
  - module: distrogate.ci.bundle_promote
  - module: distrogate.ci.file_publish
"""

EXAMPLES = r"""
- name: Tag what was released
  distrogate.ci.git_publish:
    root: /var/lib/distrogate/tags
    artifacts:
      - name: openstack/nova
        url: https://git.example.org/openstack/nova
        commit: 9bb3e0ee1cd39b5ab8e6f9b8f4ea1f1ab3c7e2aa
        tree: 4b825dc642cb6eb9a060e54bf8d69288fbee4904
    version: 4.0.0
    tag_message: "Release {version} of {name}"
    tagger_name: Release team
    tagger_email: release@example.org
    password: "{{ lookup('env', 'GIT_TOKEN') }}"
    password_urls: [https://git.example.org]

- name: Prepare what a promotion tags together with others, over ssh
  distrogate.ci.git_publish:
    root: /var/lib/distrogate/tags
    artifacts: "{{ commits }}"
    version: 4.0.0
    push_urls:
      https://git.example.org/openstack/nova: ssh://release@review.example.org:29418/openstack/nova
    ssh_key: /etc/distrogate/release_key
    known_hosts: /etc/distrogate/known_hosts
    state: prepared
    transaction: promote-2026-11-21

- name: Push what was prepared
  distrogate.ci.git_publish:
    root: /var/lib/distrogate/tags
    ssh_key: /etc/distrogate/release_key
    known_hosts: /etc/distrogate/known_hosts
    state: committed
    transaction: promote-2026-11-21
"""

RETURN = r"""
published:
  description: The tags, one for each commit.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The artifact's name.
      type: str
      returned: success
    digest:
      description: The artifact's digest, which covers its commit and tree.
      type: str
      returned: success
    address:
      description: The remote and the tag.
      type: str
      returned: success
      sample: https://git.example.org/openstack/nova#refs/tags/4.0.0
    tag:
      description: The tag.
      type: str
      returned: success
    commit:
      description: The commit.
      type: str
      returned: success
state_digest:
  description: Identifies the tags and their commits.
  returned: success
  type: str
  sample: sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
previous:
  description: Always null, since no tag is ever moved.
  returned: success
  type: str
reason:
  description:
    - Why it failed, for a machine to read. Among them are V(bad_artifact), V(artifact_conflict),
      V(bad_commit), V(digest_mismatch), V(tag_taken), V(bad_url), V(bad_name), V(bad_option), V(git_failed),
      V(missing_tool), V(command_timeout), V(no_space), V(lock_timeout), V(reserved), V(unknown_transaction),
      V(transaction_used) and V(not_latest).
  returned: failure
  type: str
  sample: tag_taken
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._adapter import REQUIRED_IF
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_publish import (
    GIT_SPEC,
    GitPublisher,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call


def main() -> None:
    """Run the module."""
    with module_call(GIT_SPEC, required_if=REQUIRED_IF) as call:
        call.result = GitPublisher(call).run()


if __name__ == "__main__":
    main()
