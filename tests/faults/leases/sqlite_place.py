# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SQLite under siege. Its restart is that every process that has it open is killed, which the siege does."""

from __future__ import annotations

import contextlib
import pathlib
import random
import typing as t

Attack = t.Callable[[], t.ContextManager[str]]


class SqlitePlace:
    """A context: a store, and what may be done to it."""

    deadly = 0.0005  # The chance that a client is killed in a transaction.

    def __init__(self, folder: pathlib.Path) -> None:
        self.url = f"sqlite://{folder}/store.db"

    def __enter__(self) -> SqlitePlace:
        return self

    def __exit__(self, *exc: object) -> None:
        """There is no server."""

    def attack(self, dice: random.Random) -> t.ContextManager[str]:
        """While the context lasts the store is in trouble; it gives a name of what was done."""
        return contextlib.nullcontext("kill everyone")
