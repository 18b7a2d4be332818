# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a run."""

from __future__ import annotations

import html
import json
import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json, write_atomic


def write_page(report: str) -> None:
    """Write index.html: what index.json lists."""
    index = read_json(os.path.join(report, "index.json"))
    lines = [f"{stage['name']}: {stage['verdict']}" for stage in index["stages"]]
    lines += [log["path"] for log in index["logs"]]
    shown = "\n".join(f"<li>{html.escape(line)}</li>" for line in lines)
    title = html.escape(json.dumps(index["run_id"]))
    text = f'<!DOCTYPE html>\n<meta charset="utf-8">\n<title>{title}</title>\n<ul>\n{shown}\n</ul>\n'
    write_atomic(os.path.join(report, "index.html"), text, durable=False)
