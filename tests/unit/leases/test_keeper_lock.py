# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of keepers that were ended."""

from __future__ import annotations

import os
import pathlib
import signal
import time

from ansible_collections.distrogate.ci.plugins.module_utils._leases import _keeper_lock as locks


def keeper(lease_file: pathlib.Path, playbook: int) -> int:
    """A keeper that takes its time to end."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        lock = locks.take(locks.lock_path(str(lease_file), playbook), "l1", 50, 5)
        assert isinstance(lock, locks.KeeperLock)
        lock.say("l1", 50)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.write(writer, b"!")
        signal.sigwait({signal.SIGTERM})
        time.sleep(0.2)
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return child


def test_each_keeper_is_counted_once(tmp_path: pathlib.Path) -> None:
    lease_file = tmp_path / "lease.json"
    children = [keeper(lease_file, playbook) for playbook in (101, 102)]
    assert locks.end_all(str(lease_file), 5) == 2
    for child in children:
        os.waitpid(child, 0)
    assert locks.end_all(str(lease_file), 5) == 0 and not list(tmp_path.iterdir())
