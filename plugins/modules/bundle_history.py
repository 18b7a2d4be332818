#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the history of bundles and channels as a page."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_history
short_description: Write the history of bundles and channels as a page
version_added: 0.1.0
author:
  - distrogate.ci maintainers (@distrogate)
description:
  - Writes a folder of static files that shows the channels and what they had, the bundles with their verdicts
    over time, what is in each of them, the difference to the last good one before it, and a search for
    packages, commits, images and versions.
  - The folder needs no server, loads nothing from elsewhere, and can be opened as a file or published by any
    web server.
  - C(index.html) is replaced last, and names files that never change, so that a reader sees the old page or
    the new one, also when the writer is killed. Files of the page before are kept until the next change.
  - The same input gives the same bytes. Only files that differ are written.
  - Verdicts, waivers, holds and promotions are shown when somebody who is known signed them; see O(signers).
options:
  destination:
    description:
      - The folder on the controller. It is made when it is missing.
      - One that holds something else is refused.
    type: path
    required: true
  title:
    description: The heading of the page.
    type: str
    default: Bundles
  bundles:
    description: How many bundles are shown, the newest ones. Those that a channel has are always shown.
    type: int
    default: 1000
  timeout:
    description: Seconds to wait for another process that writes the page or the index.
    type: float
    default: 600.0
attributes:
  check_mode:
    details: The index of the archive is made or brought up to date in check mode as well.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.attributes.actiongroup_ci
  - distrogate.ci.store
  - distrogate.ci.archive
  - distrogate.ci.archive.signers
seealso:
  - module: distrogate.ci.bundle_info
"""

EXAMPLES = r"""
- name: Show what was built, tested and released
  distrogate.ci.bundle_history:
    store: sqlite:///var/lib/distrogate/store.db
    archive: /var/lib/distrogate/archive
    signers: [/etc/distrogate/release.pub]
    destination: /srv/www/bundles
    title: Example Cloud
"""

RETURN = r"""
page:
  description: The path of the page.
  type: str
  returned: success
  sample: /srv/www/bundles/index.html
bundles:
  description: How many bundles it shows.
  type: int
  returned: success
channels:
  description: The names of the channels that it shows.
  type: list
  elements: str
  returned: success
problems:
  description: The bundles of the archive that cannot be read, as C(digest) and C(message). The page says so.
  type: list
  elements: dict
  returned: success
reason:
  description: >-
    A word for why it failed, such as V(no_archive), V(bad_destination), V(index_failed), V(lock_timeout).
  type: str
  returned: failure
"""

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._info_options import (
    bundle_history_options,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import controller_only


def main() -> None:
    """Say that the action plugin of the same name does the work."""
    controller_only(bundle_history_options())


if __name__ == "__main__":
    main()
