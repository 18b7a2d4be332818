# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images over a common tree that nobody writes to, and of a base with a distribution that is not its own."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import tarfile
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._images import _base_layer, _root_scripts
from ansible_collections.distrogate.ci.plugins.module_utils._images._base_layer import BaseLayer
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest

if t.TYPE_CHECKING:
    from conftest import Output

EPOCH = 1700000000
_APT = """#!/bin/busybox sh
echo apt-get "$@"
for one in /etc/apt/distrogate.d/* /etc/apt/sources.list.d/*; do echo "$one: $(/bin/busybox cat $one)"; done
"""


@pytest.fixture
def made(output: Output, monkeypatch: t.Any) -> list[str]:
    """Common trees are the small base; says how many were made."""
    run, names = BuildPlace.run, []

    def instead(place: BuildPlace, argv: t.Sequence[str], **options: t.Any) -> t.Any:
        if argv[0] != "mmdebstrap":
            return run(place, argv, **options)
        names.append(argv[-2])
        script = 'mkdir "$1" && exec tar -x --numeric-owner -f "$2" -C "$1"'
        words = ["sh", "-c", script, "unpack", argv[-2], output.base]
        return run(place, words, binds={output.base: output.base})

    monkeypatch.setattr(BuildPlace, "run", instead)
    return names


def layers(output: Output) -> list[pathlib.Path]:
    folder = pathlib.Path(output.path, ".cache", "layers")
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())


def state(folder: pathlib.Path) -> bytes:
    """All that is in a folder, with dates of change."""
    argv = ["find", str(folder), "-printf", "%P %s %C@ %m %U %l\\n"]
    return b"\n".join(sorted(subprocess.run(argv, capture_output=True, check=True).stdout.splitlines()))


@pytest.mark.skipif(os.getuid() != 0, reason="looks at files of subordinate ids")
def test_a_tree_is_made_once_and_stays_as_it_is(
    output: Output, made: list[str], tmp_path: pathlib.Path
) -> None:
    changes = {"base": "", "suite": "bookworm", "formats": ("tar", "raw", "root")}
    first = output.build(tmp_path / "first", **changes)
    (layer,) = layers(output)
    before = state(layer / "root")
    second = output.build(tmp_path / "second", **changes)
    assert len(made) == 1 and layers(output) == [layer] and state(layer / "root") == before
    for name in ("tar", "raw"):
        assert sha256_file(first.files[name]) == sha256_file(second.files[name])
    assert pathlib.Path(layer, "root/etc/machine-id").read_text() == "0123"
    root = pathlib.Path(second.files["root"])
    assert (root / "etc/machine-id").read_text() == "" and not (root / "run/pid").exists()
    assert os.lstat(root / "etc").st_mtime == EPOCH and (root / "etc/file1").exists()
    assert output.work() == []


@pytest.mark.parametrize("kind", ["overlay", "nosuch"])
def test_the_same_as_a_tree_that_nothing_lies_below(
    output: Output, made: list[str], tmp_path: pathlib.Path, monkeypatch: t.Any, kind: str
) -> None:
    """Also with a kernel that has no overlays for everybody."""
    program = _root_scripts.OPEN.replace("mount -t overlay", f"mount -t {kind}")
    assert (program == _root_scripts.OPEN) is (kind == "overlay")
    monkeypatch.setattr(_root_scripts, "OPEN", program)
    over = output.build(tmp_path / "over", base="", suite="bookworm", formats=("tar",))
    plain = output.build(tmp_path / "plain", formats=("tar",))
    assert made and sha256_file(over.files["tar"]) == sha256_file(plain.files["tar"])


def test_a_tree_that_was_given_up_stays_for_those_who_use_it(output: Output, made: list[str]) -> None:
    request = ImageRequest("small", "mmdebstrap", "bookworm", mirror="m")
    with (
        output.place() as place,
        output.place() as other,
        BaseLayer(request, place, EPOCH, "1") as layer,
        BaseLayer(request, other, EPOCH, "1") as mine,
    ):
        path = layer.take()
        assert mine.take() == path and layer.new and not mine.new
        layer.forget()
        with BaseLayer(request, place, EPOCH, "1") as again:
            assert again.take() != path and again.new and os.path.isdir(path)
    assert len(made) == 2


def test_the_layers_that_were_used_last_are_kept(output: Output, made: list[str]) -> None:
    paths = []
    for number in range(_base_layer.KEEP + 2):
        request = ImageRequest("small", "mmdebstrap", "bookworm", mirror=f"{number}")
        with output.place() as place, BaseLayer(request, place, EPOCH, "1") as layer:
            paths.append(pathlib.Path(layer.take()).parent)
            os.utime(paths[-1], (1e9 + number, 1e9 + number))
    assert layers(output) == sorted(paths[2:])
    links = [path for path in pathlib.Path(output.path, ".cache", "layers").iterdir() if path.is_symlink()]
    assert len(links) == _base_layer.KEEP


def test_one_of_an_earlier_boot_is_not_taken(output: Output, made: list[str], monkeypatch: t.Any) -> None:
    request = ImageRequest("small", "mmdebstrap", "bookworm", mirror="m")
    with output.place() as place:
        path = BaseLayer(request, place, EPOCH, "1").path
        monkeypatch.setattr(_base_layer, "boot_id", lambda: "another")
        assert BaseLayer(request, place, EPOCH, "1").path != path


def test_packages_over_a_base_come_from_the_distribution_that_is_given(
    output: Output, tmp_path: pathlib.Path
) -> None:
    base = str(tmp_path / "base.tar")
    pathlib.Path(base).write_bytes(pathlib.Path(output.base).read_bytes())
    with tarfile.open(base, "a") as archive:
        for name in ("proc", "sys", "usr", "usr/bin", "usr/sbin"):
            entry = tarfile.TarInfo(f"./{name}")
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, text in (("usr/bin/apt-get", _APT), ("etc/apt/sources.list.d/old.sources", "its own")):
            entry = tarfile.TarInfo(f"./{name}")
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    built = output.build(
        tmp_path / "built", base=base, packages=("jq",), mirror="Types: deb # ours\n", formats=("tar",)
    )
    text = output.text()
    assert "/etc/apt/distrogate.d/mirror.sources: Types: deb # ours" in text
    assert text.count("SourceParts=/etc/apt/distrogate.d") == text.count("apt-get -o") == 2
    with tarfile.open(built.files["tar"]) as archive:
        names = archive.getnames()
    assert "./etc/apt/sources.list.d/old.sources" in names and "./etc/apt/distrogate.d" not in names
