# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a daemon of mirror_daemons.py calls before each transfer: it counts, and does what it was ordered to.

A program of its own, which the daemon waits for. So what happens, happens between two transfers, the same
way each time: the daemon dies as its N-th transfer begins, or a file that the last transfer brought is
another one before anybody looks at it.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import typing as t


def spoil(path: pathlib.Path) -> None:
    """Change the byte in the midst; size and time stay, as when a disk or a liar did it."""
    status = path.stat()
    with open(path, "r+b") as stream:
        stream.seek(status.st_size // 2)
        byte = stream.read(1)
        stream.seek(status.st_size // 2)
        stream.write(bytes([(byte[0] + 1) % 256]))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def spoil_new(top: pathlib.Path, orders: dict[str, t.Any], said: pathlib.Path) -> None:
    """Spoil the files that came after the order."""
    before = said.read_text().splitlines() if said.exists() else []
    found = sorted({path for pattern in orders["spoil"] for path in top.glob(pattern)})
    for path in found:
        if len(before) >= orders["times"]:
            return
        if path.is_symlink() or not path.is_file() or path.stat().st_ctime_ns < orders["since"]:
            continue
        if path.stat().st_size:
            spoil(path)
            before.append(str(path.relative_to(top)))
            said.write_text("\n".join(before) + "\n")


def main(name: str) -> None:
    """``name`` is the file of the orders."""
    path = pathlib.Path(name)
    orders = json.loads(path.read_text())
    with open(path.with_suffix(".count"), "ab") as stream:
        stream.write(b".")
        count = stream.tell()
    if count == orders["die_at"]:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    if orders["spoil"]:
        spoil_new(pathlib.Path(os.environ["RSYNC_MODULE_PATH"]), orders, path.with_suffix(".spoiled"))


if __name__ == "__main__":
    main(*sys.argv[1:])
