"""Checks that what is installed stands alone and keeps no hidden state.

Playbooks and roles never name inventories/ or docs/ (which users may not have), and stages talk through the
run directory, not through facts; an error that is ignored is an error that nobody sees.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

FORBIDDEN = re.compile(r"(?<![\w./-])(?:\.\./)*(?:inventories|docs)/|\bset_fact\b|\bignore_errors\b")


def problems(folder: Path) -> Iterator[str]:
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if match := FORBIDDEN.search(line):
                yield f"{path}:{number}: {match.group()} has no place in a playbook or role"


def main(folders: list[str]) -> int:
    found = [problem for folder in folders for problem in problems(Path(folder))]
    print("\n".join(found) or "shipped text: ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
