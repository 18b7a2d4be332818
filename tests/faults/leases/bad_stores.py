# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stores that are not as they should be: one dies in the midst of a transaction, one compares nothing."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, Put, Store
from ansible_collections.distrogate.ci.tests.tools.wrapped_store import WrappedStore

_WITHIN = 0.004  # seconds: a transaction takes about as long


class DeadlyStore(WrappedStore):
    """Now and then its process is killed while it writes."""

    def __init__(self, inner: Store, dice: random.Random, chance: float) -> None:
        super().__init__(inner)
        self._dice = dice
        self._chance = chance

    def transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int] | None = None,
    ) -> int | None:
        if self._dice.random() < self._chance:
            threading.Thread(target=_die, args=(self._dice.uniform(0, _WITHIN),), daemon=True).start()
        return super().transact(expected, operations, unmade)


class HeedlessStore(WrappedStore):
    """Writes whatever it is told, whatever was there before: the checker must find that."""

    def transact(
        self,
        expected: dict[str, int],
        operations: t.Sequence[Put | Delete],
        unmade: t.Mapping[str, int] | None = None,
    ) -> int | None:
        return super().transact({}, operations)


def _die(after: float) -> None:
    time.sleep(after)
    os.kill(os.getpid(), signal.SIGKILL)
