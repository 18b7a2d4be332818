#!/usr/bin/python

# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
---
module: run_report
short_description: Make the report of a run, with its logs and without secrets
version_added: 0.1.0
description:
  - Makes C(report/) in the run directory, which is what people get to see, and C(report.tar.gz), the log
    bundle, which holds the same.
  - "Logs become plain text: what is not UTF-8 is replaced, control codes go, long lines are folded."
  - Secrets are masked as C(********), those whose value is known and those that look like one. The controller
    adds to O(secrets) the variables whose names say that they hold one (secret, password, token, credential,
    private key, and the like), what Ansible Vault encrypted, and its environment variables with such names.
  - The report is made aside and then exchanged. When that ends early, the older report is still there.
author:
  - distrogate.ci maintainers (@distrogate)
extends_documentation_fragment:
  - distrogate.ci.attributes
  - distrogate.ci.attributes.action
  - distrogate.ci.run
options:
  secrets:
    description:
      - Further values to mask.
      - Values shorter than 6 characters, and words that stand in every log, are not masked by value.
    type: list
    elements: str
    default: []
  log_bytes:
    description:
      - How much of one log is kept, in bytes.
      - Of a longer one the beginning and the end are, with a line between them that says what was cut.
    type: int
    default: 67108864
  total_bytes:
    description: >-
      How much is kept of all logs together, in bytes. Small logs stay whole; large ones share the rest.
    type: int
    default: 268435456
  line_length:
    description: >-
      Lines with more characters are folded; of a line longer than 64 times that, the middle is cut.
    type: int
    default: 4000
"""

EXAMPLES = r"""
---
- name: Make the report
  distrogate.ci.run_report:
    run_dir: /srv/distrogate/runs/check-1234
    secrets:
      - "{{ lookup('ansible.builtin.file', '/etc/site/registry-password') }}"
"""

RETURN = r"""
---
report:
  description: The path of the folder.
  returned: success
  type: str
archive:
  description: The path of the log bundle.
  returned: success
  type: str
index:
  description: The contents of C(index.json).
  returned: success
  type: dict
"""

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call, module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._runs._log import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._runs._options import run_report_options
from ansible_collections.distrogate.ci.plugins.module_utils._runs._report import ARCHIVE, NAME, make_report


def limits_of(call: Call) -> Limits:
    """The limits that were asked for."""
    log, total, width = (call.params[name] for name in ("log_bytes", "total_bytes", "line_length"))
    if log < 65536 or total < 65536 or width < 80:
        raise DistrogateError(
            "bad_options", "log_bytes and total_bytes are at least 65536, line_length is at least 80."
        )
    return Limits(log=log, total=total, width=width)


def main() -> None:
    with module_call(**run_report_options()) as call:
        run = Run(call.params["run_dir"])
        changed, index = make_report(run, call.params["secrets"], limits_of(call), call.check_mode)
        report = run.file(NAME)
        call.difference.add("report", None, report if changed else None)
        call.result.update(report=report, archive=run.file(ARCHIVE), index=index)
        call.result["msg"] = f"The report is {report}/index.html, the log bundle {run.file(ARCHIVE)}"


if __name__ == "__main__":
    main()
