# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bundle's files on their hosts: reading a run directory, adding to it, and taking files in."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import tempfile
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._values import text_fault
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    clone_file,
    inside,
    parse_json,
    sha256_file,
    sync_directory,
)

_WRITABLE = re.compile(r"bundle\.json|statements/[a-z0-9][a-z0-9._-]{0,199}\.json")
# A promotion's is hexadecimal; for a test repository it is the run's id.
_TRANSACTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_HEX = re.compile(r"[0-9a-f]{64}")
_LIMIT = 16 << 20
_TOTAL = 64 << 20  # of a folder: tens of thousands of statements
_NO_FILE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO))  # none, a link, or a socket


def read_text(path: str) -> str | None:
    """A file's text, None when there is no such plain file.

    One that is there and cannot be read is an error: left out, a hold would be no hold.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            data = stream.read(_LIMIT + 1)
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise _unreadable(path, error) from error
    if len(data) > _LIMIT:
        raise DistrogateError("bad_json", f"{path} is larger than {_LIMIT} bytes; it was not read.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DistrogateError("bad_json", f"{path} is not UTF-8 text.") from error


def _unreadable(path: str, error: OSError) -> DistrogateError:
    return DistrogateError(
        "io_error",
        f"{path} cannot be read: {error.strerror}. Nothing was done without it. Repair that first.",
    )


def read_folder(folder: str) -> dict[str, str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        if error.errno in _NO_FILE:
            return {}
        raise _unreadable(folder, error) from error
    found, total = {}, 0
    for name in names:
        # The names of files that are being written begin with a dot.
        text = read_text(os.path.join(folder, name)) if name.endswith(".json") and name[0] != "." else None
        if text is not None:
            found[_shown(name)] = text
            total += len(text)
        if total > _TOTAL:
            raise DistrogateError(
                "too_large",
                f"The files in {folder} have more than {_TOTAL} characters. Look at what they are.",
            )
    return found


def _shown(name: str) -> str:
    """A name that can be printed and sent; anybody may have given it."""
    return urllib.parse.quote(os.fsencode(name), safe=" +,=@") if text_fault(name) else name


def _paths(text: str, name: str) -> list[str]:
    """The paths of the artifacts in a stage's record or a bundle; whoever reads it checks its form."""
    with contextlib.suppress(AttributeError, KeyError, TypeError):
        artifacts = parse_json(text, name).get("artifacts", [])
        return [str(artifact["path"]) for artifact in artifacts if "path" in artifact]
    return []


def _sha256_inside(run_dir: str, name: str) -> str | None:
    """The digest of a plain file below ``run_dir``; no link may lead out of it."""
    with contextlib.suppress(DistrogateError, OSError):
        path = inside(run_dir, name)
        real = os.path.realpath(run_dir)
        if os.path.realpath(path) == os.path.join(real, name) and os.path.isfile(path):
            return sha256_file(path)
    return None


def read_run(run_dir: str, check: t.Sequence[str]) -> dict[str, t.Any]:
    """All of a run directory's small files as text, and the digests of the artifacts.

    ``check`` says whose artifacts are read: those of ``stages``, those of the ``bundle``.
    """
    run = read_text(os.path.join(run_dir, "run.json"))
    if run is None:
        raise DistrogateError(
            "no_run", f"{run_dir} is not a run directory: it has no run.json. Run the stage freeze first."
        )
    stages = read_folder(os.path.join(run_dir, "stages"))
    bundle = read_text(os.path.join(run_dir, "bundle.json"))
    paths: set[str] = set()
    if "stages" in check:
        for name, text in stages.items():
            paths.update(_paths(text, f"stages/{name}"))
    if "bundle" in check and bundle is not None:
        with contextlib.suppress(DistrogateError):  # the policy says what is wrong with it
            paths.update(_paths(bundle, "bundle.json"))
    return {
        "run": run,
        "stages": {name[: -len(".json")]: text for name, text in stages.items()},
        "bundle": bundle,
        "statements": read_folder(os.path.join(run_dir, "statements")),
        "found": {path: _sha256_inside(run_dir, path) for path in sorted(paths)},
    }


def write_once(run_dir: str, files: t.Mapping[str, str], check_mode: bool) -> list[str]:
    """Add files to a run directory, in the order given; returns those that were not there.

    Nothing is ever overwritten: a bundle is sealed once, statements are only added.
    """
    for name in files:
        if not _WRITABLE.fullmatch(name):
            raise DistrogateError(
                "bad_name", f"{name!r} is not a file that may be written into a run directory."
            )
        _check_folder(run_dir, name)
    added = []
    for name, text in files.items():
        path = inside(run_dir, name)
        if os.path.lexists(path):
            _same(path, text)
            continue
        added.append(name)
        if not check_mode:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _create(path, text.encode("utf-8"))
    return added


def _check_folder(run_dir: str, name: str) -> None:
    """Whoever owns a run directory may be somebody else than who writes: no link leads out of it."""
    folder, real = os.path.dirname(inside(run_dir, name)), os.path.realpath(run_dir)
    if os.path.realpath(folder) != os.path.join(real, os.path.dirname(name)).rstrip("/"):
        raise DistrogateError(
            "bad_name", f"{folder} is a link that leads elsewhere: nothing was written. Put a folder there."
        )


def _same(path: str, text: str) -> None:
    if read_text(path) == text:
        return
    if os.path.basename(path) == "bundle.json":
        raise DistrogateError(
            "bundle_sealed",
            f"{path} is sealed with other contents. Give the new artifacts a run directory of their own.",
        )
    raise DistrogateError(
        "statement_exists", f"{path} is there with other contents; statements are only added."
    )


def _create(path: str, data: bytes) -> None:
    """Make a whole new file or none; unlike a rename, a link never replaces what another process made."""
    directory = os.path.dirname(path)
    descriptor, temporary = tempfile.mkstemp(prefix=".tmp-", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), 0o644)
            os.fsync(stream.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            _same(path, data.decode("utf-8"))
    finally:
        os.unlink(temporary)
    sync_directory(directory)


def take_in(
    incoming: str, transaction: str, files: t.Sequence[dict[str, str]]
) -> tuple[dict[str, str], list[str]]:
    """Take files into ``incoming``/TRANSACTION/SHA256/NAME, each checked.

    Returns paths by sha256, and the digests of those that were not there.
    """
    folder = _transaction_folder(incoming, transaction)
    paths, new = {}, []
    for file in files:
        sha256, name = file["sha256"], file["name"]
        if not _HEX.fullmatch(sha256) or "/" in name:
            raise DistrogateError("bad_name", f"{sha256!r} {name!r} is not a digest and the name of a file.")
        path = inside(folder, f"{sha256}/{name}")
        if not (os.path.isfile(path) and sha256_file(path) == sha256):
            _arrive(file["source"], path, sha256)
            new.append(sha256)
        paths[sha256] = path
    return paths, new


def _arrive(source: str, path: str, sha256: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    arrived = os.path.join(os.path.dirname(path), ".arriving")
    clone_file(source, arrived, mode=0o444)  # what is checked now stays so
    actual = sha256_file(arrived)
    if actual != sha256:
        os.unlink(arrived)
        raise DistrogateError(
            "digest_mismatch",
            f"{os.path.basename(path)} arrived with the sha256 {actual}, not {sha256}. Try again.",
        )
    os.rename(arrived, path)


def clear_out(incoming: str, transaction: str, check_mode: bool) -> bool:
    """Remove what came in for a transaction; returns whether there was anything."""
    folder = _transaction_folder(incoming, transaction)
    if not os.path.isdir(folder):
        return False
    if not check_mode:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # another promotion's files may be there
            os.rmdir(incoming)
    return True


def _transaction_folder(incoming: str, transaction: str) -> str:
    if not _TRANSACTION.fullmatch(transaction):
        raise DistrogateError("bad_transaction", f"{transaction!r} is not a transaction's id.")
    return inside(os.path.abspath(incoming), transaction)
