# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that run side by side are built one after the other."""

from __future__ import annotations

import threading

from ansible_collections.distrogate.ci.plugins.plugin_utils._hosts import build_alone


class Handler:
    """Of an Ansible that does not bear two builds at once."""

    building = 0
    most = 0
    guard = threading.Lock()

    def _configure_module(self, name: str, *, slow: threading.Event) -> str:
        with Handler.guard:
            Handler.building += 1
            Handler.most = max(Handler.most, Handler.building)
        slow.wait(0.05)  # an event that never comes: time for another one to begin
        with Handler.guard:
            Handler.building -= 1
        return name


def test_two_modules_are_never_built_at_once() -> None:
    handlers = [Handler() for _number in range(4)]
    for handler in handlers:
        build_alone(handler)
    never = threading.Event()
    built: list[str] = []
    threads = [
        threading.Thread(target=lambda one=one: built.append(one._configure_module("ping", slow=never)))
        for one in handlers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == ["ping"] * 4
    assert Handler.most == 1
