# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blobs: index files as they were in a state, frozen: the source's own may be newer when they are sent."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    copy_contents,
    sha256_file,
    sync_directory,
    sync_file,
    sync_file_system,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._pieces import Entry
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._walk import open_file

_MANY = 64  # beyond that syncfs(2) is cheaper than fsync(2) of each
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.EACCES)


class Blobs:
    """The folder ``<source>/.distrogate/mirrors/<name>/blobs``, one file ``<sha256>-<mtime_ns>`` each."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._unsynced: list[str] = []
        self._linked = False

    def path(self, entry: Entry) -> str:
        """Where the frozen file of an entry lies."""
        return f"{self.folder}/{entry.sha256}-{entry.mtime_ns}"

    def has(self, entry: Entry) -> bool:
        """Whether it lies there, with its size and time."""
        try:
            status = os.lstat(self.path(entry))
        except FileNotFoundError:
            return False
        return stat.S_ISREG(status.st_mode) and (status.st_size, status.st_mtime_ns) == entry[1:]

    def freeze(self, path: str | bytes, entry: Entry) -> None:
        """Keep the file ``path``; a publisher only ever replaces it by a rename, so it is linked.

        Error ``source_changing``: it is not that file any more.
        """
        if self.has(entry):
            return
        if self._link(path, entry):
            return
        copied = self.copy(path, entry.mtime_ns)
        if copied != entry:
            raise DistrogateError(
                "source_changing", f"{os.fsdecode(path)!r} changed while it was read; run again."
            )

    def _link(self, path: str | bytes, entry: Entry) -> bool:
        with self._temporary() as temporary:
            try:
                os.link(os.fsencode(path), os.fsencode(temporary), follow_symlinks=False)
            except OSError as error:
                if error.errno in _NO_LINK:
                    return False
                raise
            os.rename(temporary, self.path(entry))
        self._linked = True
        return self.has(entry)

    def copy(self, path: str | bytes, mtime_ns: int) -> Entry:
        """Keep a copy of a file that may change under our eyes; returns what was copied."""
        with self._temporary() as temporary:
            source = open_file(os.fsencode(path))
            try:
                target = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                try:
                    copy_contents(source, target, os.fstat(source).st_size)
                    os.fchmod(target, 0o644)
                    size = os.fstat(target).st_size
                finally:
                    os.close(target)
            finally:
                os.close(source)
            # HTTP readers revalidate by time: mirrors must show the source's.
            os.utime(temporary, ns=(mtime_ns, mtime_ns))
            entry = Entry(sha256_file(temporary), size, mtime_ns)
            os.rename(temporary, self.path(entry))
        self._unsynced.append(self.path(entry))
        return entry

    @contextlib.contextmanager
    def _temporary(self) -> t.Iterator[str]:
        """A path in the folder, where nothing is left when this fails."""
        path = f"{self.folder}/.tmp-{os.urandom(8).hex()}"
        try:
            if not os.path.isdir(self.folder):
                os.makedirs(self.folder, exist_ok=True)
            yield path
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def sync(self) -> None:
        """Make what was frozen durable."""
        try:
            if len(self._unsynced) > _MANY:
                sync_file_system(self.folder)
            elif self._unsynced or self._linked:
                for path in self._unsynced:
                    sync_file(path)
                sync_directory(self.folder)
        except OSError as error:
            raise from_os_error(error, self.folder) from error
        self._unsynced.clear()
        self._linked = False

    def collect(self, keep: t.Collection[Entry]) -> None:
        """Remove all blobs but those of these entries."""
        names = {os.path.basename(self.path(entry)) for entry in keep}
        for name in os.listdir(self.folder) if os.path.isdir(self.folder) else []:
            if name not in names:
                os.unlink(f"{self.folder}/{name}")
