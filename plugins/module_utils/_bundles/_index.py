# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The index of an archive: which bundles there are, what is in them and what was said about them.

``ARCHIVE/.distrogate/index.sqlite`` is made from the files of the archive and can be removed at any time. Who
asks compares it with the files first, and brings it up to them when it is missing, broken, of another version
or behind. One process does that at a time; the others wait for it and go on with what it made.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import sqlite3
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import OWN, Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_build import (
    FORMAT,
    Behind,
    Source,
    behind,
    catch_up,
    create,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import PublicKey
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sync_directory, sync_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock

NAME = "index.sqlite"
_BUSY = 60.0  # seconds to wait for another process that writes its last page

T = t.TypeVar("T")
Work = t.Callable[[sqlite3.Connection], T]


class Trust(t.Protocol):
    """Whose signatures count."""

    @property
    def keyids(self) -> t.AbstractSet[str]:
        """The ids of the keys."""

    def keys(self) -> t.Sequence[PublicKey]:
        """The keys themselves; asked for only when statements are read."""


class _BrokenError(Exception):
    """The index has to be made anew."""


class _BehindError(Exception):
    """The index has to be brought up to the files."""


class Index:
    """The index of an archive. Nothing is opened before something is read."""

    def __init__(
        self, archive: Archive, trust: Trust, progress: t.Callable[[str], None], timeout: float = 600.0
    ) -> None:
        self._archive = archive
        self._trust = trust
        self._progress = progress
        self._timeout = timeout
        self._folder = f"{archive.root}/{OWN}"
        self._path = f"{self._folder}/{NAME}"

    def read(self, work: Work[T]) -> T:
        """What ``work`` returns. It reads one state: that of the files at the time of this call, or later."""
        if not os.path.isdir(self._archive.root):
            # Perhaps it is not mounted, or misspelled: none found is no answer that may come in silence.
            self._progress(f"there is no folder {self._archive.root}: nothing is archived there")
            with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
                create(connection)
                return work(connection)
        stamps: dict[str, str] | None = self._archive.stamps()
        for _attempt in range(3):
            broken = None
            inode = _inode(self._path)
            try:
                return self._read(stamps, work)
            except _BehindError:
                stamps = None  # what comes later than the call need not be in it
            except (_BrokenError, sqlite3.DatabaseError) as error:
                broken = _BrokenError(str(error))
                if not _is_broken(error):
                    raise self._failed(error) from error
            self._refresh(inode if broken else None)
        raise self._failed(broken or _BrokenError("it is behind as soon as it is made"))

    def _failed(self, error: Exception) -> DistrogateError:
        if _is_full(error):
            return from_os_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), self._folder)
        return DistrogateError(
            "index_failed",
            f"The index {self._path} cannot be used: {error}. When no other process works with it, remove it:"
            " it is made anew from the archive.",
        )

    def _read(self, stamps: dict[str, str] | None, work: Work[T]) -> T:
        with contextlib.closing(_open(self._path)) as connection:
            connection.execute("BEGIN")  # one state of the index for all that is read
            if stamps is not None and not behind(connection, stamps, self._trust.keyids).nothing:
                raise _BehindError
            return work(connection)

    def _refresh(self, broken: int | None) -> None:
        """Bring the index up to the files, or make it anew; ``broken`` is the inode of one that is no use."""
        try:
            os.makedirs(self._folder, exist_ok=True)
            with file_lock(f"{self._folder}/lock", self._timeout):
                looked_ns, stamps = time.time_ns(), self._archive.stamps()
                if broken is not None and _inode(self._path) == broken:
                    self._make(stamps, looked_ns)
                    return
                try:
                    with contextlib.closing(_open(self._path)) as connection:
                        what = behind(connection, stamps, self._trust.keyids)
                        if not what.nothing:
                            self._catch_up(connection, what, looked_ns)
                except (_BrokenError, sqlite3.DatabaseError) as error:
                    if not _is_broken(error):
                        raise
                    self._make(stamps, looked_ns)
        except OSError as error:
            raise from_os_error(error, self._folder) from error
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _catch_up(self, connection: sqlite3.Connection, what: Behind, looked_ns: int) -> None:
        catch_up(connection, Source(self._archive, self._trust.keys(), looked_ns), what, self._progress)

    def _make(self, stamps: dict[str, str], looked_ns: int) -> None:
        """Make an index in a file of its own, which takes the place of the old one when it is whole."""
        self._progress(f"making the index of {self._archive.root} anew from {len(stamps)} bundles")
        new = f"{self._path}.new"
        _remove(new)
        try:
            with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
                connection.execute("PRAGMA journal_mode = OFF")  # nobody reads it before it is whole
                connection.execute("PRAGMA synchronous = OFF")
                create(connection)
                self._catch_up(connection, Behind(stamps, set()), looked_ns)
        except BaseException:
            _remove(new)  # a disk that is full need not stay so
            raise
        sync_file(new)
        # The journal is the old one's: played back into the new one it would break it. It goes after the
        # old one, which may be torn without it, and would not show that.
        _remove(self._path)
        _remove(f"{self._path}-journal")
        os.rename(new, self._path)
        sync_directory(self._folder)


def _is_broken(error: Exception) -> bool:
    """Whether making the index anew may help."""
    busy = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
    return not busy and not _is_full(error)


def _is_full(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "is full" in str(error)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def _open(path: str) -> sqlite3.Connection:
    """The index as it is. Its folder may be somebody else's, who alone may write there."""
    if not os.path.isfile(path):
        raise _BrokenError("there is none")
    mode = "rw" if os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK) else "ro"
    address = f"{pathlib.Path(path).as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY, isolation_level=None)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != FORMAT:
            raise _BrokenError(f"it has the version {version}, not {FORMAT}")
    except BaseException:
        connection.close()
        raise
    return connection
