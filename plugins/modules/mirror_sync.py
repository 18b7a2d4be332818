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
  - Repositories that M(distrogate.ci.apt_publish) and M(distrogate.ci.rpm_publish) wrote say themselves
    what changed,
    so that the work depends on that and not on the size of the tree. Any other tree is walked in each call
    (RV(walked) says so).
  - A mirror needs no shell and no software but rsync. It keeps the list of what it holds in
    C(.distrogate/), and there
    a run marks that it works on the mirror, so that two runs do not interleave, also from two hosts.
  - A reader of C(InRelease) and C(by-hash), or of checksum-named rpm metadata, never meets a mixture, because
    what a superseded state named stays on the mirrors for O(keep) further states and O(keep_seconds).
  - A mirror that is down is brought up by the next run. A run that was killed is finished, or taken back, by
    the next one.
  - Folders named C(.distrogate) and C(.distrogate-staging), and files whose names begin with C(.tmp-), are
    never mirrored. The journal is in C(.distrogate/mirrors/) below the source, the lists of files in
    C(.distrogate/lists/).
  - In check mode the mirrors are asked what they hold, and nothing is written anywhere.
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
  password:
    description: The password for rsync daemons. It reaches rsync in its environment only.
    type: str
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
  pinned:
    description: States whose files stay whatever O(keep) says, as digests (RV(snapshots[].id)) or names.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(synced) prepares and commits.
      - V(prepared) makes the mirrors ready and switches none.
      - V(committed) switches them.
      - V(undone) forgets what was prepared, or brings the mirrors back to the state before. Content that was
        added stays until it is superseded. Only switch files and plain-name index files are brought back, not
        the replaced content of a tree that is no repository.
      - V(rolled_back) brings the mirrors back to O(snapshot). The state that they leave is not mirrored again
        before the source changes, unless O(allow_rolled_back).
    type: str
    choices: [synced, prepared, committed, undone, rolled_back]
    default: synced
  transaction:
    description: Name of the transaction. Required when O(state) is V(prepared), V(committed) or V(undone).
    type: str
  snapshot:
    description:
      - With O(state=synced), a name for this state.
      - With O(state=rolled_back), the state to go back to, by its digest (or the beginning of it), its
        name, or a time
        as in V(2026-11-21T12:00:00Z), which means what was shown then. By default the one before the
        present one. Called again without a name, it goes back one more.
    type: str
  deep:
    description:
      - Trust no list. Read every file of the source and of the mirrors, bring in what is missing or
        differs, and say in
        RV(found) what that was. Files on a mirror that no list names are told, and stay.
    type: bool
    default: false
  max_delete_ratio:
    description:
      - Refuse to go on when a larger part of the mirrors' files than this is not in the source any more.
    type: float
    default: 0.5
  allow_older:
    description: Mirror a repository although its index is dated before that of the mirror.
    type: bool
    default: false
  allow_rolled_back:
    description: Mirror a state from which the mirrors were rolled back.
    type: bool
    default: false
  bandwidth_limit:
    description: KiB a second that each mirror is sent at most. V(0) is no limit.
    type: int
    default: 0
  retries:
    description: How often a transfer is tried again when a connection failed, after 1, 2, 4, … seconds.
    type: int
    default: 3
  report_folder:
    description:
      - Existing folder for C(packages.json) and C(packages.txt), which list what became of which package.
    type: path
  progress_file:
    description:
      - File in which the module says how far it is. The action plugin shows it on the screen, and gives a
        temporary
        file when this is not set.
    type: path
  timeout:
    description: Seconds to wait for another run, and for each transfer.
    type: int
    default: 3600
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

- name: Go back to what the mirrors showed yesterday at noon
  distrogate.ci.mirror_sync:
    source: /srv/repository
    name: public
    mirrors: "{{ mirrors }}"
    state: rolled_back
    snapshot: 2026-11-20T12:00:00Z

- name: Compare every file, and repair what differs
  distrogate.ci.mirror_sync:
    source: /srv/repository
    name: public
    mirrors: "{{ mirrors }}"
    deep: true
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
    added:
      description: How many files it got, or would get, under new names.
      type: int
    switched:
      description: How many files were, or would be, renamed to their places.
      type: int
    bytes:
      description: The size of these files together.
      type: int
transferred_bytes:
  description: Bytes sent and received, all mirrors together.
  returned: success
  type: int
files:
  description: How many files were added, changed and removed, between the state before and this one.
  returned: success
  type: dict
packages:
  description:
    - Which packages were added, removed, upgraded and downgraded, as their publishers told it. At most 1000;
      the files in O(report_folder) have all.
    - Empty when more than 5000 files differ and O(report_folder) is not set.
  returned: success
  type: list
  elements: dict
  contains:
    repository:
      description: The repository below the source, with the suite of an apt repository.
      type: str
    name:
      description: The package.
      type: str
    architecture:
      description: Its architecture.
      type: str
    change:
      description: V(added), V(removed), V(upgraded) or V(downgraded).
      type: str
    from:
      description: The version before.
      type: str
    to:
      description: The version now.
      type: str
package_counts:
  description: How many packages were V(added), V(removed), V(upgraded) and V(downgraded).
  returned: success
  type: dict
walked:
  description: Parts of the source that had to be walked, V(.) for the source itself.
  returned: success
  type: list
  elements: str
found:
  description: With O(deep), what was not as the lists say, in C(source) and by mirror in C(mirrors).
  returned: success
  type: dict
snapshots:
  description: The states that are kept, the oldest first; the last one is what the mirrors show.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its digest.
      type: str
    since:
      description: When the mirrors began to show it.
      type: str
    names:
      description: Its names.
      type: list
      elements: str
reason:
  description:
    - A word for the error. V(quorum_not_met) means that nothing was switched, V(quorum_lost) that what
      had switched went back.
  returned: failure
  type: str
  sample: quorum_not_met
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call, module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._result import perform


def main() -> None:
    """Run the module."""
    argument_spec = {
        "source": {"type": "path", "required": True},
        "name": {"type": "str", "default": "default"},
        "mirrors": {"type": "list", "elements": "str", "required": True},
        "password_file": {"type": "path", "no_log": False},
        "password": {"type": "str", "no_log": True},
        "ssh_key": {"type": "path", "no_log": False},
        "quorum": {"type": "str", "default": "all"},
        "keep": {"type": "int", "default": 3},
        "keep_seconds": {"type": "int", "default": 86400},
        "pinned": {"type": "list", "elements": "str", "default": []},
        "state": {
            "type": "str",
            "default": "synced",
            "choices": ["synced", "prepared", "committed", "undone", "rolled_back"],
        },
        "transaction": {"type": "str"},
        "snapshot": {"type": "str"},
        "deep": {"type": "bool", "default": False},
        "max_delete_ratio": {"type": "float", "default": 0.5},
        "allow_older": {"type": "bool", "default": False},
        "allow_rolled_back": {"type": "bool", "default": False},
        "bandwidth_limit": {"type": "int", "default": 0},
        "retries": {"type": "int", "default": 3},
        "report_folder": {"type": "path"},
        "progress_file": {"type": "path"},
        "timeout": {"type": "int", "default": 3600},
    }
    required_if = [("state", state, ["transaction"]) for state in ("prepared", "committed", "undone")]
    with module_call(argument_spec, required_if=required_if) as call, _progress(call) as progress:
        call.result.update(perform(call.params, call.check_mode, call.difference, progress.say))


def _progress(call: Call) -> Progress:
    return Progress(call.params["progress_file"], call.module.no_log_values)


if __name__ == "__main__":
    main()
