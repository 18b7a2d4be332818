# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cleaning images: which of them stay, and what killed builds left."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import DAY, Rules
from ansible_collections.distrogate.ci.plugins.module_utils._images._cleanup import clean_images
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_clean import clean_places

if t.TYPE_CHECKING:
    from conftest import Output


def image(output: Output, number: int, name: str = "small", days: float = 10) -> pathlib.Path:
    """An image; the one with the highest number is the newest."""
    path = pathlib.Path(output.path, name, f"{number:064x}")
    path.mkdir(parents=True)
    (path / "small.raw").write_text("x")
    (path / "image.json").write_text(json.dumps({"key": f"sha256:{number:064x}"}))
    (path / "build.json").write_text(json.dumps({"created": f"2026-01-{number:02}T00:00:00Z"}))
    moment = time.time() - days * DAY
    for file in (path / "small.raw", path / "image.json", path / "build.json", path):
        os.utime(file, (moment, moment))
    return path


def clean(output: Output, pinned: t.Sequence[str] = (), check: bool = False, most: int = 2) -> list[str]:
    """The last two characters of the images that were removed."""
    removed, _kept, errors = clean_images(output.path, Rules(14, 1), most, pinned, check)
    assert errors == []
    return sorted(one.path[-2:] for one in removed if one.kind == "image")


def test_the_newest_stay(output: Output) -> None:
    paths = [image(output, number) for number in range(1, 6)]
    image(output, 9, "other")
    pathlib.Path(output.path, "small", ".seen-" + paths[0].name + ".json").write_text("{}")
    assert clean(output, check=True) == ["01", "02", "03"] and all(path.exists() for path in paths)
    assert clean(output) == ["01", "02", "03"]
    assert [path.exists() for path in paths] == [False, False, False, True, True]
    assert sorted(os.listdir(os.path.join(output.path, "small"))) == [paths[3].name, paths[4].name, "lock"]
    assert output.work() == [] and clean(output) == []


@pytest.mark.parametrize("use", ["pinned", "newest", "process", "run", "young"])
def test_what_is_in_use_stays(output: Output, tmp_path: pathlib.Path, use: str) -> None:
    path = image(output, 1, days=0.5 if use == "young" else 10)
    for number in (2, 3, 4):
        image(output, number)
    pinned = [f"sha256:{path.name}"] if use == "pinned" else []
    if use == "newest":
        os.symlink(path.name, path.parent / "newest")
    if use == "run":
        os.link(path / "small.raw", tmp_path / "artifact")
    worker = subprocess.Popen(["sleep", "60"], cwd=path if use == "process" else tmp_path)
    try:
        assert clean(output, pinned) == ["02"]
    finally:
        worker.kill()
        worker.wait()
    assert path.exists()


def test_an_image_that_is_being_made_again_stays(output: Output) -> None:
    paths = [image(output, number) for number in (1, 2, 3)]
    script = "import fcntl, sys, time; held = open(sys.argv[1], 'w'); fcntl.flock(held, 2)\n"
    script += "print(1, flush=True); time.sleep(60)"
    builder = subprocess.Popen(
        ["python3", "-c", script, str(paths[0].parent / "lock")], stdout=subprocess.PIPE
    )
    assert builder.stdout is not None and builder.stdout.readline()
    try:
        removed, kept, errors = clean_images(output.path, Rules(14, 1), 2, [], False)
    finally:
        builder.kill()
        builder.wait()
    assert removed == [] and len(errors) == 1 and "in use" in errors[0] and len(kept) == 3
    assert paths[0].exists()


def test_links_are_not_followed(output: Output, tmp_path: pathlib.Path) -> None:
    for number in (2, 3, 4):
        image(output, number)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x")
    os.symlink(tmp_path / "precious", os.path.join(output.path, "small", "0" * 64))
    os.symlink(tmp_path / "precious", os.path.join(output.path, "linked"))
    assert clean(output) == ["02"]
    assert (tmp_path / "precious" / "file").exists()


def test_what_is_kept_for_later_builds_goes_when_it_is_of_no_use(output: Output) -> None:
    folder = pathlib.Path(output.path, ".cache", "archives")
    folder.mkdir(parents=True)
    for name, days in (("a" * 64, 20), ("b" * 64, 10), (".new-x", 2), (".new-y", 0.1)):
        (folder / name).write_text("x")
        os.utime(folder / name, (time.time() - days * DAY,) * 2)
    layers = folder.parent / "layers"
    for name, days in (("old", 20), ("new", 10)):
        (layers / name / "root").mkdir(parents=True)
        for path in (layers / name / "root", layers / name):
            os.utime(path, (time.time() - days * DAY,) * 2)
    clean(output)
    assert sorted(os.listdir(folder)) == [".new-y", "b" * 64] and os.listdir(layers) == ["new"]


def layers(output: Output, *days: float) -> list[pathlib.Path]:
    """Layers of diskimage-builder, each of 1 MiB."""
    found = []
    for number, age in enumerate(days):
        path = pathlib.Path(output.path, ".cache", "dib", str(number) * 64)
        (path / "layer").mkdir(parents=True)
        (path / "layer" / "file").write_bytes(b"x" * (1 << 20))
        for one in (path / "layer" / "file", path / "layer", path):
            os.utime(one, (time.time() - age * DAY,) * 2)
        found.append(path)
    return found


def test_layers_go_when_they_are_of_no_use(output: Output) -> None:
    paths = layers(output, 20, 10, 30)
    rules = Rules(14, 1)  # which does not see who uses it
    with _held(paths[2]):
        removed, _kept, errors = clean_images(output.path, rules, 2, [], False)
    assert [one.path for one in removed] == [str(paths[0])]
    assert len(errors) == 1 and "in use" in errors[0]
    assert [path.exists() for path in paths] == [False, True, True] and output.work() == []


def test_caches_have_a_size(output: Output) -> None:
    """The longest unused go first."""
    paths = layers(output, 3, 1, 2)
    removed, kept, errors = clean_images(output.path, Rules(14, 1), 2, [], False, cache_size=5 << 19)
    assert [one.path for one in removed] == [str(paths[0])] and errors == []
    assert "caches would have" in removed[0].reason and len(kept) == 2


@contextlib.contextmanager
def _held(path: pathlib.Path) -> t.Iterator[None]:
    """As a build holds its layer."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def test_places_of_killed_builds(output: Output) -> None:
    with output.place() as place:
        dead = pathlib.Path(output.path, ".work", "small-dead")
        (dead / "work").mkdir(parents=True)
        sleeper = subprocess.Popen(["python3", "-I", "-c", "import time; time.sleep(60)", str(dead)])
        removed, kept, _errors = clean_images(output.path, Rules(14, 1), 2, [], True)
        assert [one.path for one in removed] == [str(dead)] and dead.exists()
        assert [one.reason for one in kept] == ["a build is at work in it"]
        removed, kept, _errors = clean_images(output.path, Rules(14, 1), 2, [], False)
        assert [one.kind for one in removed] == ["place"] and not dead.exists()
        assert os.path.isdir(place.place)
        sleeper.kill()
        sleeper.wait()


def test_mounts_of_killed_builds(output: Output) -> None:
    """Those in the host's own namespace, should there ever be one."""
    dead = pathlib.Path(output.path, ".work", "small-dead")
    (dead / "work" / "deep er").mkdir(parents=True)
    program = """
import sys
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_clean import clean_places
print(clean_places(sys.argv[1]))
"""
    script = 'mount -t tmpfs a "$1" && mkdir "$1/b" && mount -t tmpfs b "$1/b" && exec python3 -c "$2" "$3"'
    user = [] if os.getuid() == 0 else ["--map-root-user"]
    done = subprocess.run(
        [
            "unshare",
            "--mount",
            *user,
            "sh",
            "-c",
            script,
            "x",
            str(dead / "work" / "deep er"),
            program,
            output.path,
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.count("mount ") == 2 and f"folder {dead}" in done.stdout
    assert not dead.exists() and clean_places(output.path) == []
