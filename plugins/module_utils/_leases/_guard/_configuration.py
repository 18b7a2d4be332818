# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard's configuration, which the module te_guard writes, and where things lie."""

from __future__ import annotations

import json
import typing as t

from ._clock import Clock
from ._files import make_folder, read_text
from ._wire import RefusedError

_LIMIT = 4 << 20


class Configuration:
    """Root owns the file, so it is believed."""

    def __init__(self, value: dict[str, t.Any], clock: Clock | None = None) -> None:
        self.directory: str = value["directory"]
        self.authorized_keys: str = value["authorized_keys"]
        self.command: list[str] = value["command"]
        self.pools: dict[str, list[str]] = value["pools"]
        self.tes: dict[str, dict[str, t.Any]] = value["tes"]
        self.log: str = value["log"]
        self.power_timeout: float = value["power_timeout"]
        self.clock = clock or Clock()

    @property
    def states(self) -> str:
        return f"{self.directory}/te"

    def lock(self, te: str) -> str:
        return f"{self.directory}/locks/{te}"

    @property
    def keys_lock(self) -> str:
        return f"{self.directory}/keys.lock"

    def running(self, te: str) -> str:
        return f"{self.directory}/running/{te}"

    def make_folders(self) -> None:
        for name in ("te", "locks", "running"):
            make_folder(f"{self.directory}/{name}")

    def te(self, name: str, pool: str | None = None) -> dict[str, t.Any]:
        """A TE's settings; another pool's TE is as unknown as one that does not exist."""
        found = self.tes.get(name)
        if found is None or (pool is not None and found["pool"] != pool):
            raise RefusedError("unknown_te", f"This guard has no TE {name} of that pool.")
        return found


def load(path: str, clock: Clock | None = None) -> Configuration:
    try:
        return Configuration(json.loads(read_text(path, _LIMIT) or ""), clock)
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(
            "bad_configuration", f"{path} cannot be read ({error}). Let te_guard write it again."
        ) from error
