# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All measurements of images, each in a process of its own; also when one before it is over its bar."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run every ``images_PART.py`` beside this file that is a program; 1 when one failed."""
    failed = []
    for path in sorted(HERE.glob("images_*.py")):
        if '__name__ == "__main__"' not in path.read_text(encoding="utf-8"):
            continue
        print(f"== {path.stem}", flush=True)
        if subprocess.run([sys.executable, str(path), *sys.argv[1:]], check=False).returncode:
            failed.append(path.stem)
    if failed:
        print(f"failed: {' '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
