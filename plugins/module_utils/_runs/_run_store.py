# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A place that outlives the machine on which a stage runs, and holds what cannot be made again.

Not kept are workspace/, which is made again from the frozen commits, scratch/, and lease/.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    inside,
    read_json,
    sync_directory,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock

FILES = ("bundle.json", "report.tar.gz", "run.json")
FOLDERS = ("artifacts", "logs", "repositories", "results", "stages", "statements")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_MOST = 100_000  # files of a run
_BLOCK = 1 << 20

Listing = dict[str, str]  # sha256 by path


def _open(path: str) -> int:
    """A plain file, opened; a link or anything else is an error."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise DistrogateError("bad_file", f"{path} is not a plain file: it cannot be kept. Remove it.")
    return descriptor


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with os.fdopen(_open(path), "rb") as stream:
        for block in iter(lambda: stream.read(_BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def _below(root: str, folder: str) -> t.Iterator[str]:
    """The plain files below a folder, relative to ``root``, without links and files being written."""
    for at, folders, files in os.walk(os.path.join(root, folder)):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in sorted(files):
            path = os.path.join(at, name)
            if name[0] != "." and stat.S_ISREG(os.lstat(path).st_mode):
                yield os.path.relpath(path, root)


def listing(root: str) -> Listing:
    """Everything that is kept of a run, with its digest."""
    names = [name for name in FILES if os.path.isfile(os.path.join(root, name))]
    for folder in FOLDERS:
        if os.path.isdir(os.path.join(root, folder)) and not os.path.islink(os.path.join(root, folder)):
            for name in _below(root, folder):
                names.append(name)
                if len(names) > _MOST:
                    raise DistrogateError("too_large", f"{root} has more than {_MOST} files to keep.")
    return {name: _digest(os.path.join(root, name)) for name in names}


def _copy(source: str, target: str, sha256: str) -> None:
    """Bring one file over: whole or not at all, and with the digest that it had when it was listed."""
    folder = os.path.dirname(target)
    os.makedirs(folder, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".tmp-", dir=folder)
    digest = hashlib.sha256()
    try:
        with os.fdopen(descriptor, "wb") as out, os.fdopen(_open(source), "rb") as stream:
            for block in iter(lambda: stream.read(_BLOCK), b""):
                digest.update(block)
                out.write(block)
            out.flush()
            os.fchmod(out.fileno(), 0o644)
            os.fsync(out.fileno())
        if digest.hexdigest() != sha256:
            raise DistrogateError("changed", f"{source} changed while it was copied. Do the stage again.")
        os.rename(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_directory(folder)


def _records_last(name: str) -> tuple[int, str]:
    """Whoever sees a record finds what it names: records come after all else, run.json at the end."""
    return (2 if name == "run.json" else 1 if name.startswith("stages/") else 0, name)


def _own(run_dir: str, stage: str) -> t.Callable[[str], bool]:
    """Which paths are the stage's: its record, log and results, and what its record names."""
    named: set[str] = set()
    with contextlib.suppress(DistrogateError):
        record = read_json(inside(run_dir, f"stages/{stage}.json"))
        named.update(str(each.get("path", "")) for each in record.get("artifacts", []))
        named.update(str(path) for key in ("logs", "results") for path in record.get(key) or [])
    prefix = re.compile(
        rf"(stages/{re.escape(stage)}\.json|(logs|results|repositories)/{re.escape(stage)}[./].*)"
    )
    whole = ("bundle.json",) if stage == "seal" else ("report.tar.gz",) if stage == "report" else ()
    return lambda name: name in named or name in whole or bool(prefix.fullmatch(name))


def _of_another(name: str, stage: str, kept: Listing) -> bool:
    """Whether it is the log of a stage that another machine ran: made here, because a workspace was."""
    folder, _slash, rest = name.partition("/")
    maker = rest.partition("/")[0].partition(".")[0]
    return folder in ("logs", "results") and maker != stage and f"stages/{maker}.json" in kept


class RunStore:
    """The kept copy of one run; ``store`` is the folder of all of them."""

    def __init__(self, store: str, run_dir: str) -> None:
        self.run_dir = os.path.abspath(run_dir)
        name = os.path.basename(self.run_dir)
        if not _ID.fullmatch(name):
            raise DistrogateError("bad_name", f"{name!r} is not the name of a run.")
        self.path = os.path.join(os.path.abspath(store), name)
        if self.path == self.run_dir:
            raise DistrogateError(
                "same_place", f"{self.run_dir} is the kept copy itself. Give run_store another folder."
            )

    def fetched(self, stage: str, check_mode: bool) -> Listing:
        """Bring in what is kept, before a stage; returns what came, by path.

        The stage's own kept record goes: should its machine die, it must not look done.
        """
        if not os.path.isdir(self.path):
            if not os.path.exists(os.path.join(self.run_dir, "run.json")):
                raise DistrogateError(
                    "no_run",
                    f"Neither {self.path} nor {self.run_dir} has a run. Run the playbook freeze first.",
                )
            return {}
        with self._locked():
            kept, here = listing(self.path), listing(self.run_dir)
            wanted = {name: sha for name, sha in kept.items() if here.get(name) != sha}
            if not check_mode:
                self._bring(self.path, self.run_dir, wanted)
                if stage:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(inside(self.path, f"stages/{stage}.json"))
        return wanted

    def kept(self, stage: str, check_mode: bool) -> Listing:
        """Bring out what the stage made; returns what went, by path.

        What another machine keeps at the same time stays: only what is not there, and what is the
        stage's own, is written.
        """
        if not check_mode:
            os.makedirs(self.path, exist_ok=True)
        elif not os.path.isdir(self.path):
            return listing(self.run_dir)
        own = _own(self.run_dir, stage)
        with self._locked():
            kept, here = listing(self.path), listing(self.run_dir)
            wanted = {
                name: sha
                for name, sha in here.items()
                if own(name) or (name not in kept and not _of_another(name, stage, kept))
                if kept.get(name) != sha
            }
            if not check_mode:
                self._bring(self.run_dir, self.path, wanted)
        return wanted

    def workspace_missing(self) -> bool:
        """Whether the checkouts were made on another machine, and are not here."""
        folder = os.path.join(self.run_dir, "workspace")
        there = os.path.isdir(folder) and any(name[0] != "." for name in os.listdir(folder))
        path = os.path.join(self.run_dir, "stages", "workspace.json")
        if there or not os.path.isfile(path):
            return False
        return bool(read_json(path).get("verdict") == "success")

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        with file_lock(os.path.join(self.path, ".lock")):
            yield

    def _bring(self, source: str, target: str, wanted: Listing) -> None:
        real = os.path.realpath(target)
        for name in sorted(wanted, key=_records_last):
            path = inside(target, name)
            folder = os.path.dirname(path)
            os.makedirs(folder, exist_ok=True)
            if os.path.realpath(folder) != os.path.normpath(os.path.join(real, os.path.dirname(name))):
                raise DistrogateError(
                    "bad_name", f"{folder} is a link that leads elsewhere. Put a folder there."
                )
            _copy(inside(source, name), path, wanted[name])
