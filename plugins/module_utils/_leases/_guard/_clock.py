# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard's only clock: seconds since the machine started, which nobody can set."""

from __future__ import annotations

import time


class Clock:
    """CLOCK_BOOTTIME goes on while the machine sleeps; ``boot`` tells one start of it from the next."""

    def __init__(self, boot: str = "") -> None:
        self.boot = boot or _boot()

    def now(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def _boot() -> str:
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        return stream.read().strip()
