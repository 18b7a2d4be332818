# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blobs: index files as they were in a state, frozen: the source's own may be newer when they are sent."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry


class Blobs:
    """The folder ``<source>/.distrogate/mirrors/<name>/blobs``, one file ``<sha256>-<mtime_ns>`` each."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def path(self, entry: Entry) -> str:
        """Where the frozen file of an entry lies."""
        raise NotImplementedError

    def has(self, entry: Entry) -> bool:
        """Whether it lies there, with its size and time."""
        raise NotImplementedError

    def freeze(self, path: str | bytes, entry: Entry, own: bool) -> None:
        """Keep the file ``path``; one that is ``own`` is only ever replaced by rename, so it is linked."""
        raise NotImplementedError

    def copy(self, path: str | bytes, mtime_ns: int) -> Entry:
        """Keep a copy of a file that may change under our eyes; returns what was copied."""
        raise NotImplementedError

    def sync(self) -> None:
        """Make what was frozen durable."""
        raise NotImplementedError

    def collect(self, keep: t.Collection[Entry]) -> None:
        """Remove all blobs but those of these entries."""
        raise NotImplementedError
