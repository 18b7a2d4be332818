# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The root as it is before extra packages come in, kept for images that differ in these alone.

A layer is named by the digest of all that decides about it: elements, tools,
our own code, sources, repositories, base, the state of the distribution, the
environment; it is kept only if all that is the same when it is complete. So what
a stranger's element did to it reaches only images that are made of that very
element. It appears by one rename, belongs to subordinate ids, and builds see
it read-only.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    digest_json,
    sync_directory,
    sync_file,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import remove_folder
from ansible_collections.distrogate.ci.plugins.module_utils._images._fetch import Fetcher
from ansible_collections.distrogate.ci.plugins.module_utils._images._inputs import code_of
from ansible_collections.distrogate.ci.plugins.module_utils._images._memo import Memo
from ansible_collections.distrogate.ci.plugins.module_utils._images._snapshots import snapshots_of
from ansible_collections.distrogate.ci.plugins.module_utils._images._trees import file_digest, tree_digest

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

SEEN = "/layer"  # where a build sees the layer that it begins with
FOLDER = "dib"
FILES = ("complete", "hooks.tar", "root.tar")
KEEP = 4  # layers that are kept, the newest
_FORMAT = 3
_SECONDS = 60


class Layer:
    """The layer of one build: taken from the cache, or made by this build and kept afterwards."""

    def __init__(
        self, request: ImageRequest, elements: dict[str, str], tools: dict[str, str], place: BuildPlace
    ) -> None:
        self.place = place
        self.home = os.path.join(place.cache, FOLDER)
        self._name = lambda: name_of(request, elements, tools)
        self.path = os.path.join(self.home, self._name())
        self._stack = contextlib.ExitStack()
        self.what = "record"  # what the programs of the build are to do

    def __enter__(self) -> Layer:
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        if self._held(self.path):
            os.utime(self.path)
            self.what = "restore"
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @property
    def told(self) -> str:
        return ", from a cached layer" if self.what == "restore" else ""

    @property
    def binds(self) -> dict[str, str]:
        return {SEEN: os.path.join(self.path, "layer")} if self.what == "restore" else {}

    def keep(self) -> None:
        """Put away what this build recorded, and drop the oldest ones that nobody uses."""
        made = os.path.join(self.place.directory, "layer")
        if self.what != "record" or not all(os.path.lexists(os.path.join(made, name)) for name in FILES):
            return
        if self._name() != os.path.basename(self.path):
            self.place.note("no layer is kept: what it is made of changed meanwhile")
            return
        files = [(os.path.join(made, name), stat.S_ISREG) for name in FILES]
        for path, plain in [*files, (made, stat.S_ISDIR)]:
            if not plain(os.lstat(path).st_mode):  # the build could write here
                self.place.note(f"no layer is kept: {path} is no plain file or folder")
                return
            sync_file(path)  # else it could be there and empty after a loss of power
        new = tempfile.mkdtemp(prefix=".new-", dir=self.place.place)
        os.rename(made, os.path.join(new, "layer"))
        sync_directory(new)
        with contextlib.suppress(OSError):  # another build was quicker
            os.rename(new, self.path)
        for path in self._oldest():
            with contextlib.suppress(OSError, DistrogateError):  # another one removes it, or uses it
                drop(path, self.place.place)

    def _held(self, path: str) -> bool:
        """Hold a layer that is there, so that nobody removes it while it is in use."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        self._stack.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return os.path.isdir(os.path.join(path, "layer"))

    def _oldest(self) -> list[str]:
        """Those that are too many."""
        rows = []
        for entry in os.scandir(self.home):
            with contextlib.suppress(FileNotFoundError):
                rows.append((entry.stat(follow_symlinks=False).st_mtime, entry.path))
        return [path for _time, path in sorted(rows)[:-KEEP]]


def drop(path: str, work: str) -> None:
    """Remove a layer; ``work`` is a place's folder, which is removed also after our death.

    BlockingIOError: a build uses it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        gone = tempfile.mkdtemp(prefix=".old-", dir=work)
        os.rename(path, os.path.join(gone, "old"))
    finally:
        os.close(descriptor)
    remove_folder(gone)


def name_of(request: ImageRequest, elements: dict[str, str], tools: dict[str, str]) -> str:
    """The name of the layer that a request begins with, by what that is made of at this moment."""
    memo = Memo(None)
    fetcher = Fetcher(_SECONDS)
    seen = dict(snapshots_of(request.mirror, fetcher)) if request.mirror else {}
    for number, repository in enumerate(request.repositories):
        if not repository.digest:  # nobody says what is in it
            states = snapshots_of(repository.text, fetcher)
            seen.update({f"{number}:{suite}": state for suite, state in states.items()})
    value = {
        "format": _FORMAT,
        "code": code_of(request.builder),
        "elements": {name: tree_digest(path, memo, ("static",)) for name, path in elements.items()},
        "tools": tools,
        "sources": {source.project: source.commit for source in request.sources},
        "repositories": [[one.digest, one.text] for one in request.repositories],
        "base": file_digest(request.base, memo) if request.base else "",
        "states": {name: state.digest for name, state in seen.items()},
        "suite": request.suite,
        "architecture": request.architecture,
        "environment": request.environment,
        "mirror": request.mirror,
    }
    return digest_json(value).partition(":")[2]
