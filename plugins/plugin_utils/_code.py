# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this code is, as one digest: two runs of the same inputs by the same code give the same result."""

from __future__ import annotations

import functools
import hashlib
import os
import typing as t

FOLDERS = ("playbooks", "plugins", "roles")
# Examples that init copies into a site's own repository; nothing here runs them.
_LEFT_OUT = (os.path.join("playbooks", "files"),)


def _files(root: str, folder: str) -> t.Iterator[str]:
    """Every regular file below a folder, relative to ``root``; no links, nothing that Python makes."""
    with os.scandir(os.path.join(root, folder)) as entries:
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if entry.name.startswith(".") or entry.name == "__pycache__" or path in _LEFT_OUT:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files(root, path)
            elif entry.is_file(follow_symlinks=False) and not entry.name.endswith((".pyc", ".pyo")):
                yield path


def digest_of(root: str) -> str:
    """The digest of the collection that lies at ``root``: of every file's name and contents."""
    digest = hashlib.sha256()
    present = [folder for folder in FOLDERS if os.path.isdir(os.path.join(root, folder))]
    for path in sorted(path for folder in present for path in _files(root, folder)):
        with open(os.path.join(root, path), "rb") as stream:
            contents = hashlib.sha256(stream.read()).hexdigest()
        digest.update(f"{path}\0{contents}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{digest.hexdigest()}"


def folder_digest(path: str) -> str:
    """The digest of one folder, such as a role of a site's own."""
    root, name = os.path.split(os.path.abspath(path))
    digest = hashlib.sha256()
    for file in sorted(_files(root, name)):
        with open(os.path.join(root, file), "rb") as stream:
            contents = hashlib.sha256(stream.read()).hexdigest()
        digest.update(f"{file}\0{contents}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{digest.hexdigest()}"


@functools.lru_cache(maxsize=1)
def code_digest() -> str:
    """The digest of this collection's plugins, roles and playbooks."""
    return digest_of(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
