# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which layer an image begins with, and what a build sees of folders with elements."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _build_dib, _dib_layer
from ansible_collections.distrogate.ci.plugins.module_utils._images._build_dib import DibBuilder
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_elements import expand
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_layer import Layer
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_settings import (
    binds_of,
    settings_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import (
    ImageRequest,
    Repository,
)


class World:
    """An element, a base, a repository that nobody has digested, and a place to build in."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.element = path / "elements/demo"
        self.element.mkdir(parents=True)
        (self.element / "script").write_text("one")
        self.base = path / "base.tar"
        self.base.write_text("one")
        self.release = path / "mirror/dists/x/InRelease"
        self.release.parent.mkdir(parents=True)
        self.release.write_text("one")
        text = f"Types: deb\nURIs: file://{path}/mirror\nSuites: x\nComponents: main\n"
        self.request = ImageRequest(
            "x", "dib", base=str(self.base), repositories=(Repository(text, ""),), elements=("demo",)
        )

    def place(self) -> BuildPlace:
        return BuildPlace(str(self.path / "out"), "x", log=str(self.path / "log"), free_space=1 << 20)

    def layer(self, place: BuildPlace) -> Layer:
        return Layer(self.request, {"demo": str(self.element)}, {"tool": "1"}, place)

    def name(self) -> str:
        with self.place() as place:
            return os.path.basename(self.layer(place).path)

    def build(self, during: t.Callable[[], t.Any] = lambda: None) -> str:
        """One build that records a layer; returns what it was to do."""
        with self.place() as place, self.layer(place) as layer:
            made = pathlib.Path(place.directory, "layer")
            made.mkdir()
            for name in _dib_layer.FILES:
                (made / name).touch()
            during()
            layer.keep()
            return layer.what


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    return World(tmp_path)


def test_what_makes_another_layer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [world.name()]
    assert world.name() == names[0]
    for change in (
        lambda: world.base.write_text("two"),
        lambda: world.release.write_text("two"),
        lambda: (world.element / "script").write_text("two"),
        lambda: monkeypatch.setattr(_dib_layer, "code_of", lambda _builder: "other code"),
    ):
        change()
        names.append(world.name())
        assert len(set(names)) == len(names)


def test_an_element_that_changes_meanwhile(world: World) -> None:
    """What is in the layer then is not what its name says: the next one would begin with that."""
    script = world.element / "script"
    assert world.build(lambda: script.write_text("evil")) == "record"
    script.write_text("one")
    assert world.build() == "record" and world.build() == "restore"


def _pipe(layer: pathlib.Path) -> None:
    (layer / "root.tar").unlink()
    os.mkfifo(layer / "root.tar")


def _link(layer: pathlib.Path) -> None:
    layer.symlink_to(layer.rename(layer.with_name("elsewhere")))


@pytest.mark.parametrize("hostile", [_pipe, _link])
def test_something_else_instead_of_a_layer(world: World, hostile: t.Callable[[pathlib.Path], None]) -> None:
    """An element may write where the layer is recorded: nobody waits for it, and nothing is kept."""
    made = world.path / "out/.work"

    def build() -> None:
        hostile(next(made.rglob("layer/root.tar")).parent)

    assert world.build(build) == "record" and world.build() == "record"
    assert "is no plain file" in (world.path / "log").read_text()


def test_pruned_by_another_build_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build is done: no other one's cleaning makes it fail."""
    home = world.path / "out/.cache/dib"
    for number in range(6):
        (home / str(number)).mkdir(parents=True)
        os.utime(home / str(number), (number, number))
    real = os.scandir

    def scandir(path: t.Any) -> t.Any:
        found = list(real(path)) if str(path) == str(home) else real(path)
        if str(path) == str(home):
            (home / "0").rmdir()
        return found

    monkeypatch.setattr(os, "scandir", scandir)
    world.build()
    assert len(os.listdir(home)) == _dib_layer.KEEP


def test_no_element_sees_what_the_key_does_not_cover(tmp_path: pathlib.Path) -> None:
    """Neither what lies beside the elements that are used, nor one that is not used."""
    for name in ("demo", "unused"):
        (tmp_path / name).mkdir()
    (tmp_path / "common.sh").touch()
    request = ImageRequest("x", "dib", element_path=(str(tmp_path),))
    assert binds_of(request, {"demo": str(tmp_path / "demo")}) == {"/elements/demo": str(tmp_path / "demo")}
    assert settings_of(request, 1, "record")["ELEMENTS_PATH"] == "/elements"


def test_our_own_element_has_its_name_alone(tmp_path: pathlib.Path) -> None:
    (tmp_path / "distrogate").mkdir()
    (tmp_path / "distrogate/element-provides").write_text("operating-system\n")
    with pytest.raises(DistrogateError) as caught:
        expand(["distrogate"], [str(tmp_path)])
    assert caught.value.reason == "reserved_element"


def test_the_elements_of_the_key_are_those_that_are_built(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one order, as the packages: which of them provides another depends on the order it tries."""
    found = {name: str(world.element) for name in ("b", "a", "c")}
    monkeypatch.setattr(_build_dib, "expanded_elements", lambda _request: found)
    argv: list[str] = []

    def run(words: list[str], **_more: t.Any) -> t.NoReturn:
        argv.extend(words)
        raise DistrogateError("stop", "here")

    request = ImageRequest("x", "dib", elements=("b",), packages=("z", "y", "z"))
    with world.place() as place:
        monkeypatch.setattr(place, "run", run)
        with pytest.raises(DistrogateError, match="here"):
            DibBuilder().build(request, place, 1)
    assert argv[argv.index("--", 3) + 1 :] == ["a", "b", "c", "distrogate"]
    assert argv[argv.index("-p") + 1] == "y,z"


def test_tools_that_make_the_files() -> None:
    assert {"diskimage-builder", "e2fsprogs", "qemu-utils"} <= set(DibBuilder().tools())
