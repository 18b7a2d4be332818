# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a builder made to the folder of an image: names, manifests, checksums, and all of it on disk."""

from __future__ import annotations

import dataclasses
import datetime
import os
import stat
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import (
    sha256_file,
    sync_directory,
    write_json,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import move_folder
from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Built
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_facts import FORMAT
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_files import (
    BUILD,
    IMAGE,
    LOG,
    PACKAGES,
    ROOT,
    digests_of,
    root_digest,
    sync_image,
    write_sums,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_limits import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

_BLOCK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What was built: the request, its key and inputs, SOURCE_DATE_EPOCH, and how long it took."""

    request: ImageRequest
    key: str
    inputs: dict[str, str]
    epoch: int
    seconds: float

    @property
    def commits(self) -> dict[str, str]:
        return {source.project: source.commit for source in self.request.sources}


def finish(
    new: str,
    built: Built,
    recipe: Recipe,
    log: str,
    begin: int,
    *,
    limits: Limits,
) -> dict[str, str]:
    """Fill the folder ``new``, and have it on disk; returns the digests of its files by name.

    ``log`` from its byte ``begin`` on is the build's own. Errors: ``nothing_built``, ``bad_image``,
    ``too_large``; those of ``limits``.
    """
    request = recipe.request
    os.mkdir(new)
    os.chmod(new, 0o755)
    for name in request.formats:
        if name not in built.files:
            raise DistrogateError(
                "nothing_built", f"The builder {request.builder} made no {name} of {request.name}."
            )
        target = ROOT if name == ROOT else f"{request.name}.{name}"
        _take(built.files[name], os.path.join(new, target), folder=name == ROOT)
    boot = {"kernel": "", "initrd": "", "append": built.append}
    for kind, path, suffix in (("kernel", built.kernel, "vmlinuz"), ("initrd", built.initrd, "initrd")):
        if path:
            boot[kind] = f"{request.name}.{suffix}"
            _take(path, os.path.join(new, boot[kind]))
    _copy(log, begin, os.path.join(new, LOG))
    write_json(os.path.join(new, PACKAGES), _packages(built, recipe), mode=0o444)
    write_json(os.path.join(new, BUILD), _build(recipe), mode=0o444)
    sync_image(new)
    digests = digests_of(new, limits.check)  # of what is on disk
    write_json(os.path.join(new, IMAGE), _manifest(new, recipe, boot, digests, limits), mode=0o444)
    digests = {**digests, IMAGE: sha256_file(os.path.join(new, IMAGE))}
    write_sums(new, digests)
    sync_directory(new)
    return digests


def _take(source: str, target: str, folder: bool = False) -> None:
    """A result of the builder gets its name here; a link or anything special is refused."""
    mode = os.lstat(source).st_mode
    if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        raise DistrogateError(
            "bad_image", f"The builder made {source}, which is no plain {'folder' if folder else 'file'}."
        )
    status = os.statvfs(os.path.dirname(target))
    if not folder and os.path.getsize(source) > status.f_blocks * status.f_frsize:
        raise DistrogateError(
            "too_large",
            f"The builder made {source} of {os.path.getsize(source)} bytes, more than its disk could hold:"
            " something in the image made it so. Give a size, and look for that.",
        )
    if folder:
        move_folder(source, target)
    else:
        os.rename(source, target)
        os.chmod(target, 0o444)


def _copy(log: str, begin: int, target: str) -> None:
    with open(target, "wb") as out:
        if os.path.exists(log):
            with open(log, "rb") as stream:
                stream.seek(begin)
                while block := stream.read(_BLOCK):
                    out.write(block)
    os.chmod(target, 0o444)


def _packages(built: Built, recipe: Recipe) -> dict[str, t.Any]:
    rows = sorted({(one.name, one.version, one.architecture) for one in built.packages})
    names = ("name", "version", "architecture")
    return {"version": 1, "packages": [dict(zip(names, row)) for row in rows], "commits": recipe.commits}


def _manifest(
    new: str, recipe: Recipe, boot: dict[str, str], digests: dict[str, str], limits: Limits
) -> dict[str, t.Any]:
    """The contents of image.json."""
    request, files = recipe.request, []
    for name in sorted(set(request.formats)):
        if name == ROOT:
            digest = root_digest(new, limits.remaining())
            files.append({"name": ROOT, "format": ROOT, "sha256": digest, "size": _size(new)})
        else:
            file = f"{request.name}.{name}"
            size = os.path.getsize(os.path.join(new, file))
            files.append({"name": file, "format": name, "sha256": digests[file], "size": size})
    return {
        "version": FORMAT,
        "name": request.name,
        "key": recipe.key,
        "builder": request.builder,
        "inputs": recipe.inputs,
        "commits": recipe.commits,
        "formats": {one["format"]: one["name"] for one in files},
        "source_date_epoch": recipe.epoch,
        "files": files,
        "packages": PACKAGES,
        "boot": boot,
    }


def _build(recipe: Recipe) -> dict[str, t.Any]:
    """What differs between two builds of one key is not in image.json: that can be published by both."""
    moment = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    return {"version": 1, "created": moment.replace("+00:00", "Z"), "seconds": round(recipe.seconds, 3)}


def _size(new: str) -> int:
    """Bytes of all plain files of the root directory."""
    found = 0
    for folder, _folders, names in os.walk(os.path.join(new, ROOT)):
        for name in names:
            status = os.lstat(os.path.join(folder, name))
            found += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return found
