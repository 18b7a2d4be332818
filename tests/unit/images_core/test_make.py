# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making images: once for a key, whole or not at all, whoever is killed or changes what meanwhile."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import threading
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _make
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import Source

if t.TYPE_CHECKING:
    from image_world import World


def refusal(call: t.Callable[[], t.Any]) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        call()
    return caught.value


def nothing_left(world: World) -> None:
    """No build place, and no image but whole ones."""
    work = pathlib.Path(world.output, ".work")
    assert not work.exists() or [one.name for one in work.iterdir() if one.is_dir()] == []
    store = world.store()
    assert None not in [store.find(key, full=True) for key in store.all_keys()]


def test_made_once(world: World) -> None:
    first = world.make()
    assert first.image is not None and not first.reused and first.changed_inputs == []
    again = world.make()
    assert again.reused and again.key == first.key and world.builder.builds == 1
    assert again.image is not None and again.image.path == world.store().folder(first.key)
    assert os.readlink(pathlib.Path(world.store().home, "newest")) == first.key[7:]
    nothing_left(world)


def test_its_files(world: World) -> None:
    path, commit = world.checkout()
    request = world.request(formats=("qcow2", "root"), sources=(Source("openstack/x", path, commit),))
    image = world.image(request)
    assert sorted(os.listdir(image.path)) == [
        "SHA256SUMS",
        "appliance.qcow2",
        "appliance.vmlinuz",
        "build.json",
        "build.log",
        "image.json",
        "packages.json",
        "root",
    ]
    facts = image.facts
    assert facts["commits"] == {"openstack/x": commit} and facts["source_date_epoch"] == 1793491200
    assert facts["boot"] == {"kernel": "appliance.vmlinuz", "initrd": "", "append": "root=/dev/vda"}
    assert facts["formats"] == {"qcow2": "appliance.qcow2", "root": "root"}
    packages = json.loads(pathlib.Path(image.path, "packages.json").read_text())
    assert [one["name"] for one in packages["packages"]] == ["a", "b"]
    assert "builds" in pathlib.Path(image.path, "build.log").read_text()
    assert os.system(f"cd {image.path} && sha256sum --quiet --check SHA256SUMS") == 0


def test_changed_inputs(world: World) -> None:
    before = world.image()
    world.element("service", "install.d/10-service", "echo other\n")
    found = world.make(world.request(packages=("vim",), size=1 << 30))
    assert found.changed_inputs == ["element:service", "package:vim", "parameter:size"]
    assert found.before == before.path
    world.element("service", "install.d/10-service", "echo service\n")
    assert world.make().reused  # an image of before, and not the newest one


@pytest.mark.parametrize("damage", ["qcow2", "image.json", "SHA256SUMS", "gone"])
@pytest.mark.parametrize("verify", ["quick", "full"])
def test_a_damaged_image_is_made_anew(world: World, damage: str, verify: str) -> None:
    image = world.image()
    name = {"qcow2": "appliance.qcow2", "gone": "packages.json"}.get(damage, damage)
    path = pathlib.Path(image.path, name)
    status = path.stat()
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(data.replace(data[:1], b"?", 1))
    if verify == "full" and damage == "qcow2":  # what only reading it can show
        path.unlink()
        path.write_bytes(data)
        seen = world.image()  # known by its new inode
        assert seen.path == image.path and world.builder.builds == 1
        before = path.stat()
        with open(path, "r+b") as stream:
            stream.write(b"?")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert world.make().reused
    assert status.st_size
    found = world.make(full=verify == "full")
    assert not found.reused and world.builder.builds == 2
    nothing_left(world)
    assert world.make(full=True).reused


def test_killed_at_any_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it dies, what lies under a key is whole, and the next run finds nothing in its way."""
    moments = 0
    for moment in range(1, 200):
        child = os.fork()
        if child == 0:
            _dies(world, moment)
        if os.WIFEXITED(os.waitpid(child, 0)[1]):
            break
        moments += 1
        store = world.store()
        assert None not in [store.find(key, full=True) for key in store.all_keys()]
        image = world.image()
        nothing_left(world)
        newest = world.store().newest()
        assert newest is not None and newest.key == image.key
        world.element("service", "file", str(moment))  # the next one has another key
    assert moments > 15


def _dies(world: World, moment: int) -> t.NoReturn:
    left = [moment]

    def counted(real: t.Any) -> t.Any:
        def call(*args: t.Any, **more: t.Any) -> t.Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **more)

        return call

    try:
        for name in ("rename", "mkdir", "fsync", "unlink", "symlink", "chmod"):
            setattr(os, name, counted(getattr(os, name)))
        world.builder.during = counted(world.builder.during)
        world.make()
    finally:
        os._exit(0)


def test_two_at_once(world: World) -> None:
    """One builds, the other one says for whom it waits, and takes that image."""
    started, go_on = threading.Event(), threading.Event()

    def during(_place: t.Any) -> None:
        started.set()
        assert go_on.wait(120)

    world.builder.during = during
    found: list[t.Any] = []
    first = threading.Thread(target=lambda: found.append(world.make()))
    first.start()
    assert started.wait(120)
    second = threading.Thread(target=lambda: found.append(world.make()))
    second.start()
    while not any("waits for process" in line for line in world.said):
        time.sleep(0.01)
    go_on.set()
    first.join(120)
    second.join(120)
    assert [one.reused for one in found] == [False, True] and world.builder.builds == 1
    assert any(f"waits for process {os.getpid()}, which builds appliance" in line for line in world.said)
    assert any("another run has built" in line for line in world.said)


def test_inputs_that_change_meanwhile(world: World) -> None:
    world.builder.during = lambda _place: world.element("service", "install.d/10-service", "evil\n")
    error = refusal(world.make)
    assert error.reason == "inputs_changed" and error.details["changed_inputs"] == ["element:service"]
    assert world.store().all_keys() == []
    nothing_left(world)


def test_a_distribution_that_moves_meanwhile(world: World) -> None:
    """That is nobody's fault: it is built again, once."""
    texts = iter(["one", "one", "one"])
    world.builder.during = lambda _place: world.release("bookworm", next(texts))
    found = world.make()
    assert world.builder.builds == 2 and world.store().all_keys() == [found.key]
    assert found.image is not None and found.key == found.image.key
    texts = iter(["two", "three"])
    world.release("bookworm", "zero")
    assert refusal(world.make).reason == "inputs_changed" and world.builder.builds == 4


def test_pinned(world: World) -> None:
    first = world.make()
    assert first.image is not None
    digest = first.image.facts["inputs"]["distribution:bookworm"]
    world.release("bookworm", "moved")
    assert world.make(pins={"bookworm": digest}).reused
    request = world.request(packages=("vim",))
    error = refusal(lambda: world.make(request, pins={"bookworm": digest}))
    assert error.reason == "snapshot_moved" and digest in error.message
    assert world.make(request, pins={"bookworm": "2026-08"}).image is not None


def test_a_source_that_is_gone(world: World) -> None:
    path, commit = world.checkout()
    gone = commit[:-4] + "dead"
    error = refusal(lambda: world.make(world.request(sources=(Source("x", path, gone),))))
    assert error.reason == "commit_missing" and gone in error.message and world.builder.builds == 0


def test_too_little_space(world: World) -> None:
    error = refusal(lambda: world.make(free_space=1 << 60))
    assert error.reason == "disk_full" and world.builder.builds == 0
    nothing_left(world)


def test_the_disk_is_full_at_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: t.Any, **_more: t.Any) -> t.Any:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(_make, "finish", full)
    error = refusal(world.make)
    assert error.reason == "disk_full" and "No space left on device, at somewhere" in error.message
    assert "builds" in error.message  # the log's last lines
    monkeypatch.undo()
    assert world.store().all_keys() == []
    nothing_left(world)
    assert not world.make().reused


def test_a_builder_that_fails_leaves_the_newest(world: World) -> None:
    before = world.image()

    def fails(_place: t.Any) -> None:
        raise DistrogateError("command_failed", "no")

    world.builder.during = fails
    assert refusal(lambda: world.make(world.request(packages=("vim",)))).reason == "command_failed"
    newest = world.store().newest()
    assert newest is not None and newest.key == before.key
    nothing_left(world)


@pytest.mark.parametrize("what", ["link", "folder", "missing"])
def test_a_builder_that_makes_no_file(world: World, what: str) -> None:
    def instead(place: t.Any) -> None:
        path = pathlib.Path(place.out, "a.qcow2")
        path.unlink()
        if what == "link":
            path.symlink_to("/etc/passwd")
        if what == "folder":
            path.mkdir()

    world.builder.during = instead
    with pytest.raises((DistrogateError, FileNotFoundError)):
        world.make()
    assert world.store().all_keys() == []
    nothing_left(world)


def test_output_through_a_link(world: World) -> None:
    real = world.path / "disk"
    real.mkdir()
    link = world.path / "link"
    link.symlink_to(real)
    image = world.image(output=str(link))
    assert image.path.startswith(str(real)) and world.make(output=str(real)).reused


def test_a_link_in_place_of_the_name(world: World) -> None:
    os.makedirs(world.output)
    elsewhere = world.path / "elsewhere"
    elsewhere.mkdir()
    pathlib.Path(world.output, "appliance").symlink_to(elsewhere)
    assert refusal(world.make).reason == "in_the_way" and os.listdir(elsewhere) == []


def test_prediction_writes_nothing(world: World) -> None:
    def predicted() -> t.Any:
        store = world.store()
        builder = t.cast(t.Any, world.builder)
        return _make.predict(store, world.request(), builder, world.settings())

    found = predicted()
    assert found.image is None and not found.reused and not os.path.exists(world.output)
    assert world.make().key == found.key and predicted().reused
