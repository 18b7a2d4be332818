#!/usr/bin/python
# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module that works for a while, with a program of its own, and says so."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import run
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import module_call
from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress


def main() -> None:
    argument_spec = {
        "seconds": {"type": "float", "default": 0.3},
        "says": {"type": "list", "elements": "str", "default": []},
        "password": {"type": "str", "no_log": True},
        "pids": {"type": "path"},
        "end": {"type": "str", "default": "well", "choices": ["well", "error", "crash", "print", "vanish"]},
        "timeout": {"type": "int", "default": 60},
        "progress_file": {"type": "path"},
    }
    with module_call(argument_spec) as call:
        params = call.params
        with Progress(params["progress_file"], call.module.no_log_values) as progress:
            for number, text in enumerate(params["says"], start=1):
                progress.say(text, done=number, total=len(params["says"]))
                time.sleep(params["seconds"] / len(params["says"]))
            if params["pids"]:
                run(["sh", "-c", 'sleep 600 & echo $$ $! >"$1"; wait', "sh", params["pids"]])
            if not params["says"]:
                time.sleep(params["seconds"])
        if params["end"] == "error":
            raise DistrogateError(
                "fake_error", "It went wrong, as it was told to.", password=params["password"]
            )
        if params["end"] == "crash":
            raise RuntimeError("a fault in the module")
        if params["end"] == "print":
            sys.stdout.write("no result\n")
            sys.stdout.flush()
            os._exit(3)
        if params["end"] == "vanish":
            _end_session()
        call.difference.add("said", [], params["says"])
        call.result.update(password=params["password"], user=os.getuid(), file=params["progress_file"])


def _end_session() -> None:
    """Whoever started the module goes too, whether or not it is of the same group; the module goes last."""
    mine = os.getsid(0)
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and int(name) != os.getpid() and os.getsid(int(name)) == mine:
                os.kill(int(name), 9)
    os.kill(os.getpid(), 9)


if __name__ == "__main__":
    main()
