# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images on a builder: one folder for each key, which is complete and never changes."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
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
    write_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_facts import KEY, wrong
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_files import (
    IMAGE,
    SUMS,
    damage,
    looks,
    present,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_clean import WORK
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import checked_name

NEWEST = "newest"
LOCK = "lock"
_HEX = re.compile(r"[0-9a-f]{64}")

Json = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Image:
    """One image: its folder, and the contents of its image.json."""

    path: str
    facts: Json

    @property
    def key(self) -> str:
        return str(self.facts["key"])


class Store:
    """The images of one name below ``output``, which may itself be reached through a link."""

    def __init__(self, output: str, name: str, read_only: bool = False) -> None:
        self.output = os.path.realpath(output)
        self.name = checked_name(name)
        self.home = inside(self.output, self.name)
        self._read_only = read_only

    def make(self) -> None:
        """Have the folder of the name; a link in its place is refused."""
        os.makedirs(self.output, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.home, 0o755)
            sync_directory(self.output)
        self.check()

    def check(self) -> None:
        """Nothing else lies where the folder of the name has to be. Error ``in_the_way``."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISDIR(os.lstat(self.home).st_mode):
                raise DistrogateError(
                    "in_the_way",
                    f"{self.home} is no folder, or a link. Move it away, or give another output.",
                    path=self.home,
                )

    def folder(self, key: str) -> str:
        """Where the image of ``key`` lies, or is going to."""
        match = KEY.fullmatch(key)
        if match is None:
            raise DistrogateError("bad_key", f"{key[:100]!r} is not the key of an image (sha256:…).")
        return inside(self.home, match[1])

    def log(self) -> str:
        """The log of the last build that belongs to no run."""
        return inside(self.home, f"{self.name}.log")

    def find(self, key: str, full: bool = False) -> Image | None:
        """The image of ``key``, None when there is none. Error ``damaged_image``: it is not whole.

        Its files are compared with what was found when they were last read: size, time and inode. ``full``
        reads them, whatever they look like.
        """
        return self.at(self.folder(key), key, full)

    def at(self, folder: str, key: str = "", full: bool = False) -> Image | None:
        """The image in a folder below the home; see ``find``."""
        if os.path.islink(folder) or not os.path.isdir(folder):
            return None
        try:
            facts = read_json(os.path.join(folder, IMAGE), limit=8 << 20)
        except DistrogateError as error:
            raise damaged(folder, error.message) from error
        why = wrong(facts, self.name, key) or self._damage(folder, facts, full)
        if why:
            raise damaged(folder, why)
        return Image(folder, present(folder, facts))

    def _damage(self, folder: str, facts: Json, full: bool) -> str:
        why, digests = damage(folder, facts, self._seen_path(folder), full)
        if digests is not None and not self._read_only:
            self.remember(folder, digests)
        return why

    def remember(self, folder: str, digests: t.Iterable[str]) -> None:
        """Know what the files look like that were just read; they need not be read again for a while."""
        seen = {"files": looks(folder, [*digests, SUMS])}
        with contextlib.suppress(OSError):
            write_json(self._seen_path(folder), seen, mode=0o600)

    def _seen_path(self, folder: str) -> str:
        """Where it is kept what the files of an image looked like when they were last read."""
        return os.path.join(self.home, f".seen-{os.path.basename(folder)[:64]}.json")

    def use(self, folder: str) -> bool:
        """Let the janitor know that an image is in use from now on; False when it was quicker."""
        if self._read_only:
            return True
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            with contextlib.suppress(PermissionError):  # of another user
                os.utime(descriptor)
            return os.path.samestat(os.fstat(descriptor), os.stat(folder))
        except FileNotFoundError:
            return False
        finally:
            os.close(descriptor)

    def newest(self) -> Image | None:
        """The newest image that was built here; None when there is none that can be read."""
        try:
            name = os.readlink(os.path.join(self.home, NEWEST))
            facts = (
                read_json(os.path.join(self.home, name, IMAGE), limit=8 << 20) if _HEX.fullmatch(name) else {}
            )
        except (OSError, DistrogateError):
            return None
        return None if wrong(facts, self.name, "") else Image(os.path.join(self.home, name), facts)

    def all_keys(self) -> list[str]:
        """The keys of all images that were built here."""
        names = os.listdir(self.home) if os.path.isdir(self.home) else []
        return sorted(f"sha256:{name}" for name in names if _HEX.fullmatch(name))

    def put(self, new: str, folder: str) -> None:
        """Let the complete folder ``new`` appear as ``folder``, by one rename."""
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        os.rename(new, folder)
        sync_directory(os.path.dirname(folder))

    def point(self, image: Image) -> None:
        """Let the link ``newest`` name an image, unless a newer one has it.

        Also one that was found: who built it may have been killed before it said so.
        """
        name, link = os.path.basename(image.path), os.path.join(self.home, NEWEST)
        newest = self.newest()
        if newest is not None and (newest.path == image.path or _age(newest) >= _age(image)):
            return
        fresh = os.path.join(self.home, ".newest")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)  # of a caller that was killed
        with contextlib.suppress(FileExistsError, FileNotFoundError):  # another one does it, too
            os.symlink(name, fresh)
            os.rename(fresh, link)
        sync_directory(self.home)

    def put_away(self, folder: str) -> None:
        """A damaged image goes where the next build removes it."""
        if os.path.lexists(folder):
            work = os.path.join(self.output, WORK)
            os.makedirs(work, mode=0o700, exist_ok=True)
            with file_lock(os.path.join(work, "lock")):  # else another build may clean that away meanwhile
                os.rename(folder, os.path.join(tempfile.mkdtemp(prefix="damaged-", dir=work), "image"))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._seen_path(folder))


def _age(image: Image) -> int:
    """When it was made: nobody writes to it after that."""
    return os.stat(os.path.join(image.path, IMAGE)).st_mtime_ns


def damaged(folder: str, why: str) -> DistrogateError:
    """The error of an image that must not be used."""
    return DistrogateError(
        "damaged_image",
        f"The image in {folder} is not whole: {why}. Remove the folder, or run it again: it is made anew.",
        path=folder,
    )
