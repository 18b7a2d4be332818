# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tree of published files: what lies in it, and how links, sets and leftovers are changed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_incoming import sha256_of
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_set import SUMS, FileSet
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, sync_directory
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import Touched, TouchLog
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE

PREVIOUS = ".previous"
_SET = re.compile(r"[0-9a-f]{64}")
_CHANNEL = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
_VERSION = re.compile(r"[0-9][A-Za-z0-9._+~-]{0,63}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+-]{0,99}")
_TRASH = f"{PRIVATE}/trash"


def checked_name(name: str) -> str:
    """The name of what is published: a folder of its own."""
    if not _NAME.fullmatch(name):
        raise DistrogateError("bad_name", f"name {name!r} may have letters, digits and ._~+- only.")
    return name


def checked_link(kind: str, name: str) -> str:
    """A channel or a version: a link beside the sets."""
    pattern = _CHANNEL if kind == "channel" else _VERSION
    if not pattern.fullmatch(name) or name.endswith(PREVIOUS) or _SET.fullmatch(name):
        raise DistrogateError(
            "bad_name",
            f"{kind} {name!r} cannot be a link: a channel begins with a letter, a version with a digit, both"
            f" have letters, digits and ._-, and neither ends in {PREVIOUS} or is a digest.",
        )
    return name


class FileTree:
    """The folder of one name."""

    def __init__(self, root: str) -> None:
        self.root = root

    def check_root(self, above: str) -> None:
        """The folder of the name is a folder in the root, and no link to somewhere else."""
        expected = f"{os.path.realpath(above)}/{os.path.basename(self.root)}"
        if os.path.lexists(self.root) and (
            os.path.realpath(self.root) != expected or not os.path.isdir(self.root)
        ):
            raise self._in_the_way(self.root)

    def link(self, name: str) -> str | None:
        """Where a link points; None when there is none. Anything else there is an error."""
        path = inside(self.root, name)
        try:
            return os.readlink(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._in_the_way(path) from error

    def _in_the_way(self, path: str) -> DistrogateError:
        return DistrogateError(
            "in_the_way",
            f"{path} is there, but was not made by file_publish. Move it away, or use another name.",
            path=path,
        )

    def lacks(self, identity: str, names: t.Iterable[str]) -> list[str]:
        """Files of a set that are not there, whatever is in those that are."""
        folder = inside(self.root, identity)
        if os.path.islink(folder):
            return sorted(names)
        return sorted(name for name in names if not _is_file(inside(folder, name)))

    def wrong(self, identity: str, files: FileSet, deep: bool) -> list[str]:
        """Files of a set that are not there as they must be; ``deep`` compares their contents."""
        folder = inside(self.root, identity)
        if not os.path.lexists(folder):
            return sorted([*files.files, SUMS])
        if os.path.islink(folder) or not os.path.isdir(folder):
            raise self._in_the_way(folder)
        found = [one.name for one in files.files.values() if not self._is_whole(folder, one, deep)]
        if not self._has_sums(folder, files.sums):
            found.append(SUMS)
        return sorted(found)

    def _is_whole(self, folder: str, file: t.Any, deep: bool) -> bool:
        path = inside(folder, file.name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._in_the_way(path) from error
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise self._in_the_way(path)
            same = file.size is None or status.st_size == file.size
            return same and (not deep or sha256_of(descriptor) == file.sha256)
        finally:
            os.close(descriptor)

    def _has_sums(self, folder: str, sums: bytes) -> bool:
        path = inside(folder, SUMS)
        if os.path.islink(path) or os.path.isdir(path):
            raise self._in_the_way(path)
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as stream:
            return stream.read(len(sums) + 1) == sums
        return False

    def sweep(self, gone: t.Mapping[str, t.Sequence[str]]) -> None:
        """Remove sets that nothing names any more: out of sight at once, then file by file."""
        trash = inside(self.root, _TRASH)
        shutil.rmtree(trash, ignore_errors=True)  # what a killed writer left
        for identity, names in gone.items():
            folder = inside(self.root, identity)
            if not _SET.fullmatch(identity) or os.path.islink(folder) or not os.path.isdir(folder):
                continue
            paths = [Touched(os.fsencode(f"{identity}/{name}")) for name in (*names, SUMS)]
            TouchLog(self.root).append(paths)  # mirrors are told, before anything is gone
            os.makedirs(trash, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.rename(folder, inside(trash, identity))
            sync_directory(self.root)
        if os.path.isdir(trash):
            shutil.rmtree(trash, ignore_errors=True)


def _is_file(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)
