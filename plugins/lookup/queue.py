# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The queue of this run, from wherever it was given."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: queue
short_description: The queue of this run
version_added: 0.1.0
description:
  - Finds the queue, which is the changes ahead, oldest first, then the change itself, and returns it in the
    one form that M(distrogate.ci.freeze) takes.
  - It looks at the variable C(distrogate_queue), the variable C(queue_file), Zuul's variable C(zuul), and the
    environment that Jenkins' Gerrit Trigger gives to a build.
  - The first two are what a person gives, and win. If there is none, or both Zuul and Gerrit tell of a
    change, it is an error that says what was looked for.
author:
  - distrogate.ci maintainers (@distrogate)
options:
  _terms:
    description: None.
    required: false
  projects:
    description:
      - The names of the profile's projects. A project of Zuul's is called by its canonical name if that is
        among them, otherwise by its name.
    type: list
    elements: str
    default: []
  file:
    description: A queue file to read instead; nothing else is looked at.
    type: str
  tell:
    description: Whether an error is returned, as C(error) and C(reason), instead of raised.
    type: bool
    default: false
"""

EXAMPLES = r"""
---
- name: Say which queue it is
  ansible.builtin.debug:
    msg: "{{ lookup('distrogate.ci.queue').said }}"
"""

RETURN = r"""
_raw:
  description: One dictionary.
  type: list
  elements: dict
  contains:
    queue:
      description: >-
        The changes, each with C(project), C(branch), C(ref), C(commit), C(change_id) and C(patch_set).
      type: list
    source:
      description: Where it comes from.
      type: str
    said:
      description: Both as one sentence.
      type: str
    checkouts:
      description: >-
        The checkouts that Zuul has merged, by project, as paths below the home of the builder's
        user.
      type: dict
    ahead:
      description: >-
        The test repositories that runs of the changes ahead handed on in C(zuul.artifacts), each as
        C(KEY/RUN).
        Without a value if none was handed on.
      type: list
    error:
      description: What was wrong, with O(tell=true).
      type: str
    reason:
      description: The same as one word.
      type: str
"""

import os
import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue_sources import find
from ansible_collections.distrogate.ci.plugins.plugin_utils._queue_file import read_queue_file


class LookupModule(LookupBase):
    """See the documentation above."""

    def run(
        self, terms: t.Any, variables: t.Mapping[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        """The queue; what an untrusted system said is never a template."""
        del terms
        self.set_options(var_options=variables, direct=kwargs)
        known = variables or {}
        wanted = {"zuul": known["zuul"]} if "zuul" in known else {}
        for name in ("distrogate_queue", "queue_file"):  # what a person wrote may be one
            if name in known:
                wanted[name] = t.cast(t.Any, self._templar).template(known[name])
        if self.get_option("file"):
            wanted = {"queue_file": self.get_option("file")}
        try:
            return [find(wanted, os.environ, read_queue_file, self.get_option("projects"))]
        except DistrogateError as error:
            if not self.get_option("tell"):
                raise AnsibleLookupError(f"{error.message} [{error.reason}]") from None
            return [{"queue": [], "error": error.message, "reason": error.reason}]
