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
      - With O(state=present) and O(state=prepared), paths of packages on this host. They are cloned where the
        file system can, else copied; see O(hard_link). A symbolic link is refused.
      - With O(state=absent), names of packages, as V(name) or V(name=version).
      - A package whose version is lower than the published one of its name and architecture is refused; see
        O(allow_downgrade).
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
        layer's one is shown, and the repository's own one before all. RV(layers) says what is shown from
        which.
      - What a layer publishes or removes later is seen here at the next publish.
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
      - Another key than before is refused, since clients would refuse what it signs; see O(overlap_key) and
        O(allow_key_change).
    type: str
  overlap_key:
    description:
      - The fingerprint of a second key that signs as well, and stands in C(key.asc) beside the first.
      - "To change the key of a repository without a moment in which a client refuses: set this to the new
        key, until all clients have taken over C(key.asc) or RV(sources); then make the new one
        O(signing_key), and set this to the old one for those that are late, or to an empty string."
      - Packages in an rpm repository keep the signatures that they have. The old key has to stay here as
        long as packages that it signed are published.
      - When it is left out, it stays as it is.
    type: str
  overlap_until:
    description:
      - When the second key stops to sign, as V(2030-01-31) or V(2030-01-31T12:00:00Z). It is left out of the
        first publish after that. Without it, the overlap lasts until O(overlap_key) is changed.
    type: str
  allow_key_change:
    description: Whether the repository may be signed by none of the keys that signed it so far.
    type: bool
    default: false
  gnupg_home:
    description: The GnuPG home with the secret key. The default is the one of the user that runs the module.
    type: path
  url:
    description: Where clients find O(root), for RV(sources). The default is a C(file://) address.
    type: str
  label:
    description: A name for people to read.
    type: str
  allow_downgrade:
    description: Whether a version may be published that is lower than the published one.
    type: bool
    default: false
  keep_versions:
    description:
      - How many versions of each package and architecture stay, the newest ones. V(0) keeps all.
      - When it is left out, it stays as it is, and is V(0) for a new repository.
    type: int
  keep:
    description:
      - For how many further publishes the files stay that a publish replaced or removed, for readers that
        began before it.
    type: int
    default: 5
  keep_seconds:
    description: They stay at least so many seconds, whatever O(keep) says.
    type: int
    default: 900
  pinned:
    description: The sha256 of files that stay in the pool as long as they are named here, such as those of
      bundles. The digest of a state keeps the snapshots of it; see O(keep_snapshots).
    type: list
    elements: str
    default: []
  alias:
    description:
      - A symbolic link that is pointed at the folder above O(root), once what is published can be read there,
        with O(state=present) only.
    type: path
  snapshot:
    description:
      - The name under which the state is kept as it is after this call, with an address of its own;
        see RV(snapshot_sources). It never changes, and suits clients that cannot ask for files by their hash.
      - A name that stands for another state already is refused. With O(state=absent), the snapshot is
        removed.
      - V(now) stands for the time, as in C(20261121T120000Z), and makes one only if the newest snapshot is of
        another state.
      - A repository that shows layers cannot have one.
    type: str
  restore:
    description:
      - The name of a snapshot, or its RV(snapshots[].state_digest). Exactly its packages are published again,
        with a new serial and date, as a roll back does. What else the repository has goes; what clients
        cannot take by themselves, such as a lower version, they take when they are told to.
      - Settings of the repository stay as they are, and layers are removed, since a snapshot has none.
      - A digest that is published already is no change, even if no snapshot of it is there any more.
      - Refused with V(unknown_snapshot) when there is no such snapshot, and with V(package_gone) when a
        package of it is not in the pool as it was. Nothing is published then.
      - It does not go with O(packages), O(digests), O(layers) and O(state=absent). With O(state=committed)
        and O(state=undone) it is not looked at.
      - O(keep_snapshots) leaves a snapshot alone that is named here.
    type: str
  keep_snapshots:
    description:
      - How many snapshots stay, the newest ones; RV(snapshots) lists them. V(0) keeps all.
      - Older ones are removed by this call, as with O(state=absent), also when it publishes nothing else. The
        one that O(snapshot) names stays, and so does one whose RV(state_digest) is in O(pinned).
      - An apt repository counts the snapshots of each suite by themselves.
    type: int
    default: 0
  keep_snapshots_seconds:
    description: Snapshots stay at least so many seconds, whatever O(keep_snapshots) says.
    type: int
    default: 0
  compression:
    description:
      - How indexes are compressed. V(gz) is always among them, and is put together from parts that are
        compressed already. V(xz) is smaller, but compressed as a whole with each publish.
      - When it is left out, it stays as it is.
    type: list
    elements: str
    choices: [gz, xz]
  hard_link:
    description:
      - Whether files enter the pool as hard links, which copies nothing. Only for files that are the
        publisher's alone, such as those in the folder of M(distrogate.ci.artifact_transfer), since whoever
        can write to the old name can change what is published.
      - A file that another user owns, that others may write to, or that has a second name is copied
        nevertheless. A file that is linked becomes read-only.
    type: bool
    default: false
  list_packages:
    description:
      - Whether RV(packages) lists all packages of the state, as a bundle records it. All are read for that.
      - What V(committed) and V(undone) return has no list.
    type: bool
    default: false
  verify:
    description:
      - With V(client), apt-get or dnf reads the new state before anybody else does, checks the signatures,
        and fetches the packages that are added. When it refuses, nothing is published.
    type: str
    choices: [none, client]
    default: none
  require_bundle:
    description:
      - Whether packages enter this repository only as a part of a sealed bundle.
        M(distrogate.ci.bundle_promote) hands its bundle over.
      - When it is left out, it stays as it is, and is V(false) for a new repository.
    type: bool
  bundle:
    description: The contents of a C(bundle.json). Packages that it does not name by their sha256 are refused.
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
