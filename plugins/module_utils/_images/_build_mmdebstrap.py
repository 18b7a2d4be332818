# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root filesystems of the Debian family by mmdebstrap(1)."""

from __future__ import annotations

import contextlib
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
from ansible_collections.distrogate.ci.plugins.module_utils._images._base_layer import BaseLayer, common
from ansible_collections.distrogate.ci.plugins.module_utils._images._rootfs import proxies
from ansible_collections.distrogate.ci.plugins.module_utils._images._tree import Tree

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
        rest = sorted(set(request.packages) - (set() if request.base else set(common(request.packages))))
        with contextlib.ExitStack() as stack:
            for _number in range(_TRIES):
                tree, layer = _begin(request, place, epoch, stack)
                steps = _Steps(request, place, tree, epoch, new=layer is not None and layer.new)
                if not (rest or request.repositories) or steps.install(rest):
                    break
                if layer is not None:
                    layer.forget()
                tree.drop()
            else:
                raise DistrogateError(
                    "distribution_moved",
                    f"The distribution changed {_TRIES} times while {request.name} was built."
                    " Try again later.",
                )
            tree.run(_root_scripts.CLEAN, "clean", request.name, label="clean")
            place.say(f"{request.name}: makes {', '.join(request.formats)}")
            return _formats.make(request, place, tree.path, epoch, tree.run)


def _begin(
    request: ImageRequest, place: BuildPlace, epoch: int, stack: contextlib.ExitStack
) -> tuple[Tree, BaseLayer | None]:
    if request.base:
        tree = Tree(place)
        tree.unpack(request.base)
        return tree, None
    layer = stack.enter_context(BaseLayer(request, place, epoch, MmdebstrapBuilder().tools()["mmdebstrap"]))
    return Tree(place, layer.take()), layer


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
    tree: Tree
    epoch: int
    new: bool

    def install(self, packages: list[str]) -> bool:
        """Install the packages; False when the distribution moved on since the tree was made."""
        request, place, tree = self.request, self.place, self.tree
        texts, binds = _apt_layers.layers(request.repositories)
        given = self._give_sources(texts)
        archives = _archives.Archives(place)
        action = "dist-upgrade" if texts else "install"
        place.say(f"{request.name}: installs {len(packages)} packages and what they need")
        if texts or not self.new:
            update = "yes" if request.base or self.new else "same"
            found = self._run(
                ("prepare", _root_scripts.PREPARE, packages),
                [given, action, archives.kept, archives.list, update],
                {**binds, archives.kept: archives.kept},
            )
            if found.status == _root_scripts.STALE:
                place.note("the distribution has moved on since the common root filesystem was made")
                return False
        self._run(("install", _root_scripts.INSTALL, packages), [given, action], binds)
        archives.keep(os.path.join(tree.changes, "var/cache/apt/archives"))
        return True

    def _give_sources(self, texts: list[str]) -> str:
        """What apt is to take from beside what the tree says: a base says what its maker had."""
        folder = os.path.join(self.place.given, "sources")
        os.makedirs(folder, exist_ok=True)
        named = {f"distrogate-{number}.sources": text for number, text in enumerate(texts)}
        if self.request.base and self.request.mirror:
            named["mirror.sources"] = self.request.mirror
        for name, text in named.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
                stream.write(text)
        return folder

    def _run(
        self, step: tuple[str, str, list[str]], words: list[str], binds: dict[str, str]
    ) -> _command.Completed:
        """One of the programs, by its name in the log."""
        name, script, packages = step
        epoch = {"SOURCE_DATE_EPOCH": str(self.epoch)}
        return self.tree.run(
            script,
            name,
            *words,
            *packages,
            environment={**proxies(), **self.request.environment, **epoch},
            binds=binds,
            label=f"{name} {' '.join(packages)}",
            accept=(_root_scripts.STALE,),
        )
