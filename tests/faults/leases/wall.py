# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wall clock that somebody sets, for one process: nothing may be decided by it."""

from __future__ import annotations

import datetime
import random
import signal
import time
import typing as t

STEPS = (-3600.0, 0.0, 3600.0)
_real = time.time
_real_ns = time.time_ns


class Wall:
    """What this process takes for the time; SIGUSR1 sets it anew."""

    def __init__(self, dice: random.Random, told: t.Callable[[float], object]) -> None:
        self._dice = dice
        self._told = told
        self.step = 0.0

    def install(self) -> None:
        """From now on everything that is asked for the time of day tells ours."""
        wall = self

        class Datetime(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
                return cls.fromtimestamp(_real() + wall.step, tz)

            @classmethod
            def utcnow(cls) -> datetime.datetime:
                return cls.now(datetime.timezone.utc).replace(tzinfo=None)

        time.time = lambda: _real() + wall.step
        time.time_ns = lambda: _real_ns() + round(wall.step * 1e9)
        datetime.datetime = Datetime  # type: ignore[misc]
        signal.signal(signal.SIGUSR1, lambda _number, _frame: self.set())
        self.set()

    def set(self) -> None:
        self.step = self._dice.choice(STEPS)
        self._told(self.step)
