# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root filesystems of the Debian family by mmdebstrap(1)."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import (
    _apt_layers,
    _archives,
    _formats,
    _root_scripts,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._base_layer import (
    BaseLayer,
    common,
    unpack,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._rootfs import proxies

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Built
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

_TRIES = 3  # a distribution that moves on while it is read is read again
_PROGRAMS = ("mmdebstrap", "e2fsprogs", "qemu-utils")


class MmdebstrapBuilder:
    """Plain root filesystems: a suite (or a base archive), packages, repositories above the distribution."""

    def tools(self) -> dict[str, str]:
        # To ask the programs themselves takes ten times as long.
        argv = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\\n", *_PROGRAMS]
        done = _command.run(argv, timeout=60, check=False)
        rows = [line.split(" ") for line in done.text.splitlines()]
        found = {row[1]: row[2] for row in rows if row[0] == "installed" and len(row) == 3}
        missing = sorted(set(_PROGRAMS) - set(found))
        if missing:
            raise DistrogateError(
                "missing_tool",
                f"{', '.join(missing)}: not installed. Apply the role distrogate.ci.builder to this host.",
            )
        return found

    def build(self, request: ImageRequest, place: BuildPlace, epoch: int) -> Built:
        _check(request)
        tree = os.path.join(place.directory, "root")
        rest = sorted(set(request.packages) - (set() if request.base else set(common(request.packages))))
        for _number in range(_TRIES):
            layer = self._begin(request, place, tree, epoch)
            steps = _Steps(request, place, tree, epoch, new=layer is not None and layer.new)
            if not (rest or request.repositories) or steps.install(rest):
                break
            if layer is not None:
                layer.forget()
            place.run(["rm", "-rf", "--one-file-system", tree])
        else:
            raise DistrogateError(
                "distribution_moved",
                f"The distribution changed {_TRIES} times while {request.name} was built. Try again later.",
            )
        place.run(["sh", "-c", _root_scripts.CLEAN, "clean", tree, request.name], label="clean")
        place.say(f"{request.name}: makes {', '.join(request.formats)}")
        return _formats.make(request, place, tree, epoch)

    def _begin(self, request: ImageRequest, place: BuildPlace, tree: str, epoch: int) -> BaseLayer | None:
        if request.base:
            unpack(place, request.base, tree)
            return None
        layer = BaseLayer(request, place, epoch, self.tools()["mmdebstrap"])
        layer.unpack(tree)
        return layer


def _check(request: ImageRequest) -> None:
    """What this builder cannot do must not look done."""
    for name, value, instead in (
        ("elements", request.elements, "Use packages"),
        ("sources", request.sources, "Build packages of them and give their repository in repositories"),
    ):
        if value:
            raise DistrogateError(
                "bad_request",
                f"The builder mmdebstrap knows no {name}. {instead}, or use the builder dib.",
            )
    if not request.suite and not request.base:
        raise DistrogateError(
            "bad_request", "The builder mmdebstrap needs a suite, such as bookworm, or a base archive."
        )


@dataclasses.dataclass(frozen=True)
class _Steps:
    """What is done to a tree that was begun; ``new``: its indexes are those of a moment ago."""

    request: ImageRequest
    place: BuildPlace
    tree: str
    epoch: int
    new: bool

    def install(self, packages: list[str]) -> bool:
        """Install the packages; False when the distribution moved on since the tree was made."""
        request, place, tree = self.request, self.place, self.tree
        texts, binds = _apt_layers.layers(request.repositories)
        self._place_sources(texts)
        archives = _archives.Archives(place)
        action = "dist-upgrade" if texts else "install"
        update = "no" if self.new and not texts else "yes"
        place.say(f"{request.name}: installs {len(packages)} packages and what they need")
        found = self._run(
            ("prepare", _root_scripts.PREPARE, packages),
            [action, archives.kept, archives.list, update],
            {**binds, archives.kept: archives.kept},
        )
        if found.status == _root_scripts.STALE:
            place.note("the distribution has moved on since the common root filesystem was made")
            return False
        self._run(("install", _root_scripts.INSTALL, packages), [action], binds)
        archives.keep(os.path.join(tree, "var/cache/apt/archives"))
        return True

    def _place_sources(self, texts: list[str]) -> None:
        files = [os.path.join(self.place.given, f"distrogate-{n}.sources") for n in range(len(texts))]
        for path, text in zip(files, texts):
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text)
        if texts:
            self.place.run(["cp", "--", *files, os.path.join(self.tree, "etc/apt/sources.list.d")])

    def _run(
        self, step: tuple[str, str, list[str]], words: list[str], binds: dict[str, str]
    ) -> _command.Completed:
        """One of the programs, by its name in the log."""
        name, script, packages = step
        epoch = {"SOURCE_DATE_EPOCH": str(self.epoch)}
        return self.place.run(
            ["sh", "-c", script, name, self.tree, *words, *packages],
            environment={**proxies(), **self.request.environment, **epoch},
            binds=binds,
            label=f"{name} {' '.join(packages)}",
            accept=(_root_scripts.STALE,),
        )
