# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cleaning images: older ones than are kept, caches that nothing uses, places of builds that were killed."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import (
    Finding,
    Rules,
    apply,
    folders,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._images import _archives, _base_layer
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_clean import (
    WORK,
    clean_places,
    dead_places,
    release,
)

Cleaned = tuple[list[Finding], list[Finding], list[str]]

_HEX = re.compile(r"[0-9a-f]{64}")
_CACHE = ".cache"


def clean_images(output: str, rules: Rules, most: int, pinned: t.Iterable[str], check_mode: bool) -> Cleaned:
    """Of each name the ``most`` newest images stay, those in use, and those whose key is pinned.

    Returns what was removed, what stays, and the errors.
    """
    output = os.path.realpath(output)
    kept_keys = {key.rpartition(":")[2] for key in pinned}
    removed, kept, errors = _places(output, check_mode)
    for home in folders(output):
        if os.path.basename(home).startswith("."):
            continue
        for finding in find_images(home, rules, most, kept_keys):
            why = ""
            if finding.remove and not check_mode:
                why = _remove(output, finding.path)
            if why:
                errors.append(f"{finding.path}: {why}")
            gone = finding.remove and not why
            (removed if gone else kept).append(finding)
    more = apply(find_cached(output, rules), check_mode)
    return removed + more[0], kept + more[1], errors + more[2]


def find_images(home: str, rules: Rules, most: int, pinned: t.Container[str]) -> t.Iterator[Finding]:
    """The images of one name, the newest first."""
    newest = ""
    with contextlib.suppress(OSError):
        newest = os.readlink(os.path.join(home, "newest"))
    images = [path for path in folders(home) if _HEX.fullmatch(os.path.basename(path))]
    for number, path in enumerate(sorted(images, key=_created, reverse=True)):
        name = os.path.basename(path)
        if number < most or name == newest:
            yield Finding("image", path, f"one of the {most} newest", False)
        elif name in pinned:
            yield Finding("image", path, "pinned", False)
        elif why := rules.in_use(path) or _used(path):
            yield Finding("image", path, why, False)
        else:
            finding = rules.judged("image", path, rules.idle_days)
            finding.reason = f"{number} are newer; {finding.reason}"
            yield finding


def _created(path: str) -> tuple[str, float]:
    with contextlib.suppress(DistrogateError, OSError, KeyError, TypeError):
        return str(read_json(os.path.join(path, "image.json"))["created"]), 0.0
    return "", os.lstat(path).st_mtime  # not one that could be used


def _used(path: str) -> str:
    """A run directory has hard links to the files of its image."""
    for entry in os.scandir(path):
        if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_nlink > 1:
            return "a run has it"
    return ""


def _remove(output: str, path: str) -> str:
    """First out of sight by one rename, so that nobody ever finds a part of it; why not, if it stays."""
    try:
        with file_lock(os.path.join(os.path.dirname(path), "lock"), 0):
            work = os.path.join(output, WORK)
            os.makedirs(work, mode=0o700, exist_ok=True)
            gone = tempfile.mkdtemp(prefix="removed-", dir=work)
            os.rename(path, os.path.join(gone, "image"))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(os.path.dirname(path), f".seen-{os.path.basename(path)}.json"))
        release(gone)
    except DistrogateError as error:
        return error.message
    except OSError as error:
        return str(error)
    return ""


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


def find_cached(output: str, rules: Rules) -> t.Iterator[Finding]:
    """What builders keep for each other, and none has used for long; unfinished files."""
    for folder in (_archives.FOLDER, _base_layer.FOLDER):
        path = os.path.join(output, _CACHE, folder)
        for entry in sorted(os.scandir(path), key=lambda one: one.name) if os.path.isdir(path) else []:
            if not entry.is_symlink():  # a link goes with the next build, after its layer
                days = rules.idle_days if entry.name.startswith(".") else rules.keep_days
                yield rules.judged("cached", entry.path, days)
