# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/benchmarks.md: one section for each benchmark, each rewritten by itself."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Sequence

from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY

PAGE = REPOSITORY / "docs" / "benchmarks.md"
HEAD = """\
# Benchmarks

The last results, written by the benchmarks themselves. Each section names the command that repeats it.
"""


def machine() -> str:
    """What the figures depend on, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{time.strftime('%Y-%m-%d', time.gmtime())}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table that is also easy to read as text: the first column left, the others right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = [
        "| " + " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) + " |"
        for line in lines
    ]
    rule = "| " + " | ".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]) + " |"
    return "\n".join([shown[0], rule, *shown[1:]])


def limit(figure: float, most: float | None) -> tuple[str, str]:
    """Two cells: the bar, and whether it is met; dashes where there is none."""
    return ("-", "-") if most is None else (f"{most:g}", "yes" if figure <= most else "NO")


def write_section(title: str, text: str) -> None:
    """Put ``text`` under the heading ``title``, in place of what stood there."""
    page = PAGE.read_text() if PAGE.exists() else HEAD
    section = f"## {title}\n\n{text.strip()}\n"
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if pattern.search(page):
        page = pattern.sub(lambda match: section + "\n", page, count=1)
    else:
        page = f"{page.rstrip()}\n\n{section}"
    PAGE.write_text(page.rstrip() + "\n")
    print(f"\nwritten to {PAGE.relative_to(REPOSITORY)}: {title}")
