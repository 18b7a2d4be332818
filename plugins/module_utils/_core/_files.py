# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are whole or not there: atomic writes, digests, names that stay inside."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_FICLONE = 0x40049409  # linux/fs.h: share the extents of another file
_BLOCK = 1 << 20

TEMPORARY = "distrogate-"  # how temporary folders of ours begin, so that the janitor knows them


def sync_directory(path: str) -> None:
    """Make renames within a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: str) -> None:
    """Make the contents of one file durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(path: str) -> None:
    """Make everything durable that was written to the file system of ``path`` (syncfs(2))."""
    import ctypes  # costs milliseconds, and few calls write many files

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
    finally:
        os.close(descriptor)


def write_atomic(path: str, data: bytes | str, mode: int = 0o644, durable: bool = True) -> None:
    """Write a file by rename: a reader sees the old contents or the new ones."""
    content = data.encode("utf-8") if isinstance(data, str) else data
    directory = os.path.dirname(path) or "."
    descriptor, temporary = tempfile.mkstemp(prefix=".tmp-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            os.fchmod(stream.fileno(), mode)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    if durable:
        sync_directory(directory)


def canonical_json(value: t.Any) -> bytes:
    """One spelling for one value: sorted keys, no spaces, UTF-8 (as RFC 8785 does for such values)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def digest_json(value: t.Any) -> str:
    """``sha256:…`` of the canonical form."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()


def write_json(path: str, value: t.Any, mode: int = 0o644) -> None:
    """Write JSON that a person can read, by rename."""
    write_atomic(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", mode=mode)


def _unique(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return keys


def _no_constant(name: str) -> t.NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse_json(data: bytes | str, name: str, limit: int = 64 << 20) -> t.Any:
    """Parse JSON from a stranger: bounded in size, no duplicate keys, nothing that has no digest."""
    if len(data) > limit:
        raise DistrogateError("bad_json", f"{name} is larger than {limit} bytes; it was not read.")
    try:
        value = json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)
        if "\\u" in (data if isinstance(data, str) else data.decode("ascii", "replace")):
            canonical_json(value)  # half a surrogate pair has no UTF-8, so no digest
        return value
    except (ValueError, RecursionError) as error:
        raise DistrogateError("bad_json", f"{name} is not valid JSON: {error}") from error


def read_json(path: str, limit: int = 64 << 20) -> t.Any:
    """Read a JSON file; a missing or broken one is an error with reason ``not_found`` or ``bad_json``."""
    try:
        with open(path, "rb") as stream:
            data = stream.read(limit + 1)
    except FileNotFoundError as error:
        raise DistrogateError("not_found", f"There is no file {path}.") from error
    return parse_json(data, path, limit)


def sha256_file(path: str) -> str:
    """Hexadecimal sha256 of a file's contents."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def inside(root: str, name: str) -> str:
    """The path of ``name`` below ``root``; names that would leave it are refused.

    ``name`` is relative, without ``..``, empty parts or NUL. Links are the
    caller's matter: open the result with ``O_NOFOLLOW`` where strangers write.
    """
    framed = f"/{name}/"
    if "//" in framed or "/./" in framed or "/../" in framed or "\0" in name:
        raise DistrogateError("bad_name", f"The name {name!r} would leave {root}, or is empty.")
    return f"{root.rstrip('/')}/{name}"


def copy_contents(source: int, target: int, size: int) -> None:
    """Fill the open file ``target`` with ``size`` bytes of the open file ``source``.

    By reflink where the file system can, else by bytes; never by hard link:
    whoever made ``source`` must not keep a writable name of ``target``.
    """
    try:
        fcntl.ioctl(target, _FICLONE, source)
        return
    except OSError:
        os.lseek(source, 0, os.SEEK_SET)
    while size > 0:
        sent = os.sendfile(target, source, None, min(size, 1 << 30))
        if sent == 0:
            return  # it became shorter: the caller compares digests
        size -= sent


def clone_file(source: str, target: str, mode: int = 0o644) -> None:
    """Copy a file, durable, by rename; see ``copy_contents``."""
    descriptor, temporary = tempfile.mkstemp(prefix=".tmp-", dir=os.path.dirname(target) or ".")
    try:
        with os.fdopen(descriptor, "wb") as out, open(source, "rb") as stream:
            copy_contents(stream.fileno(), out.fileno(), os.fstat(stream.fileno()).st_size)
            os.fchmod(out.fileno(), mode)
            os.fsync(out.fileno())
        os.rename(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
