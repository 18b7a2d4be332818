# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of lists: each named by the sha256 of its contents, and checked against it when it is read."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    sync_directory,
    sync_file,
    sync_file_system,
)

_CACHED = 16 << 20  # bytes of files that are kept in memory
_MANY = 64  # beyond that syncfs(2) is cheaper than fsync(2) of each
_LOCK = ".lock"


class ListFiles:
    """One folder of them. With ``in_memory`` new ones are not written."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.in_memory = False
        self._new: dict[str, bytes] = {}
        self._cache: dict[str, bytes] = {}
        self._cached = 0
        self._unsynced: list[str] = []
        self._broken: set[str] = set()

    def _path(self, name: str) -> str:
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise DistrogateError("bad_list", f"{name!r} is not the name of a list file.")
        return f"{self.folder}/{name}"

    def has(self, name: str) -> bool:
        """Whether it is here, and was not found broken."""
        return name in self._new or (name not in self._broken and os.path.exists(self._path(name)))

    def load(self, name: str) -> bytes:
        """The contents of a file. Error ``list_damaged``."""
        data = self._new.get(name) or self._cache.get(name)
        if data is None:
            data = self._read(name)
            self._remember(name, data)
        return data

    def _read(self, name: str) -> bytes:
        path = self._path(name)
        try:
            with open(path, "rb") as stream:
                data = stream.read()
        except FileNotFoundError as error:
            raise DistrogateError(
                "list_damaged", f"{path} is missing; the list must be made anew."
            ) from error
        if hashlib.sha256(data).hexdigest() != name:
            self._broken.add(name)
            raise DistrogateError(
                "list_damaged", f"{path} is not what was written there; the list must be made anew."
            )
        return data

    def _remember(self, name: str, data: bytes) -> None:
        self._cache[name] = data
        self._cached += len(data)
        while self._cached > _CACHED and len(self._cache) > 1:
            self._cached -= len(self._cache.pop(next(iter(self._cache))))

    def store(self, data: bytes) -> str:
        """Keep a file; returns its name."""
        name = hashlib.sha256(data).hexdigest()
        if self.in_memory:
            self._new[name] = data
        elif name not in self._cache or not os.path.exists(self._path(name)):
            if not self._is_there(name, data):
                self._write(name, data)
            self._broken.discard(name)
            self._remember(name, data)
        return name

    def _is_there(self, name: str, data: bytes) -> bool:
        """With these contents: a broken file of that name is replaced."""
        try:
            with open(self._path(name), "rb") as stream:
                return stream.read() == data
        except FileNotFoundError:
            return False

    def _write(self, name: str, data: bytes) -> None:
        temporary = f"{self.folder}/.tmp-{os.urandom(8).hex()}"
        try:
            self._write_new(temporary, data)
            os.rename(temporary, self._path(name))
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise from_os_error(error, self.folder) from error
        self._unsynced.append(name)

    def _write_new(self, path: str, data: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o444)
        except FileNotFoundError:
            os.makedirs(self.folder, exist_ok=True)
            descriptor = os.open(path, flags, 0o444)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            os.fchmod(stream.fileno(), 0o444)  # whatever the umask

    def sync(self) -> None:
        """Make what was written durable."""
        try:
            if len(self._unsynced) > _MANY:
                sync_file_system(self.folder)
            elif self._unsynced:
                for name in self._unsynced:
                    sync_file(self._path(name))
                sync_directory(self.folder)
        except OSError as error:
            raise from_os_error(error, self.folder) from error
        self._unsynced.clear()

    @contextlib.contextmanager
    def hold(self, timeout: float) -> t.Iterator[None]:
        """Together with others who hold it, but not while somebody is ``alone``."""
        with self._locked(fcntl.LOCK_SH, timeout) as locked:
            if not locked:
                raise DistrogateError(
                    "lock_timeout",
                    f"{self.folder} was being tidied for {timeout:g} s. Wait for its end, or raise timeout.",
                )
            yield

    def alone(self) -> contextlib.AbstractContextManager[bool]:
        """Whether nobody else holds it: then they wait."""
        return self._locked(fcntl.LOCK_EX, 0)

    @contextlib.contextmanager
    def _locked(self, how: int, timeout: float) -> t.Iterator[bool]:
        try:
            os.makedirs(self.folder, exist_ok=True)
            descriptor = os.open(f"{self.folder}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise from_os_error(error, self.folder) from error
        try:
            yield _flock(descriptor, how, timeout)
        finally:
            os.close(descriptor)

    def remove_others(self, keep: t.Container[str]) -> None:
        """Remove all files but these, and what killed writers left."""
        for name in os.listdir(self.folder):
            if name not in keep and name != _LOCK:
                os.unlink(f"{self.folder}/{name}")


def _flock(descriptor: int, how: int, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
