#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish an image in Glance under channels and versions."""

from __future__ import annotations

DOCUMENTATION = r"""
module: glance_publish
short_description: Publish an image in Glance under channels and versions
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Uploads an image once, verifies what Glance has by its digest, and only then lets a channel such as
    V(latest) name it. Until then it is private and hidden.
  - The image that a channel names has the property C(distrogate_channel_CHANNEL) with the value V(current),
    the one before it V(previous). The new image gets V(current) before the old one loses it, so who asks by
    that property always finds one; while names move it may be two, both verified, of which the one with the
    larger C(distrogate_serial) is the new one. A version is a tag of the image, and never moves.
  - Other properties are C(distrogate_name), C(distrogate_key), C(distrogate_sha256) and
    C(distrogate_commits). Others may give an image of theirs the same properties and share it, so readers ask
    for the owner, too.
  - Images that no channel names, or named before, are hidden, those with a version, too; those without one
    are in time removed. One that somebody uses or protects stays, and is named in RV(left); later runs try
    again.
  - One that somebody deactivated keeps its names and its time to stay, but is not published again.
  - A killed run, or a Glance that died, leaves the channel as it was, or moved. The next run removes what
    came of an upload, or goes on with one that is complete. There is never a second image with one key.
  - It runs where the files are. Files are read in blocks, so memory does not grow with them.
  - M(distrogate.ci.bundle_promote) drives it as a target of a promotion.
requirements:
  - openstacksdk 0.101 or newer, on the host
options:
  name:
    description: What the image is, such as V(appliance). Always publish one name from one host.
    type: str
    required: true
  artifacts:
    description:
      - What a bundle lists, with O(state=present) and O(state=prepared). The one of them that has
        O(disk_format) is taken, by its C(format) or else by the end of its C(name).
      - It has a C(name), a C(sha256), and may have a C(key), a C(size), C(commits) by project, and a C(path),
        where it lies in O(incoming). The default of C(path) is C(SHA256/NAME), that of C(key) the sha256.
    type: list
    elements: dict
    default: []
  incoming:
    description:
      - The folder that the file comes from. It is not needed when Glance has the image, as for a roll back.
      - Only plain files are taken; a link in C(path) is refused.
    type: path
  disk_format:
    description: Which of O(artifacts) is uploaded, and what Glance is told that it is.
    type: str
    choices: [qcow2, raw, vmdk, vhd, vhdx, vdi, iso]
    default: qcow2
  channel:
    description: The channel that names the image afterwards. This or O(version) is needed.
    type: str
  version:
    description: A version that names the image from then on, as a tag. One that names another is refused.
    type: str
  visibility:
    description: Who sees the image once it is published. V(public) needs the right for it.
    type: str
    choices: [private, shared, community, public]
    default: private
  min_disk:
    description: GiB of disk that a machine needs for it.
    type: int
    default: 0
  min_ram:
    description: MiB of memory that a machine needs for it.
    type: int
    default: 0
  properties:
    description: Further properties, such as C(hw_disk_bus) or C(os_distro).
    type: dict
    default: {}
  keep:
    description:
      - For how many further publishes an image stays, hidden, that no channel names or named before, no
        version names, and that is not in O(pinned).
    type: int
    default: 2
  keep_seconds:
    description: It stays at least so many seconds, whatever O(keep) says.
    type: int
    default: 86400
  keep_versions:
    description:
      - How many versions of this name stay, the newest ones; V(0) keeps all. An image that has one stays.
      - Glance allows an image 128 tags unless it is configured otherwise.
    type: int
    default: 10
  pinned:
    description: The keys or digests of images that stay as long as they are named here.
    type: list
    elements: str
    default: []
  cloud:
    description:
      - The name of a cloud in C(clouds.yaml), on the host. Nothing is taken from the environment.
      - This or O(auth) is needed.
    type: str
  config_file:
    description: The path of that file, where it is not one that openstacksdk finds by itself.
    type: path
  auth:
    description:
      - How to log in, as C(clouds.yaml) has it, such as C(auth_url), C(username) and C(project_name).
      - A promotion keeps its targets' options, so there secrets belong into O(cloud) or O(password).
      - What has no option here belongs into C(clouds.yaml).
    type: dict
    suboptions:
      auth_url:
        description: The address of Keystone.
        type: str
      username:
        description: The user's name.
        type: str
      user_id:
        description: The user's id.
        type: str
      user_domain_id:
        description: The id of the user's domain.
        type: str
      user_domain_name:
        description: The name of the user's domain.
        type: str
      password:
        description: The password; rather use O(password).
        type: str
      project_id:
        description: The id of the project that has the images.
        type: str
      project_name:
        description: Its name.
        type: str
      project_domain_id:
        description: The id of its domain.
        type: str
      project_domain_name:
        description: The name of its domain.
        type: str
      domain_id:
        description: The id of a domain, to act in that.
        type: str
      domain_name:
        description: The name of a domain, to act in that.
        type: str
      default_domain_id:
        description: The id of the domain of what says none.
        type: str
      default_domain_name:
        description: The name of the domain of what says none.
        type: str
      system_scope:
        description: V(all), to act in the whole system.
        type: str
      trust_id:
        description: The id of a trust.
        type: str
      token:
        description: A token.
        type: str
      application_credential_id:
        description: The id of an application credential.
        type: str
      application_credential_name:
        description: Its name.
        type: str
      application_credential_secret:
        description: Its secret; rather use O(password).
        type: str
      passcode:
        description: The one-time passcode.
        type: str
      identity_provider:
        description: The name of an identity provider.
        type: str
      protocol:
        description: The name of its protocol.
        type: str
      client_id:
        description: The id of a client at the identity provider.
        type: str
      client_secret:
        description: The secret of that client.
        type: str
      access_token:
        description: A token of the identity provider.
        type: str
      access_token_endpoint:
        description: Where the identity provider gives out tokens.
        type: str
      access_token_type:
        description: The kind of these tokens.
        type: str
      discovery_endpoint:
        description: Where the identity provider describes itself.
        type: str
      openid_scope:
        description: What is asked of it.
        type: str
      service_provider:
        description: The name of a service provider.
        type: str
  auth_type:
    description: Another way to log in than with a password, such as V(v3applicationcredential).
    type: str
  password:
    description: The password for O(auth), or the secret of an application credential.
    type: str
  region_name:
    description: The region.
    type: str
  interface:
    description: Which endpoint of Glance is used.
    type: str
    choices: [public, internal, admin]
    default: public
  validate_certs:
    description: Whether certificates are verified. Say V(false) in a lab only.
    type: bool
    default: true
  ca_cert:
    description: A file on the host with the certificates of the authorities to trust.
    type: path
  client_cert:
    description: A file on the host with a certificate of its own.
    type: path
  client_key:
    description: A file on the host with the private key for O(client_cert).
    type: path
  api_timeout:
    description: Seconds that one request may take to be answered.
    type: int
    default: 60
  state_folder:
    description:
      - A folder on this host for the lock and the transactions of each name. It is made when it is missing.
      - What is published is known from Glance alone.
    type: path
    default: /var/lib/distrogate/glance_publish
  state:
    description:
      - V(present) publishes the image.
      - V(prepared) uploads and verifies it under the id O(transaction), unseen, and reserves the name.
      - V(committed) publishes what was prepared. V(undone) removes it; when it is published already and
        nothing was published since, the channel names again what it had. That is refused when it is gone
        (C(image_lost)) or deactivated (C(image_deactivated)).
      - Where the image that was prepared is gone, or another host has published meanwhile, V(committed) drops
        it and says C(unknown_transaction), so that it may be prepared again.
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
    description: Seconds to wait for another run, or for a prepared transaction. The error says who it is.
    type: int
    default: 600
  upload_timeout:
    description: Seconds that the upload may take, with what Glance does itself before the image is active.
    type: int
    default: 7200
  progress_file:
    description: >-
      A file in which the module says where it stands while it runs. Without it, the action of the same name
      chooses one and shows it.
    type: path
attributes:
  check_mode:
    details: RV(published) has no id of an image that is not there yet.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
seealso:
  - module: distrogate.ci.bundle_promote
  - module: distrogate.ci.file_publish
"""

EXAMPLES = r"""
- name: Publish an image as the latest one
  distrogate.ci.glance_publish:
    name: appliance
    incoming: /srv/incoming/4711
    artifacts:
      - name: appliance.qcow2
        sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
        key: sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9
        path: appliance.qcow2
    channel: latest
    version: 4.0.0
    cloud: production
    properties:
      hw_disk_bus: scsi
  register: published

- name: Start a machine from the image that is latest now
  openstack.cloud.server:
    cloud: production
    name: example
    image: "{{ published.published[0].image }}"
    flavor: small

- name: Prepare what a promotion publishes together with others, with a password from the controller
  distrogate.ci.glance_publish:
    name: appliance
    incoming: /srv/incoming/4711
    artifacts: "{{ images }}"
    channel: stable
    auth:
      auth_url: https://identity.example.org/v3
      username: publisher
      project_name: images
      user_domain_id: default
      project_domain_id: default
    password: "{{ lookup('env', 'OS_PASSWORD') }}"
    region_name: R1
    state: prepared
    transaction: promote-2026-11-22
"""

RETURN = r"""
published:
  description: The image.
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
    image:
      description: The id that Glance gave it.
      type: str
      returned: success
    address:
      description: Where Glance has it.
      type: str
      returned: success
links:
  description: Every name that there is after it, with the key of the image that it names.
  returned: success
  type: dict
  sample: {"latest": "sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"}
state_digest:
  description: The key of the image.
  returned: success
  type: str
  sample: sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9
previous:
  description: The key of the image that O(channel) had before, null when it had none.
  returned: success
  type: str
removed:
  description: The keys of images that were, or would be, removed; see O(keep).
  returned: success
  type: list
  elements: str
left:
  description: The ids of images that were to be removed, and that somebody still uses or protects.
  returned: success
  type: list
  elements: str
reason:
  description:
    - Why it failed, for a machine to read. Among them are V(cloud_unreachable), V(cloud_refused),
      V(bad_cloud), V(glance_failed), V(upload_damaged), V(unverified), V(image_lost), V(image_deactivated),
      V(superseded), V(key_taken), V(tag_taken), V(artifact_missing), V(artifact_conflict),
      V(digest_mismatch), V(bad_artifact), V(bad_name), V(bad_option), V(missing_library), V(timeout),
      V(lock_timeout), V(reserved), V(unknown_transaction), V(transaction_used) and V(not_latest).
  returned: failure
  type: str
  sample: cloud_unreachable
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._adapter import REQUIRED_IF
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_options import GLANCE_SPEC
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._glance_publish import GlancePublisher
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call, module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress


def main() -> None:
    """Run the module."""
    with (
        module_call(GLANCE_SPEC, required_if=REQUIRED_IF, required_one_of=[("cloud", "auth")]) as call,
        _progress(call) as progress,
    ):
        call.result = GlancePublisher(call, progress).run()


def _progress(call: Call) -> Progress:
    return Progress(call.params["progress_file"], call.module.no_log_values)


if __name__ == "__main__":
    main()
