# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs commands one after the other, each in the cgroup that is named, and says what they used.

A program of its own, so that its peak of memory, which its children begin with, is small; what it uses itself
does not count. Reads {"procs": [files], "steps": [{argv, cwd, stdout, env}], "log": file} and writes
{"status", "seconds", "cpu", "rss"}: seconds of the clock and of the CPU, and bytes of the largest process.
"""

from __future__ import annotations

import json
import os
import sys
import time
import typing as t


def become(step: dict[str, t.Any], procs: list[str], log: str) -> t.NoReturn:
    """In the child: enter the cgroup and turn into the command."""
    flags = os.O_WRONLY | os.O_CREAT
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(os.open(log, flags | os.O_APPEND, 0o644), 2)
    os.dup2(os.open(step["stdout"], flags | os.O_TRUNC, 0o644) if step["stdout"] else 2, 1)
    os.chdir(step["cwd"])
    for path in procs:
        file = os.open(path, os.O_WRONLY)
        os.write(file, str(os.getpid()).encode())
        os.close(file)
    os.execvpe(step["argv"][0], step["argv"], step["env"])


def main() -> None:
    work = json.load(sys.stdin)
    began, cpu, rss, status = time.monotonic(), 0.0, 0, 0
    for step in work["steps"]:
        child = os.fork()
        if not child:
            try:
                become(step, work["procs"], work["log"])
            except BaseException as error:  # noqa: BLE001 - a child that goes on would do the rest twice
                os.write(2, f"{step['argv'][0]}: {error}\n".encode())
            os._exit(127)
        _child, status, used = os.wait4(child, 0)
        cpu += used.ru_utime + used.ru_stime
        rss = max(rss, used.ru_maxrss * 1024)
        if status:
            break
    json.dump({"status": status, "seconds": time.monotonic() - began, "cpu": cpu, "rss": rss}, sys.stdout)


if __name__ == "__main__":
    main()
