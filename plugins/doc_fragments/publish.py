# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that apt_publish and rpm_publish share."""

from __future__ import annotations


class ModuleDocFragment:
    """``distrogate.ci.publish``."""

    DOCUMENTATION = r"""
options:
  root:
    description: The repository's folder on this host. It is made when it is missing.
    type: path
    required: true
  packages:
    description:
      - With O(state=present) and O(state=prepared), paths of packages on this host, which are cloned.
      - With O(state=absent), names of packages, as V(name) or V(name=version).
    type: list
    elements: str
    default: []
  digests:
    description:
      - The sha256 that files in O(packages) must have, by the name of the file.
      - A file with another digest is refused, and nothing is published.
    type: dict
    default: {}
  layers:
    description:
      - Other repositories on the same host, made by the same module, whose own packages are shown through
        this one.
      - Nothing is copied. C(layers/<name>) in O(root) becomes a symbolic link, which the web server
        has to follow.
      - They are given oldest first. Of packages with the same name, version and architecture, the later
        layer's one is shown, and the repository's own one before all.
      - When it is left out, the layers stay as they are; an empty list removes them.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the link, such as the change's number.
        type: str
        required: true
      root:
        description: The root of that repository.
        type: path
        required: true
  signing_key:
    description:
      - The fingerprint of the OpenPGP key that signs the metadata.
      - Required for a new repository; after that the repository's key is the default.
    type: str
  gnupg_home:
    description: The GnuPG home with the secret key. The default is the one of the user that runs the module.
    type: path
  url:
    description: Where clients find O(root), for RV(sources). The default is a C(file://) address.
    type: str
  label:
    description: A name for people to read.
    type: str
  state:
    description:
      - V(present) publishes O(packages), V(absent) removes them, each in one go.
      - V(prepared) stages what V(present) would publish, under the id O(transaction), and reserves the
        repository.
      - V(committed) publishes what was prepared. V(undone) drops it; when it is published already and nothing
        was published since, the packages of before are published again, with a new date and a new serial.
    type: str
    choices: [present, absent, prepared, committed, undone]
    default: present
  transaction:
    description:
      - The id of the transaction, for O(state=prepared), O(state=committed) and O(state=undone).
      - With O(state=present) and O(state=absent) it is optional, and allows for O(state=undone) later.
    type: str
  ttl:
    description: Seconds for which a prepared transaction reserves the repository. After that it is dropped.
    type: int
    default: 3600
  timeout:
    description: Seconds to wait for another writer, or for a prepared transaction. The error says who it is.
    type: int
    default: 600
"""
