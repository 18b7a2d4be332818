# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a report in its place: made aside, packed, exchanged; a kill leaves the older one or the new one."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import os
import shutil
import tarfile
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_ASIDE = ".report-"
_OLD = ".report-old"
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_AT_FDCWD = -100


@contextlib.contextmanager
def alone(run_dir: str) -> t.Iterator[None]:
    """One report of a run at a time; the kernel frees the lock with its process."""
    path = os.path.join(run_dir, "stages")
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise DistrogateError(
            "no_run", f"{run_dir} has no folder stages: it is not a run directory. Give the run_dir of a run."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def tidy(run_dir: str) -> None:
    """Remove what a killed report left, and bring back what it had moved away."""
    old, report = os.path.join(run_dir, _OLD), os.path.join(run_dir, "report")
    if os.path.isdir(old) and not os.path.lexists(report):
        os.rename(old, report)
    for entry in os.scandir(run_dir):
        if entry.name.startswith(_ASIDE):
            remove(entry.path)


def remove(path: str) -> None:
    """Remove a folder, a file or a link itself."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


@contextlib.contextmanager
def aside(run_dir: str) -> t.Iterator[str]:
    """A folder to make the report in; it is gone at the end, whatever happens."""
    folder = tempfile.mkdtemp(prefix=_ASIDE, dir=run_dir)
    try:
        os.mkdir(os.path.join(folder, "report"), 0o755)
        os.chmod(os.path.join(folder, "report"), 0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def pack(folder: str, name: str, target: str, moments: t.Mapping[str, float], otherwise: float) -> None:
    """One archive of a folder, below ``name``: the same bytes for the same files and moments."""
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(open(target, "xb"))
        packed = stack.enter_context(gzip.GzipFile("", "wb", 5, raw, mtime=0))
        archive = stack.enter_context(tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT))
        for path in _below(folder):
            relative = os.path.relpath(path, folder)
            info = tarfile.TarInfo(name if relative == "." else f"{name}/{relative}")
            info.mtime = int(moments.get(relative, otherwise))
            if os.path.isdir(path):
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
                continue
            info.mode, info.size = 0o644, os.path.getsize(path)
            with open(path, "rb") as stream:
                archive.addfile(info, stream)
    os.chmod(target, 0o644)


def _below(folder: str) -> t.Iterator[str]:
    yield folder
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)
        else:
            yield entry.path


def put(folder: str, run_dir: str) -> None:
    """Make ``folder/report`` and ``folder/report.tar.gz`` the run's."""
    new, report = os.path.join(folder, "report"), os.path.join(run_dir, "report")
    if not os.path.lexists(report):
        os.rename(new, report)
    elif not _exchanged(new, report):
        old = os.path.join(run_dir, _OLD)
        os.rename(report, old)
        os.rename(new, report)
        remove(old)
    os.rename(os.path.join(folder, "report.tar.gz"), os.path.join(run_dir, "report.tar.gz"))


def _exchanged(one: str, other: str) -> bool:
    """Exchange two names in one step; false where the system or its file system cannot."""
    import ctypes  # costs milliseconds, and a first report does not need it

    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        return False
    raise OSError(number, os.strerror(number), other)
