# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths in a tree: as files, for people, and where a file waits to be switched."""

from __future__ import annotations

import os

PRIVATE = b".distrogate"
STAGING = b".distrogate-staging"
UNFINISHED = b".tmp-"  # what write_atomic and clone_file are still writing


def printable(path: bytes) -> str:
    """A path for messages and results: never a control character, never an invalid letter."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def file_in(folder: str, path: bytes) -> str:
    """A listed path as a file's path."""
    return os.path.join(folder, os.fsdecode(path))


def staged_name(path: bytes) -> bytes:
    """Where a file waits on the mirror: beside its name, where rsync's partial folder is."""
    folder, slash, name = path.rpartition(b"/")
    return folder + slash + STAGING + b"/" + name


def staging_folder(path: bytes) -> bytes:
    """The folder of ``staged_name``."""
    return staged_name(path).rpartition(b"/")[0]
