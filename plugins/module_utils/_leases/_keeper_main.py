# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keeper's program: ``_keeper_main.py LEASE_FILE PLAYBOOK_PID PLAYBOOK_START TTL SINCE LOCK END``.

It is run as a file, outside Ansible, so it makes the collection importable first.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
import types
import typing as t

_COLLECTION = "ansible_collections.distrogate.ci"


def importable() -> None:
    """Let the collection be imported from where this file lies.

    Not by a folder in sys.path: one ``ansible_collections`` with an ``__init__.py``, as the package ansible
    installs it, would hide all others.
    """
    root = os.path.abspath(__file__)
    for _level in ("_leases", "module_utils", "plugins", "the collection"):
        root = os.path.dirname(root)
    parts = _COLLECTION.split(".")
    for number in range(1, len(parts) + 1):
        name = ".".join(parts[:number])
        module = types.ModuleType(name)
        module.__path__ = [root] if number == len(parts) else []
        sys.modules[name] = module


def detach() -> None:
    """Become nobody's child, deaf to the keyboard: Ctrl-C is for the playbook."""
    if os.fork():
        os._exit(0)
    os.umask(0o077)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def answer(value: dict[str, t.Any]) -> None:
    """Tell the one who started us, and let go of the pipe."""
    os.write(1, json.dumps(value).encode())
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)


def main(words: list[str]) -> None:
    """Bind to the playbook, answer, and keep."""
    detach()
    importable()
    from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

    try:
        keeper, lock = _bound(words)
    except DistrogateError as error:
        with contextlib.suppress(OSError):
            answer({"reason": error.reason, "msg": error.message})
        return
    try:
        answer({"pid": os.getpid()})
        threading.excepthook = lambda failure: keeper.voice.note(repr(failure.exc_value))
        keeper.run()
    except BrokenPipeError:
        return  # Whoever started us waits no longer, and has said that there is no keeper.
    except BaseException:
        keeper.voice.say(f"the keeper itself failed: {traceback.format_exc()}")
        raise
    finally:
        lock.remove()


def _bound(words: list[str]) -> tuple[t.Any, t.Any]:
    """The keeper, ready to run, and its lock."""
    from ansible_collections.distrogate.ci.plugins.module_utils._leases import _keeper_build

    return _keeper_build.build(words)


if __name__ == "__main__":
    main(sys.argv[1:])
