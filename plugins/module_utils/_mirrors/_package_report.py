# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""packages.json for programs, and packages.txt for a person: what a sync changed."""

from __future__ import annotations

import itertools
import operator
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import write_atomic, write_json
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._package_changes import PackageChanges

VERSION = 1
JSON, TEXT = "packages.json", "packages.txt"
_Row = t.Mapping[str, t.Optional[str]]


def write_reports(
    folder: str, changes: PackageChanges, name: str, before: str | None, after: str | None
) -> None:
    """Write both files into an existing ``folder``; ``before`` and ``after`` are the mirrors' snapshots."""
    if not os.path.isdir(folder):
        raise DistrogateError(
            "no_report_folder", f"There is no folder {folder} for the list of packages. Make it first."
        )
    report = {
        "version": VERSION,
        "name": name,
        "from": before,
        "to": after,
        "counts": changes.counts(),
        "packages": changes.packages,
        "snapshots": changes.snapshots,
    }
    write_json(os.path.join(folder, JSON), report)
    write_atomic(os.path.join(folder, TEXT), as_text(changes, name, before, after))


def as_text(changes: PackageChanges, name: str, before: str | None, after: str | None) -> str:
    """Counts first, then one line a package, below its repository."""
    lines = [
        f"{name}: {_counts(changes.packages) or 'no package changed'}",
        f"from {before or 'nothing'} to {after or 'nothing'}",
    ]
    by_name: dict[str, list[_Row]] = {}
    every: tuple[t.Sequence[_Row], ...] = (changes.packages, changes.snapshots)
    for row in itertools.chain(*every):
        by_name.setdefault(str(row["repository"]), []).append(row)
    for repository, rows in sorted(by_name.items()):
        packages = [row for row in rows if "architecture" in row]
        lines += ["", f"{repository}: {_counts(packages) or 'no package changed'}"]
        lines += sorted(_package(row) for row in packages)
        lines += [f"  snapshot {row['name']} {row['change']}" for row in rows if "architecture" not in row]
    return "\n".join(lines) + "\n"


def _counts(rows: t.Iterable[_Row]) -> str:
    changes = sorted(str(row["change"]) for row in rows)
    return ", ".join(f"{len(list(same))} {change}" for change, same in itertools.groupby(changes))


def _package(row: _Row) -> str:
    versions = " -> ".join(filter(None, operator.itemgetter("from", "to")(row)))
    return f"  {row['change']:<10}  {row['name']} {versions} ({row['architecture']})"
