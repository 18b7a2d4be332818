#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: cleanup
short_description: Remove what old runs left on a host
version_added: 0.1.0
description:
  - Removes run directories, test repositories, sandboxes, lease files and incoming folders that nothing needs
    any more, and ends publishing transactions that nobody is going to end.
  - Only what is given is looked at. Nothing that is pinned, or that a process works in, is removed; links
    are never followed.
  - Leases and waiters end by themselves, in the store.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
options:
  runs:
    description: The folder of run directories.
    type: path
  repositories:
    description: The folder of test repositories.
    type: path
  shared:
    description: The folder in which stages offer their results to other runs.
    type: path
  temporary:
    description:
      - Folders in which Ansible keeps temporary files on this host, and results of asynchronous tasks.
      - Those of this user that no process needs are removed, here and where Python keeps temporary files.
    type: list
    elements: path
    default: []
  te:
    description: The folder of the TEs' sandboxes, as C(TE/FENCE).
    type: path
  leases:
    description: The folder of lease files.
    type: path
  images:
    description:
      - The folder of images, as the option O(distrogate.ci.disk_image#module:output) names it.
      - Of each name the newest O(keep_images) stay, and those whose key is in O(pinned_images), that a
        process works in, or whose files a run directory shares; others go O(idle_days) after they were made.
      - Images that were taken from a channel go when they were not taken for O(keep_days).
      - What builders keep for later builds goes when it was not used for O(keep_days), and the longest unused
        where there is more than O(cache_size) of it.
      - Of builds that were killed, the processes, mounts, loop devices and folders are released.
    type: path
  keep_images:
    description: How many images of each name stay, whatever their age.
    type: int
    default: 5
  cache_size:
    description: How much of the disk the caches of O(images) may take together, such as V(20G).
    type: str
    default: 20G
  pinned_images:
    description: Keys of images that stay, as C(sha256:…).
    type: list
    elements: str
    default: []
  incoming:
    description: Folders in which artifacts arrive, as C(TRANSACTION/SHA256/NAME).
    type: list
    elements: path
    default: []
  transactions:
    description:
      - Repositories whose transactions are looked at.
      - What was committed is finished, and what has expired is dropped, as the next publication would do.
      - What is prepared and waits is only reported, as is a synchronisation of mirrors.
      - Files that their publications replaced or removed more than O(idle_days) ago are removed.
    type: list
    elements: path
    default: []
  keep_days:
    description: >-
      Run directories, test repositories and lease files stay for so many days after the last change.
    type: float
    default: 14
  idle_days:
    description: >-
      Sandboxes, what arrived, temporary files and the notes of killed stages stay for so many days after the
      last change. They outlive what they were made for only when that was killed.
      With C(0), what tasks just now keep in temporary folders goes as well.
    type: float
    default: 1
  log_days:
    description: >-
      Logs and reports stay for so many days after the last change of their run directory, should that stay
      longer. Those of pinned run directories stay.
    type: float
    default: 14
  keep_logs:
    description: The logs and reports of so many run directories stay, the newest ones; V(0) is all.
    type: int
    default: 0
  held:
    description: The ids of runs whose TE is held. Their run directories stay.
    type: list
    elements: str
    default: []
  held_days:
    description: Run directories of runs whose TE was held stay for so many days after the last change.
    type: float
    default: 20
  ended:
    description: The ids of changes that were merged or abandoned. Their test repositories go at once.
    type: list
    elements: str
    default: []
  pinned:
    description: Paths that stay, such as the run directories of the bundles that channels point to.
    type: list
    elements: path
    default: []
  pinned_digests:
    description: The sha256 of files in the pools of O(transactions) that stay though nothing names them.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds to wait for a writer of a repository in O(transactions).
    type: float
    default: 60
"""

EXAMPLES = r"""
---
- name: Remove old run directories
  distrogate.ci.cleanup:
    runs: /srv/distrogate/runs
    keep_days: 30
    pinned:
      - /srv/distrogate/runs/gate-1234-2-20260101T000000-0a1b
"""

RETURN = r"""
---
removed:
  description: What was removed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: >-
        V(run), V(logs), V(report), V(scratch), V(note), V(unfinished), V(shared), V(temporary),
        V(test_repository), V(sandbox), V(lease_file), V(incoming), V(image), V(cached) or V(place).
      type: str
    path:
      description: Where it was.
      type: str
    reason:
      description: Why.
      type: str
kept:
  description: What stays, in the same form.
  returned: success
  type: list
  elements: dict
transactions:
  description: What was found under way, each with C(root), C(transaction) and C(outcome).
  returned: success
  type: list
  elements: dict
collected:
  description:
    - Repositories with files that were replaced long ago, each with C(root), the number of C(files), and
      their C(bytes).
  returned: success
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._cleanup import find_incoming
from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import Rules, apply, find_runs
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._leftovers import (
    find_killed,
    find_shared,
    find_temporary,
    find_unfinished,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call, module_call
from ansible_collections.distrogate.ci.plugins.module_utils._images._cleanup import clean_images
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import size_in_bytes
from ansible_collections.distrogate.ci.plugins.module_utils._leases._cleanup import (
    find_lease_files,
    find_sandboxes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._cleanup import open_synchronisations
from ansible_collections.distrogate.ci.plugins.module_utils._packages._cleanup import (
    end_transactions,
    find_test_repositories,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._collect import collect
from ansible_collections.distrogate.ci.plugins.module_utils._runs._cleanup import find_logs


def clean(call: Call) -> None:
    """Ask each domain's cleaner, then remove."""
    params = call.params
    rules = Rules(
        params["keep_days"],
        params["idle_days"],
        params["pinned"],
        held=params["held"],
        held_days=params["held_days"],
    )
    runs = list(find_runs(params["runs"], rules))
    findings = [
        *find_killed(params["runs"], rules),
        *runs,
        *find_logs(runs, rules, params["log_days"], params["keep_logs"]),
        *find_test_repositories(params["repositories"], rules, params["ended"]),
        *find_sandboxes(params["te"], rules),
        *find_lease_files(params["leases"], rules),
        *find_incoming(params["incoming"], rules),
        *find_shared(params["shared"], rules),
        *find_unfinished(params["leases"], rules),
    ]
    if params["temporary"]:
        findings += find_temporary(params["temporary"], rules, call.module.tmpdir)
    removed, kept, errors = apply(findings, call.check_mode)
    if params["images"]:
        more = clean_images(
            params["images"],
            rules,
            params["keep_images"],
            params["pinned_images"],
            call.check_mode,
            cache_size=size_in_bytes(params["cache_size"]),
        )
        removed, kept, errors = removed + more[0], kept + more[1], errors + more[2]
    under_way: list[dict[str, str]] = []
    collected: list[dict[str, t.Any]] = []
    timeout = params["timeout"]
    for root in params["transactions"]:
        under_way += end_transactions(root, timeout, call.check_mode) + open_synchronisations(root)
        collected += collect(root, params["idle_days"], params["pinned_digests"], timeout, call.check_mode)
    ended = [item["transaction"] for item in under_way if not item["outcome"].startswith("kept")]
    call.difference.add("paths", [finding.path for finding in removed], [])
    call.difference.add("transactions", ended, [])
    call.difference.add("replaced_files", collected, [])
    call.result.update(
        removed=[finding.as_result() for finding in removed],
        kept=[finding.as_result() for finding in kept],
        transactions=under_way,
        collected=collected,
    )
    if errors:
        raise DistrogateError("not_removed", "Some things could not be removed:\n" + "\n".join(errors))


def main() -> None:
    paths: dict[str, t.Any] = {"type": "list", "elements": "path", "default": []}
    spec = {
        "runs": {"type": "path"},
        "repositories": {"type": "path"},
        "shared": {"type": "path"},
        "temporary": paths,
        "te": {"type": "path"},
        "leases": {"type": "path"},
        "images": {"type": "path"},
        "keep_images": {"type": "int", "default": 5},
        "cache_size": {"type": "str", "default": "20G"},
        "pinned_images": {"type": "list", "elements": "str", "default": []},
        "incoming": paths,
        "transactions": paths,
        "keep_days": {"type": "float", "default": 14},
        "idle_days": {"type": "float", "default": 1},
        "log_days": {"type": "float", "default": 14},
        "keep_logs": {"type": "int", "default": 0},
        "held": {"type": "list", "elements": "str", "default": []},
        "held_days": {"type": "float", "default": 20},
        "ended": {"type": "list", "elements": "str", "default": []},
        "pinned": paths,
        "pinned_digests": {"type": "list", "elements": "str", "default": []},
        "timeout": {"type": "float", "default": 60},
    }
    with module_call(spec) as call:
        clean(call)


if __name__ == "__main__":
    main()
