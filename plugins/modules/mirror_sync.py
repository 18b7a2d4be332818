#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mirror_sync
short_description: Bring mirrors of a repository to one state, all of them or none
version_added: 0.1.0
description:
  - Copies a tree to its mirrors with rsync, as one transaction. First all new content is added to every
    mirror and compared there; only when the quorum is ready do the mirrors switch, each by renaming the
    few files that have the same name in every state.
  - The source may be a release repository for apt, for rpm, a folder with several of both, or any other tree.
    A repository that lacks a file which its index names is refused.
  - A reader of C(InRelease) and C(by-hash), or of checksum-named rpm metadata, never meets a mixture, because
    what a superseded state named stays on the mirrors for O(keep) further states and O(keep_seconds).
  - A mirror that is down is brought up by the next run. A run that was killed is finished, or taken back, by
    the next one.
  - Folders named C(.distrogate) and C(.distrogate-staging), and files whose names begin with C(.tmp-), are
    never mirrored. The journal is in C(.distrogate/mirrors/) below the source. While a switch is
    prepared, the files that it renames wait on the mirrors in C(.distrogate-staging) folders.
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
options:
  source:
    description: Absolute path of the tree to mirror. It must hold no symbolic links and no special files.
    type: path
    required: true
  name:
    description: Name of this mirroring. Each name has its own journal below the source.
    type: str
    default: default
  mirrors:
    description:
      - The mirrors, as C(rsync://host:port/module/path), C(user@host:/absolute/path), or the absolute
        path of a folder on the same machine. The folder must exist.
      - A mirror that is no longer named is forgotten, and compared as a whole should it return.
    type: list
    elements: str
    required: true
  password_file:
    description: File with the password for rsync daemons, readable by its owner alone.
    type: path
  ssh_key:
    description: Private key for mirrors that are reached with ssh. Their host keys must be known already.
    type: path
  quorum:
    description:
      - How many mirrors must follow for any to switch, V(all), a number, or a fraction such as V(1/2),
        which is rounded up.
    type: str
    default: all
  keep:
    description: The files of so many superseded states stay on the mirrors. At least 1.
    type: int
    default: 3
  keep_seconds:
    description: The files of a superseded state stay at least so many seconds, whatever O(keep) says.
    type: int
    default: 86400
  state:
    description:
      - V(synced) prepares and commits.
      - V(prepared) makes the mirrors ready and switches none.
      - V(committed) switches them.
      - V(undone) forgets what was prepared, or brings the mirrors back to the state before. Content that was
        added stays until it is superseded. Only switch files and plain-name index files are brought back, not
        the replaced content of a tree that is no repository.
    type: str
    choices: [synced, prepared, committed, undone]
    default: synced
  transaction:
    description: Name of the transaction. Required unless O(state=synced).
    type: str
  timeout:
    description: Seconds to wait for another run, and for each transfer.
    type: int
    default: 3600
  progress_file:
    description:
      - Absolute path of a file on the host, into which the module writes where it stands while it runs, at
        most twice a second, as one JSON record that replaces the one before.
      - Without it the task uses a file of its own, and shows on the screen what is written there. The lines
        are not shown in check mode, with C(async) or with C(no_log).
    type: path
    version_added: 0.1.0
requirements:
  - rsync 3.1.3 or newer, here and on the mirrors
author:
  - distrogate.ci maintainers (@distrogate)
"""

EXAMPLES = r"""
- name: Bring two of three mirrors, or all, to the state of the repository
  distrogate.ci.mirror_sync:
    source: /srv/repository
    name: public
    mirrors:
      - rsync://publisher@mirror1.example.org/release/
      - rsync://publisher@mirror2.example.org/release/
      - publisher@mirror3.example.org:/srv/mirror
    password_file: /etc/distrogate/mirror.password
    quorum: "2/3"

- name: Make the mirrors ready for a promotion
  distrogate.ci.mirror_sync:
    source: /srv/repository
    name: public
    mirrors: "{{ mirrors }}"
    state: prepared
    transaction: promotion-17
"""

RETURN = r"""
snapshot:
  description: The state that the mirrors follow, or will when the transaction is committed.
  returned: success
  type: str
  sample: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
transaction:
  description: The option O(transaction).
  returned: success
  type: str
mirrors:
  description:
    - One row for each mirror.
    - RV(mirrors[].outcome) is V(switched), V(unchanged), V(away) (it could not follow and is brought up
      by the next run) or, when the task failed, V(failed).
  returned: success, and when the quorum was not met
  type: list
  elements: dict
  contains:
    address:
      description: The mirror, as given.
      type: str
    outcome:
      description: What became of it.
      type: str
    message:
      description: Why it failed, or in check mode what it would get.
      type: str
transferred_bytes:
  description: Bytes sent and received, all mirrors together.
  returned: success
  type: int
files:
  description: How many files were added, changed and removed, between the state before and this one.
  returned: success
  type: dict
packages:
  description: Which packages were added, removed and upgraded. Empty in this version.
  returned: success
  type: list
  elements: dict
reason:
  description:
    - A word for the error. V(quorum_not_met) means that nothing was switched, V(quorum_lost) that what
      had switched went back.
  returned: failure
  type: str
  sample: quorum_not_met
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._result import make_request, shape
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._sync import Sync


def main() -> None:
    """Run the module."""
    argument_spec = {
        "source": {"type": "path", "required": True},
        "name": {"type": "str", "default": "default"},
        "mirrors": {"type": "list", "elements": "str", "required": True},
        "password_file": {"type": "path", "no_log": False},
        "ssh_key": {"type": "path", "no_log": False},
        "quorum": {"type": "str", "default": "all"},
        "keep": {"type": "int", "default": 3},
        "keep_seconds": {"type": "int", "default": 86400},
        "state": {
            "type": "str",
            "default": "synced",
            "choices": ["synced", "prepared", "committed", "undone"],
        },
        "transaction": {"type": "str"},
        "timeout": {"type": "int", "default": 3600},
        "progress_file": {"type": "path"},
    }
    required_if = [("state", state, ["transaction"]) for state in ("prepared", "committed", "undone")]
    with module_call(argument_spec, required_if=required_if) as call:
        request = make_request(call.params)
        sync = Sync(request)
        outcome = sync.predict() if call.check_mode else sync.run()
        call.result.update(shape(outcome, request, call.difference))


if __name__ == "__main__":
    main()
