# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images of elements, by diskimage-builder, without the host's root: see ``_dib_tools``."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _dib_tools
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_collect import collect
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_elements import (
    expanded_elements,
    installation,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_errors import explained
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_layer import Layer
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_progress import Progress
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_repositories import (
    check_used,
    floating,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_settings import (
    ELEMENTS,
    binds_of,
    settings_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_sources import element_files

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Built
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

_PROCESSES = 8192  # a fork bomb ends here
_DEVICES = ("block-device", "block-device-")
_PROGRAMS = ("debootstrap", "e2fsprogs", "python3-diskimage-builder", "qemu-utils")
_FOLDERS = ("tmp", "home", "cache", "layer")
# Checkouts belong to somebody else there, and the commit may be on no branch of theirs.
_GIT = "[safe]\n\tdirectory = *\n[uploadpack]\n\tallowAnySHA1InWant = true\n"


class DibBuilder:
    """Images of elements: ``elements``, and extra ``packages``."""

    def __init__(self) -> None:
        self._commits: dict[str, str] = {}

    def tools(self) -> dict[str, str]:
        """The programs that decide about the result."""
        found = {"diskimage-builder": installation()[1]}
        argv = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\\n", *_PROGRAMS]
        rows = [line.split(" ") for line in _command.run(argv, check=False).text.splitlines()]
        found.update({row[1]: row[2] for row in rows if row[0] == "installed" and len(row) == 3})
        return found

    def elements(self, request: ImageRequest) -> dict[str, str]:
        return expanded_elements(request)

    def fetched(
        self, request: ImageRequest, elements: t.Mapping[str, str]
    ) -> tuple[dict[str, str], list[str]]:
        """Inputs beside the elements: what they fetch, as it is now; and warnings. The build fetches that."""
        check_used(request, elements)
        commits, warnings = self._floating(request, elements)
        return {f"fetched:{word}": commit for word, commit in commits.items()}, warnings

    def _floating(
        self, request: ImageRequest, elements: t.Mapping[str, str]
    ) -> tuple[dict[str, str], list[str]]:
        self._commits, warnings = floating(request, elements, self._commits)
        return self._commits, warnings

    def build(self, request: ImageRequest, place: BuildPlace, epoch: int) -> Built:
        """Build; errors beside the place's: ``element_failed``, ``no_element``, ``needs_block_device``…"""
        elements = expanded_elements(request)
        _without_devices(elements)
        commits = self._floating(request, elements)[0]
        own = _prepare(request, place)
        with Layer(request, elements, {**self.tools(), **commits}, place) as layer:
            environment = settings_of(request, epoch, layer.what, commits)
            packages = ["-p", ",".join(sorted(set(request.packages)))] if request.packages else []
            argv = ["prlimit", f"--nproc={_PROCESSES}", "disk-image-create"]
            argv += ["-a", request.architecture, "-o", f"{_dib_tools.BUILD}/image", *packages]
            argv += ["--root-label", _dib_tools.LABEL, "--"]
            place.say(f"{request.name}: runs disk-image-create with {len(elements)} elements{layer.told}")
            try:
                place.run(
                    # All of them, as the key has them: which provides another depends on the order it tries.
                    [*argv, *sorted(elements), _dib_tools.ELEMENT],
                    environment=environment,
                    writable={_dib_tools.BUILD: place.directory},
                    binds={**binds_of(request, elements), **layer.binds, **own},
                    directory=_dib_tools.BUILD,
                    look=Progress(place, request.name, elements).look,
                )
            except DistrogateError as error:
                raise explained(error, place, elements) from error
            layer.keep()
        return collect(request, place, epoch)


def _without_devices(elements: dict[str, str]) -> None:
    """Partitions and boot loaders need loop devices, and so the host's root."""
    needing = sorted(name for name in elements if name.startswith(_DEVICES))
    if needing:
        raise DistrogateError(
            "needs_block_device",
            f"The elements {', '.join(needing)} partition a disk, for which a build would have to be root of"
            " this host. Leave them out (also vm, which asks for them): the image is one file system,"
            " which is booted with the kernel beside it.",
            elements=needing,
        )


def _prepare(request: ImageRequest, place: BuildPlace) -> dict[str, str]:
    """Our programs, our element and empty folders to write to; returns what must be seen of these."""
    _dib_tools.write_files(os.path.join(place.directory, "tools"), _dib_tools.PROGRAMS)
    folder = os.path.join(place.directory, "elements", _dib_tools.ELEMENT)
    files, repositories = element_files(request)
    _dib_tools.write_files(folder, files)
    for name in _FOLDERS:
        os.mkdir(os.path.join(place.directory, name))
        os.chmod(os.path.join(place.directory, name), 0o777)
    _dib_tools.write_files(os.path.join(place.directory, "home"), {".gitconfig": _GIT})
    return {**repositories, f"{ELEMENTS}/{_dib_tools.ELEMENT}": folder}
