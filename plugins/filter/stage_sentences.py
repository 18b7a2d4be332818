# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stages of a run did, for those who read plain task output."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.distrogate.ci.plugins.module_utils._core._told import stage_sentence

DOCUMENTATION = r"""
---
name: stage_sentences
short_description: What the stages of a run did, a sentence each
version_added: 0.1.0
description:
  - Turns the short forms of stages, as modules return them in C(stage) and a report's index holds them, into
    sentences with verdict and seconds; of one that failed, with its reason and its log.
author:
  - distrogate.ci maintainers (@distrogate)
options:
  _input:
    description: The stages, each with C(name), C(verdict) and C(seconds).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
---
msg: "{{ report_made.index.stages | distrogate.ci.stage_sentences | join('\\n') }}"
"""

RETURN = r"""
---
_value:
  description: The sentences, such as V(build succeeded in 25.3 s).
  type: list
  elements: str
"""


def stage_sentences(stages: t.Any) -> list[str]:
    """See the documentation above."""
    wanted = {"name", "verdict", "seconds"}
    if not isinstance(stages, list) or not all(
        isinstance(one, dict) and wanted <= set(one) for one in stages
    ):
        raise AnsibleFilterError(
            "stage_sentences takes a list of stages, each with name, verdict and seconds."
        )
    return [stage_sentence(stage) + _why(stage) for stage in stages]


def _why(stage: dict[str, t.Any]) -> str:
    if stage["verdict"] != "failure":
        return ""
    reason = f" [{stage['reason']}]" if stage.get("reason") else ""
    log = f", see {stage['log']}" if stage.get("log") else ""
    return reason + log


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filters of this file, by name."""
        return {"stage_sentences": stage_sentences}
