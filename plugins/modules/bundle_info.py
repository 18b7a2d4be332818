#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds bundles."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_info
short_description: Find bundles, and tell what is in them and what became of them
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Lists the bundles that the store knows, and those of the archive. Every condition that is given must hold.
  - With an archive, it answers from an index that is made from the files of the archive. What was added since
    the last question is read first. When the index is missing, broken or of another release, all is read.
  - Verdicts, waivers, holds and promotions are told when somebody who is known signed them; see O(signers).
options:
  channel:
    description: The bundle that this channel, or this version, points to.
    type: str
  bundle:
    description:
      - The bundle with this digest, or the one that this channel or version points to.
      - It is told what was in it, built from what, and all that was said of it. This is read from the files
        of the archive, and a file that was edited is refused.
    type: str
  contains:
    description:
      - Bundles with this package, written V(name) or V(name=version); with this image, written as its name,
        repository, or registry and repository; with the artifact of this digest; or made from this commit.
      - Of digests and commits the first 7 digits are enough, or more.
      - Without O(archive), only bundles that were sealed without one are found, by their packages alone.
    type: str
  trees:
    description:
      - Bundles that were made of exactly these merged trees, by project. So a bundle of the gate is found
        that may be promoted after the merge, without building again.
    type: dict
  pipeline:
    description: Bundles of this pipeline.
    type: str
  history:
    description: Whether to tell all that O(channel) had, see RV(history).
    type: bool
    default: false
  difference:
    description:
      - Two bundles, the old one and the new one, each written as a digest, a channel or a version.
      - See RV(difference). It is read from the files of the archive.
    type: list
    elements: str
  limit:
    description: List no more than so many bundles, the newest ones. V(0) lists all.
    type: int
    default: 0
  packages:
    description:
      - Whether RV(bundles) lists the packages of each bundle.
      - When it is left out, they are listed when no more than 100 bundles are.
      - Of bundles that were sealed without an archive they are listed always.
    type: bool
attributes:
  check_mode:
    details: The index is made or brought up to date in check mode as well.
  diff_mode:
    support: N/A
    description: It changes nothing but the index.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
  - distrogate.ci.store
  - distrogate.ci.archive
  - distrogate.ci.archive.signers
seealso:
  - module: distrogate.ci.bundle
  - module: distrogate.ci.bundle_history
"""

EXAMPLES = r"""
- name: Which version do users of stable have?
  distrogate.ci.bundle_info:
    store: sqlite:///var/lib/distrogate/store.db
    channel: stable

- name: Did the gate test exactly what was merged?
  distrogate.ci.bundle_info:
    trees:
      nova: 4b825dc642cb6eb9a060e54bf8d69288fbee4904
    pipeline: gate
  register: gated

- name: Which bundles have the broken package?
  distrogate.ci.bundle_info:
    archive: /var/lib/distrogate/archive
    contains: openssl=3.0.15-1
    limit: 10

- name: What would users of stable get?
  distrogate.ci.bundle_info:
    archive: /var/lib/distrogate/archive
    difference: [stable, candidate]

- name: What did stable have, and when?
  distrogate.ci.bundle_info:
    channel: stable
    history: true
"""

RETURN = r"""
bundles:
  description: The bundles, the one that was sealed last comes first.
  type: list
  elements: dict
  returned: success
  contains:
    digest:
      description: Its digest.
      type: str
    pipeline:
      description: The pipeline that made it.
      type: str
    host:
      description: The inventory host with its run directory. It is null when the store does not know it.
      type: str
    run_dir:
      description: Its run directory there.
      type: str
    sealed:
      description: When it was sealed.
      type: str
    channels:
      description: The channels and versions that point to it.
      type: list
      elements: str
    packages:
      description: Its packages, as name=version; see O(packages).
      type: list
      elements: str
    verdicts:
      description: The last verdict of each test. This and what follows is told of bundles in the archive.
      type: list
      elements: dict
      sample:
        - {stage: install_test, result: PASSED, at: "2026-11-21T12:00:00Z", signer: 8b5c, statement: s.json}
    waivers:
      description: What was waived, by whom, why, and until when. Whoever asks compares RV(ignore:expires).
      type: list
      elements: dict
      sample:
        - {rule: minimum_age, author: ann, reason: security, expires: "2027-01-01T00:00:00Z"}
    holds:
      description: The holds that nobody released.
      type: list
      elements: dict
      sample: [{name: security, author: ann, reason: looking into it, at: "2026-11-21T12:00:00Z"}]
    promotions:
      description: What its promotions stated.
      type: list
      elements: dict
      sample: [{channel: stable, version: 4.0.0, at: "2026-11-21T12:00:00Z", by: ann@ci}]
    artifacts:
      description: What is in it. This and what follows is told with O(bundle), of a bundle in the archive.
      type: list
      elements: dict
    inputs:
      description: What it was made from.
      type: dict
    provenance:
      description: Who built it, and when.
      type: list
      elements: dict
    unknown_signers:
      description: The statements that nobody who is known signed, with the ids of the keys that they name.
      type: list
      elements: dict
    refused:
      description: The statements that were edited or that speak of another bundle, with the reason.
      type: list
      elements: dict
total:
  description: How many bundles there are that satisfy the conditions, whatever O(limit) says.
  type: int
  returned: success
problems:
  description: The bundles of the archive that cannot be read, as C(digest) and C(message).
  type: list
  elements: dict
  returned: success
pins:
  description:
    - All run directories that are in use, whatever the conditions. A channel holds those of the bundle that
      it has, and of the one that it had before; a promotion under way that of its bundle.
    - Each has C(run_dir), its C(host), the C(bundle) in it and the C(holder).
  type: list
  elements: dict
  returned: success
history:
  description: What O(channel) had, the newest first.
  type: list
  elements: dict
  returned: with O(history)
  contains:
    serial:
      description: The number of this promotion among those to the channel.
      type: int
    digest:
      description: The bundle.
      type: str
    version:
      description: Its version. It may be null.
      type: str
    from:
      description: The bundle that the channel had before.
      type: str
    at:
      description: When.
      type: str
    by:
      description: Who.
      type: str
    states:
      description: What each target had then.
      type: list
      elements: dict
difference:
  description: What the second bundle of O(difference) has and the first has not, and the other way round.
  type: dict
  returned: with O(difference)
  contains:
    from:
      description: The digest of the first.
      type: str
    to:
      description: The digest of the second.
      type: str
    packages:
      description: >-
        Lists named C(added), C(removed) and C(changed). What is changed has C(from), C(to), and C(change),
        which is V(upgraded), V(downgraded), or V(rebuilt) when the version is the same and the file is not.
      type: dict
    commits:
      description: >-
        Lists named C(added), C(removed), with C(project), C(branch), C(commit), C(subject) and C(change), and
        C(moved) with the projects whose branch was at another commit.
      type: dict
    images:
      description: Images and charts, as lists named C(added), C(removed) and C(changed).
      type: dict
    files:
      description: Other files, in the same lists.
      type: dict
reason:
  description: >-
    A word for why it failed, such as V(unknown_bundle), V(bad_bundle), V(no_archive), V(index_failed),
    V(lock_timeout).
  type: str
  returned: failure
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._info_options import bundle_info_options
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only


def main() -> None:
    """Say that the action plugin of the same name does the work."""
    controller_only(bundle_info_options())


if __name__ == "__main__":
    main()
