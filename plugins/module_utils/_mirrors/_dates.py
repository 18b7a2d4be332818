# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The date that an index file states of itself, to see whether a source went back in time."""

from __future__ import annotations

import typing as t


def release_date(data: bytes) -> int | None:
    """Seconds since 1970 of the ``Date`` of a Release or InRelease file."""
    raise NotImplementedError


def repomd_date(data: bytes) -> int | None:
    """The greatest ``timestamp`` of a repomd.xml, else its ``revision`` if that is a number."""
    raise NotImplementedError


def went_back(before: t.Mapping[bytes, bytes], after: t.Mapping[bytes, bytes]) -> list[bytes]:
    """The paths, sorted, of the files that are older than they were; both map paths to contents."""
    raise NotImplementedError
