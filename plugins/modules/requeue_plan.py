#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: requeue_plan
short_description: Plan what is tested again in a new order of the queue
version_added: 0.1.0
description:
  - When a change ahead has failed, or the queue has a new order, says which changes have to be tested again
    and on top of which, and which runs count no more.
  - A change keeps its result if exactly the same changes are ahead of it as before.
  - The current queue is O(current). If that is not set, it is the queue of the newest run of the pipeline in
    O(runs), whose last change has all others ahead of it.
  - The first change whose own run on that queue failed is dropped without being named. Those behind it were
    tested on top of it, which says nothing of them.
  - A change whose commit is built on the commit of one that is dropped is dropped, too, because it could not
    be merged without it.
  - Never changes anything.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
attributes:
  check_mode:
    description: It never changes anything.
  diff_mode:
    support: N/A
    description: It never changes anything.
options:
  runs:
    description: The folder that holds run directories, on this host.
    type: path
    required: true
  cache:
    description: The folder in which fetched repositories are kept, as given to M(distrogate.ci.freeze).
    type: path
    required: true
  pipeline:
    description: The pipeline whose queue it is.
    type: str
    default: gate
  current:
    description: The current queue, in the form of the option O(distrogate.ci.freeze#module:queue).
    type: list
    elements: dict
  failed:
    description: The change ids of what failed and leaves the queue.
    type: list
    elements: str
    default: []
  order:
    description: The new order, as change ids of the current queue. Those that are left out leave it.
    type: list
    elements: str
  queue:
    description: The new queue itself, for changes that the current one does not have.
    type: list
    elements: dict
  plan:
    description: The plan of an earlier call, of which the first test has ended with O(verdict).
    type: dict
  verdict:
    description: How it ended.
    type: str
    choices: [success, failure]
"""

EXAMPLES = r"""
---
- name: Take a change that failed out of the queue
  distrogate.ci.requeue_plan:
    runs: /srv/distrogate/runs
    cache: /srv/distrogate/git
    failed: ["1234"]
  register: plan

- name: Go on after the first test
  distrogate.ci.requeue_plan:
    runs: /srv/distrogate/runs
    cache: /srv/distrogate/git
    plan: "{{ plan.plan }}"
    verdict: success
  register: plan
"""

RETURN = r"""
---
plan:
  description: What to do.
  returned: success
  type: dict
  contains:
    queue:
      description: The new queue.
      type: list
    tests:
      description: >-
        The queues that have to be tested, in order. The last change of each is the one that is
        tested.
      type: list
    passed:
      description: The change ids that were tested in the new order and passed.
      type: list
    dropped:
      description: The changes that left the queue, each with C(change_id) and C(reason).
      type: list
    void:
      description: >-
        The runs that count no more, each with C(run_id), C(queue_key), C(change_id), and C(under_way), which
        names its stages that have not ended.
      type: list
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _requeue, _requeue_runs
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_queue


def main() -> None:
    """Plan."""
    spec = {
        "runs": {"type": "path", "required": True},
        "cache": {"type": "path", "required": True},
        "pipeline": {"type": "str", "default": "gate"},
        "current": {"type": "list", "elements": "dict"},
        "failed": {"type": "list", "elements": "str", "default": []},
        "order": {"type": "list", "elements": "str"},
        "queue": {"type": "list", "elements": "dict"},
        "plan": {"type": "dict"},
        "verdict": {"type": "str", "choices": ["success", "failure"]},
    }
    with module_call(
        spec, mutually_exclusive=[("order", "queue")], required_together=[("plan", "verdict")]
    ) as call:
        params = call.params
        runs = _requeue_runs.runs_of(params["runs"], params["pipeline"])
        depends = _requeue_runs.built_on(params["cache"], runs)
        if params["plan"]:
            call.result["plan"] = _requeue.after(params["plan"], params["verdict"], depends, runs)
            return
        given = params["current"]
        current = normal_queue(given) if given else _requeue_runs.newest_queue(runs, params["runs"])
        failed = dict.fromkeys(params["failed"], "it was named as failed")
        if params["queue"]:
            wanted = normal_queue(params["queue"])
        elif params["order"]:
            wanted = _requeue.reordered(current, params["order"])
        else:
            wanted, failed = current, {**_requeue_runs.failed_in(current, runs, failed), **failed}
            if not failed:
                raise DistrogateError(
                    "nothing_failed",
                    "No change of the queue has failed. Name one (failed), or give a new order (queue).",
                )
        queue, dropped = _requeue.without(wanted, failed, depends)
        call.result["plan"] = {
            "queue": queue,
            "tests": _requeue.tests_of(queue, current),
            "passed": [],
            "dropped": dropped,
            "void": _requeue.void_runs(_requeue.void_of(queue, current), runs),
        }


if __name__ == "__main__":
    main()
