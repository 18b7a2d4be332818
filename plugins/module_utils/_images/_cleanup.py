# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cleaning images: older ones than are kept, caches that nothing uses, places of builds that were killed."""

from __future__ import annotations

import collections
import contextlib
import fcntl
import os
import re
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import (
    Finding,
    Rules,
    folders,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._images import _archives, _base_layer, _dib_layer
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_files import PUBLISHED
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_clean import (
    WORK,
    clean_places,
    dead_places,
    release,
)

Cleaned = tuple[list[Finding], list[Finding], list[str]]

_HEX = re.compile(r"[0-9a-f]{64}")
_CACHE = ".cache"
_LARGEST = 64 << 40


def clean_images(
    output: str,
    rules: Rules,
    most: int,
    pinned: t.Iterable[str],
    check_mode: bool,
    *,
    cache_size: int = _LARGEST,
) -> Cleaned:
    """Of each name the ``most`` newest images stay, those in use, and those whose key is pinned.

    Caches together keep ``cache_size`` bytes at most. Returns what was removed, what stays, and the errors.
    """
    output = os.path.realpath(output)
    kept_keys = {key.rpartition(":")[2] for key in pinned}
    removed, kept, errors = _places(output, check_mode)
    found = []
    for home in folders(output):
        if not os.path.basename(home).startswith("."):
            found += [*find_images(home, rules, most, kept_keys), *find_published(home, rules, kept_keys)]
    for finding in [*found, *find_cached(output, rules, cache_size)]:
        why = _remove(output, finding, rules) if finding.remove and not check_mode else ""
        if why:
            errors.append(f"{finding.path}: {why}")
        (removed if finding.remove and not why else kept).append(finding)
    return removed, kept, errors


def find_images(home: str, rules: Rules, most: int, pinned: t.Container[str]) -> t.Iterator[Finding]:
    """The images of one name, the newest first."""
    newest = ""
    with contextlib.suppress(OSError):
        newest = os.readlink(os.path.join(home, "newest"))
    images, names = _images_in(home), _names_in(home)
    for number, path in enumerate(sorted(images, key=_created, reverse=True)):
        name = os.path.basename(path)
        if number < most or name == newest:
            yield Finding("image", path, f"one of the {most} newest", False)
        elif name in pinned:
            yield Finding("image", path, "pinned", False)
        elif why := rules.in_use(path) or _used(path, names):
            yield Finding("image", path, why, False)
        else:
            finding = rules.judged("image", path, rules.idle_days)
            finding.reason = f"{number} are newer; {finding.reason}"
            yield finding


def find_published(home: str, rules: Rules, pinned: t.Container[str]) -> t.Iterator[Finding]:
    """Images that were fetched: each use of one touches its folder."""
    names = _names_in(home)
    for path in _images_in(os.path.join(home, PUBLISHED)):
        if _key_of(path) in pinned:
            yield Finding("image", path, "pinned", False)
        elif why := rules.in_use(path) or _used(path, names):
            yield Finding("image", path, why, False)
        else:
            yield rules.judged("image", path, rules.keep_days)


def _images_in(folder: str) -> list[str]:
    return [path for path in folders(folder) if _HEX.fullmatch(os.path.basename(path))]


def _key_of(path: str) -> str:
    with contextlib.suppress(DistrogateError, OSError, AttributeError):
        return str(read_json(os.path.join(path, "image.json")).get("key")).rpartition(":")[2]
    return ""


def _created(path: str) -> tuple[str, float]:
    """When it was built: its folder is touched when it is used."""
    with contextlib.suppress(DistrogateError, OSError, KeyError, TypeError):
        return str(read_json(os.path.join(path, "build.json"))["created"]), 0.0
    return "", os.lstat(path).st_mtime  # not one that could be used


def _names_in(home: str) -> collections.Counter[tuple[int, int]]:
    """How many names each file of the images has here: what was built here is not fetched, but linked."""
    found: collections.Counter[tuple[int, int]] = collections.Counter()
    for path in [*_images_in(home), *_images_in(os.path.join(home, PUBLISHED))]:
        for entry in os.scandir(path):
            if entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found[status.st_dev, status.st_ino] += 1
    return found


def _used(path: str, names: collections.Counter[tuple[int, int]]) -> str:
    """A run directory has hard links to the files of its image."""
    for entry in os.scandir(path):
        if entry.is_file(follow_symlinks=False):
            status = entry.stat(follow_symlinks=False)
            if status.st_nlink > names[status.st_dev, status.st_ino]:
                return "a run has it"
    return ""


def _remove(output: str, finding: Finding, rules: Rules) -> str:
    """First out of sight by one rename, so that nobody ever finds a part of it; why not, if it stays."""
    path, above = finding.path, os.path.dirname(finding.path)
    try:
        if finding.kind == "cached" and not os.path.isdir(path):
            os.unlink(path)
            return ""
        with contextlib.ExitStack() as stack:
            if finding.kind == "image":
                stack.enter_context(file_lock(os.path.join(above, "lock"), 0))
            _hold(stack, path)
            if finding.kind == "image" and rules.days(path, 0) < rules.idle_days:
                return "a run took it meanwhile"
            work = os.path.join(output, WORK)
            os.makedirs(work, mode=0o700, exist_ok=True)
            stack.enter_context(file_lock(os.path.join(work, "lock")))
            gone = tempfile.mkdtemp(prefix="removed-", dir=work)
            os.rename(path, os.path.join(gone, "image"))
        home = os.path.dirname(above) if os.path.basename(above) == PUBLISHED else above
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(home, f".seen-{os.path.basename(path)}.json"))
        release(gone)
    except DistrogateError as error:
        return error.message
    except OSError as error:
        return str(error)
    return ""


def _hold(stack: contextlib.ExitStack, path: str) -> None:
    """Alone with a folder: who takes an image, or begins with a layer, holds that meanwhile."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    stack.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DistrogateError("in_use", "it is in use by a build or a run. Clean again later.") from error


def _places(output: str, check_mode: bool) -> Cleaned:
    """Places of builds that were killed; those that are at work stay."""
    work = os.path.join(output, WORK)
    dead = dead_places(output)
    busy = [
        Finding("place", path, "a build is at work in it", False)
        for path in folders(work)
        if path not in dead
    ]
    found = [Finding("place", path, "its build was killed", True) for path in dead]
    if not dead or check_mode:
        return found, busy, []
    try:
        said = clean_places(output)
    except (DistrogateError, OSError) as error:
        left = [
            Finding("place", path, "could not be removed", False) for path in dead if os.path.exists(path)
        ]
        return [one for one in found if not os.path.exists(one.path)], [*busy, *left], [str(error)]
    for finding in found:
        more = [words for words in said if finding.path not in words]
        finding.reason += f"; also ended {', '.join(more)}" if more else ""
    return found, busy, []


def find_cached(output: str, rules: Rules, most: int) -> t.Iterator[Finding]:
    """What builders keep for each other: none unused for long, the latest ones up to ``most`` bytes."""
    found = []
    for folder in (_archives.FOLDER, _base_layer.FOLDER, _dib_layer.FOLDER):
        path = os.path.join(output, _CACHE, folder)
        for entry in os.scandir(path) if os.path.isdir(path) else []:
            if entry.is_symlink():  # it goes with the next build, after its layer
                continue
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                found.append((status.st_mtime, entry.path, _bytes(entry.path, status)))
    total = 0
    for _time, path, size in sorted(found, reverse=True):
        total += size
        unfinished = os.path.basename(path).startswith(".")
        finding = rules.judged("cached", path, rules.idle_days if unfinished else rules.keep_days)
        if total > most and not finding.remove and not rules.in_use(path) and not path.endswith(".lock"):
            finding = Finding("cached", path, f"with it caches would have {total} bytes", True)
        total -= size if finding.remove else 0
        yield finding


def _bytes(path: str, status: os.stat_result) -> int:
    """What it takes of the disk, as far as it can be read."""
    found = status.st_blocks * 512
    for folder, _folders, names in os.walk(path) if os.path.isdir(path) else ():
        for name in names:
            with contextlib.suppress(OSError):
                found += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return found
