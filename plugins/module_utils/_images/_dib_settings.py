# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What diskimage-builder is told through its environment, and what of the host it sees."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _dib_tools
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_elements import PYTHON, installation
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_repositories import sources_by_word
from ansible_collections.distrogate.ci.plugins.module_utils._images._git_folders import borrowed, git_folder
from ansible_collections.distrogate.ci.plugins.module_utils._images._rootfs import proxies

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

SOURCES = "/sources"
_BASE = "/base"
ELEMENTS = "/elements"
_FIELD = re.compile(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_NEVER = ("LD_PRELOAD", "BASH_ENV", "ENV", "_LIB")
_NO_DISK = ("DIB_BLOCK_DEVICE_CONFIG", "DIB_IMAGE_EXTRA_SIZE", "FS_TYPE", "MKFS_OPTS", "QEMU_IMG_OPTIONS")


def settings_of(
    request: ImageRequest, epoch: int, layer: str, commits: t.Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment. What is fixed here cannot be set with ``environment``: error ``bad_environment``.

    ``commits`` are those of projects that elements name by a branch, by the word in the variable's name.
    """
    fixed = {
        "PATH": _dib_tools.PATH,
        "HOME": f"{_dib_tools.BUILD}/home",
        "USER": "root",
        "TMP_DIR": f"{_dib_tools.BUILD}/tmp",  # noqa: S108 -- inside the build only
        "DIB_IMAGE_CACHE": f"{_dib_tools.BUILD}/cache",
        "DIB_LOCKFILES": f"{_dib_tools.BUILD}/home",
        "DIB_NO_TMPFS": "1",
        "DIB_PYTHON_EXEC": PYTHON,
        "ELEMENTS_PATH": ELEMENTS,
        "EXTRA_DETACH": f"{_dib_tools.TOOLS}/detach",
        "SOURCE_DATE_EPOCH": str(epoch),
        "DISTROGATE_LAYER": layer,
    }
    for name in request.environment:
        if name in _NO_DISK:
            raise DistrogateError(
                "bad_environment",
                f"{name} has no effect: the image is one ext4 file system. Take it out of environment.",
            )
        if name in fixed or name in _NEVER:
            raise DistrogateError(
                "bad_environment", f"The build itself sets {name}: take it out of environment."
            )
    # Else diskimage-builder takes elements in an order of chance.
    given = {
        "DIB_DEBUG_TRACE": "0",
        "PYTHONHASHSEED": "0",
        "DIB_IMAGE_SIZE": str(max(1, request.size >> 30)),
        **proxies(),
    }
    if request.suite:
        given["DIB_RELEASE"] = request.suite
    if request.base:
        given["DIB_LOCAL_IMAGE"] = f"{_BASE}/{os.path.basename(request.base)}"
    return {
        **given,
        **mirror_of(request.suite, request.mirror),
        **_sources(request),
        **request.environment,
        **{f"DIB_REPOREF_{word}": commit for word, commit in (commits or {}).items()},
        **fixed,
    }


def binds_of(request: ImageRequest, elements: dict[str, str]) -> dict[str, str]:
    """What it may read of the host, beside its programs: path inside to path outside.

    Of the folders with elements these are the elements that the key covers, and no more.
    """
    own = os.path.join(installation()[0], "elements") + "/"
    found = {f"{ELEMENTS}/{name}": path for name, path in elements.items() if not path.startswith(own)}
    for source in request.sources:
        found[f"{SOURCES}/{source.project}"] = git_folder(source.path)
        found.update({path: path for path in borrowed(source.path)})
    if request.base:
        found[f"{_BASE}/{os.path.basename(request.base)}"] = os.path.realpath(request.base)
    return found


def _sources(request: ImageRequest) -> dict[str, str]:
    """Elements name a project with or without its folder."""
    found = {}
    for word, source in sources_by_word(request.sources).items():
        found[f"DIB_REPOTYPE_{word}"] = "git"
        found[f"DIB_REPOLOCATION_{word}"] = f"{SOURCES}/{source.project}"
        found[f"DIB_REPOREF_{word}"] = source.commit
    return found


def mirror_of(wanted: str, text: str) -> dict[str, str]:
    """The distribution's own sources, as the elements debian-minimal and ubuntu-minimal take them."""
    lines: list[str] = []
    first: dict[str, str] = {}
    for block in re.split(r"\n[ \t]*\n", text):
        fields = {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(block)}
        for address in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                parts = fields.get("components", "")
                lines.append(f"source{len(lines)}:deb {address} {suite} {parts}".strip())
                if suite == wanted and not first:
                    first = {"DIB_DISTRIBUTION_MIRROR": address}
                    first["DIB_DEBIAN_COMPONENTS"] = ",".join(parts.split()) or "main"
    if not first:
        return {}
    return {**first, "DIB_APT_SOURCES_CONF": "\n".join(lines)}
