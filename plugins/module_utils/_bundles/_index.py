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
import os
import pathlib
import sqlite3
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import OWN, Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index_build import (
    FORMAT,
    Behind,
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


class _Broken(Exception):
    """The index has to be made anew."""


def with_index(
    archive: Archive,
    trust: Trust,
    work: Work[T],
    *,
    progress: t.Callable[[str], None],
    timeout: float = 600.0,
) -> T:
    """What ``work`` returns, which reads an index that is up to the files as they were when this was called."""
    if not os.path.isdir(archive.root):
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
            create(connection)
            return work(connection)
    path = f"{archive.root}/{OWN}/{NAME}"
    looked_ns = time.time_ns()
    stamps = archive.stamps()
    for attempt in range(3):
        seen = _inode(path)
        try:
            return _read(path, stamps, trust, work)
        except _Behind:
            forced = None
        except (_Broken, sqlite3.DatabaseError) as error:
            if _is_locked(error) or attempt == 2:
                raise _failed(path, error) from error
            forced = seen
        _refresh(archive, path, trust, forced, looked_ns, progress, timeout)
        stamps = None  # what comes later than the call need not be in it
    raise _failed(path, RuntimeError("it is behind as soon as it is made"))


class _Behind(Exception):
    """The index has to be brought up to the files."""


def _failed(path: str, error: Exception) -> DistrogateError:
    return DistrogateError(
        "index_failed", f"The index {path} cannot be used: {error}. Remove it: it is made anew from the archive."
    )


def _is_locked(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "locked" in str(error)


def _inode(path: str) -> int | None:
    try:
        return os.stat(path).st_ino
    except OSError:
        return None


def _open(path: str) -> sqlite3.Connection:
    """The index as it is. Its folder may be somebody else's, who may not be written to."""
    if not os.path.isfile(path):
        raise _Broken("there is none")
    mode = "rw" if os.access(path, os.W_OK) and os.access(os.path.dirname(path), os.W_OK) else "ro"
    address = f"{pathlib.Path(path).as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=_BUSY, isolation_level=None)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != FORMAT:
            raise _Broken(f"it has the version {version}, not {FORMAT}")
    except BaseException:
        connection.close()
        raise
    return connection


def _read(path: str, stamps: dict[str, str] | None, trust: Trust, work: Work[T]) -> T:
    with contextlib.closing(_open(path)) as connection:
        connection.execute("BEGIN")  # one state of the index for all that is read
        if stamps is not None and not behind(connection, stamps, trust.keyids).nothing:
            raise _Behind
        return work(connection)


def _refresh(
    archive: Archive,
    path: str,
    trust: Trust,
    broken: int | None,
    looked_ns: int,
    progress: t.Callable[[str], None],
    timeout: float,
) -> None:
    """Bring the index up to the files, or make it anew; ``broken`` is the inode of one that is no use."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with file_lock(f"{os.path.dirname(path)}/lock", timeout):
            looked_ns, stamps = time.time_ns(), archive.stamps()
            try:
                if broken is not None and _inode(path) == broken:
                    raise _Broken
                connection = _open(path)
            except (_Broken, sqlite3.DatabaseError):
                _make(archive, path, trust, stamps, looked_ns, progress)
                return
            with contextlib.closing(connection):
                what = behind(connection, stamps, trust.keyids)
                if not what.nothing:
                    catch_up(connection, archive, what, trust.keys(), looked_ns, progress)
    except OSError as error:
        raise from_os_error(error, archive.root) from error


def _make(
    archive: Archive,
    path: str,
    trust: Trust,
    stamps: dict[str, str],
    looked_ns: int,
    progress: t.Callable[[str], None],
) -> None:
    """Make an index in a file of its own, which takes the place of the old one when it is whole."""
    progress(f"making the index of {archive.root} anew from {len(stamps)} bundles")
    new = f"{path}.new"
    for name in (new, f"{new}-journal"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")  # nobody reads it before it is whole
        connection.execute("PRAGMA synchronous = OFF")
        create(connection)
        catch_up(connection, archive, Behind(stamps, set()), trust.keys(), looked_ns, progress)
    sync_file(new)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{path}-journal")  # the old one's: played back into the new one it would break it
    os.rename(new, path)
    sync_directory(os.path.dirname(path))
