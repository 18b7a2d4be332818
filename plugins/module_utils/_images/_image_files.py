# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of one image: SHA256SUMS, and whether they are what they were."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command, _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    read_json,
    sha256_file,
    sync_directory,
    sync_file,
    sync_file_system,
    write_atomic,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._own_python import call_in_python
from ansible_collections.distrogate.ci.plugins.module_utils._images._memo import Memo
from ansible_collections.distrogate.ci.plugins.module_utils._images._trees import tree_digest

IMAGE = "image.json"
PACKAGES = "packages.json"
LOG = "build.log"
BUILD = "build.json"
SUMS = "SHA256SUMS"
ROOT = "root"
ROOT_DIGEST = "root.sha256"  # of one that was unpacked here
PUBLISHED = "published"  # folder of images that were fetched, by the digest of their SHA256SUMS
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\\\0]{1,255})")
_SUMS_LIMIT = 1 << 20
_BLOCK = 4 << 20


def plain_files(folder: str) -> list[str]:
    """The names of all plain files of an image but SHA256SUMS; else there may be the folder ``root`` only."""
    found = []
    for entry in os.scandir(folder):
        if entry.is_file(follow_symlinks=False):
            found.append(entry.name)
        elif entry.name != ROOT or not entry.is_dir(follow_symlinks=False):
            raise DistrogateError("bad_image", f"{entry.path} is neither a plain file nor the folder {ROOT}.")
    return sorted(name for name in found if name != SUMS)


def sums_text(digests: t.Mapping[str, str]) -> str:
    """SHA256SUMS, as sha256sum(1) writes and checks it."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def parse_sums(text: str, where: str) -> dict[str, str]:
    """Digests by name, from a stranger. Error ``bad_checksums``."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match[2] in (".", "..", SUMS) or match[2] in found:
            raise DistrogateError(
                "bad_checksums", f"{where} has a line that sha256sum did not write: {line[:200]!r}."
            )
        found[match[2]] = match[1]
    if not found:
        raise DistrogateError("bad_checksums", f"{where} names no file.")
    return found


def read_sums(folder: str) -> dict[str, str]:
    """Digests by name, of SHA256SUMS in a folder of ours."""
    path = os.path.join(folder, SUMS)
    with open(path, encoding="utf-8", errors="replace") as stream:
        return parse_sums(stream.read(_SUMS_LIMIT), path)


def digests_of(folder: str, check: t.Callable[[], None] = lambda: None) -> dict[str, str]:
    """The digest of each plain file but SHA256SUMS; ``check`` is called with each block, and may raise."""
    found = {}
    for name in plain_files(folder):
        digest = hashlib.sha256()
        with open(os.path.join(folder, name), "rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
                check()
        found[name] = digest.hexdigest()
    return found


def write_sums(folder: str, digests: t.Mapping[str, str]) -> None:
    """Write SHA256SUMS."""
    write_atomic(os.path.join(folder, SUMS), sums_text(digests), mode=0o444)


def sync_image(folder: str) -> None:
    """Have all of it on disk; a root directory is too many files to do it one by one."""
    if os.path.isdir(os.path.join(folder, ROOT)):
        sync_file_system(folder)
        return
    for name in [*plain_files(folder), SUMS]:
        with contextlib.suppress(FileNotFoundError):  # it is the last one to be written
            sync_file(os.path.join(folder, name))
    sync_directory(folder)


def present(folder: str, facts: dict[str, t.Any]) -> dict[str, t.Any]:
    """image.json without the files that are not in this folder: not all of an image need be published."""
    files = [one for one in facts["files"] if os.path.exists(os.path.join(folder, one["name"]))]
    formats = {one["format"]: one["name"] for one in files}
    if os.path.isdir(os.path.join(folder, ROOT)):
        formats[ROOT] = ROOT
    return {**facts, "files": files, "formats": formats}


def looks(folder: str, names: t.Iterable[str]) -> dict[str, list[int]]:
    """What the file system says of files: size, time and inode; OSError when one is missing."""
    found = {}
    for name in names:
        status = os.lstat(os.path.join(folder, name))
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(2, "no plain file", os.path.join(folder, name))
        found[name] = [status.st_size, status.st_mtime_ns, status.st_ino]
    return found


def damage(
    folder: str, facts: dict[str, t.Any], seen_path: str, full: bool
) -> tuple[str, dict[str, str] | None]:
    """Why the image is not whole, empty when it is; and the digests of its files, if they were read.

    Files that look as they did when they were last read are read again only if ``full``.
    """
    try:
        digests = read_sums(folder)
        look = looks(folder, [*digests, SUMS])
    except (OSError, DistrogateError) as error:
        return str(error), None
    why = _contradiction(folder, facts, digests, look)
    if why or (not full and look == _seen(seen_path)):
        return why, None
    for name, digest in digests.items():
        if sha256_file(os.path.join(folder, name)) != digest:
            return f"{name} has not the digest {digest} that {SUMS} says", None
    return _root_damage(folder, facts) if full else "", digests


def _root_damage(folder: str, facts: dict[str, t.Any]) -> str:
    wanted = [one.get("sha256") for one in facts["files"] if one.get("format") == ROOT]
    with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, ROOT_DIGEST)) as stream:
        wanted = [stream.read(100).strip()]  # it was unpacked here
    if wanted and os.path.isdir(os.path.join(folder, ROOT)) and root_digest(folder) != wanted[0]:
        return f"the folder {ROOT} is not what it was"
    return ""


def root_digest(folder: str, timeout: float = 3600) -> str:
    """The digest of the root directory in a folder, without the word sha256. Error ``command_timeout``."""
    # In another process, which ends in time. Files belong to subordinate ids: their root may read them.
    user = _sandbox.unshare() if os.getuid() else []
    argv = [*user, *_sandbox.WITH_CALLER, *call_in_python(__name__, root_digest_here.__name__, folder)]
    return _command.run(argv, timeout=max(1, timeout), name="reading the folder root").text.strip()


def root_digest_here(folder: str) -> str:
    """The same, by who may read all of it."""
    path = os.path.join(folder, ROOT)
    return tree_digest(path, Memo(None), system=True).partition(":")[2]


def write_root_digest(folder: str, timeout: float = 3600) -> str:
    """Write down what the root directory is that was unpacked here; returns the digest of that file."""
    path = os.path.join(folder, ROOT_DIGEST)
    write_atomic(path, root_digest(folder, timeout) + "\n", mode=0o444)
    return sha256_file(path)


def _contradiction(
    folder: str, facts: dict[str, t.Any], digests: dict[str, str], look: dict[str, list[int]]
) -> str:
    """What image.json says and the folder does not have; of a published image it may be a part."""
    partial = os.path.basename(os.path.dirname(folder)) == PUBLISHED
    for one in facts["files"]:
        name = str(one.get("name"))
        if partial and name not in digests:
            continue
        if one.get("format") == ROOT:
            if os.path.islink(os.path.join(folder, ROOT)) or not os.path.isdir(os.path.join(folder, ROOT)):
                return f"there is no folder {ROOT}"
        elif digests.get(name) != one.get("sha256") or look[name][0] != one.get("size"):
            return f"{IMAGE} and {SUMS} do not agree about {name}"
    return "" if IMAGE in digests else f"{SUMS} does not name {IMAGE}"


def _seen(path: str) -> t.Any:
    with contextlib.suppress(DistrogateError, OSError, AttributeError):
        return read_json(path).get("files")
    return None
