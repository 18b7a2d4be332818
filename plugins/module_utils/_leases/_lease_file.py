# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease file: the one place where a lease's secret lies."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json, write_json

_FORMAT = 1


class LeaseFile:
    """A 0600 file with a lease's pool, id and secret, outside every run directory."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(os.path.expanduser(path))
        folder = os.path.dirname(self.path)
        while folder != os.path.dirname(folder):
            if os.path.exists(os.path.join(folder, "run.json")):
                raise DistrogateError(
                    "lease_file_in_run",
                    f"{self.path} lies in the run directory {folder}, which is copied and kept."
                    " A lease file holds a secret: put it elsewhere.",
                )
            folder = os.path.dirname(folder)

    @property
    def key(self) -> str:
        """The private ssh key of the lease, for the guards of its TEs; the public one ends in ``.pub``."""
        return self.path + ".key"

    def read(self) -> dict[str, t.Any] | None:
        """Its contents, or None when there is no file."""
        if not os.path.lexists(self.path):
            return None
        value = read_json(self.path, 1 << 16)
        keys = {"pool", "lease", "secret", "granted", "store"}
        if not isinstance(value, dict) or value.get("version") != _FORMAT or not keys <= set(value):
            raise DistrogateError(
                "bad_lease_file", f"{self.path} is not a lease file of version {_FORMAT}; it was left alone."
            )
        return value

    def write(self, store: str, pool: str, lease: str, secret: str, granted: bool) -> None:
        """Write it; before the grant with ``granted`` false, so that no crash can lose a secret."""
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        value = {
            "version": _FORMAT,
            "store": store,
            "pool": pool,
            "lease": lease,
            "secret": secret,
            "granted": granted,
        }
        write_json(self.path, value, mode=0o600)

    def remove(self, log: bool = False) -> None:
        """Remove it, the lease's key and, when nobody needs to know what happened, the keeper's log."""
        logs = [self.path + ".log"] if log else []
        for path in (self.key, self.key + ".pub", *logs, self.path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
