# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No good image is lost: to the janitor, to another build, to one that cannot end."""

from __future__ import annotations

import os
import pathlib
import threading
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import Rules
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _cleanup, _store
from ansible_collections.distrogate.ci.plugins.module_utils._images._cleanup import clean_images

if t.TYPE_CHECKING:
    from image_world import World

DAYS = 20 * 86400


def grow_old(folder: str) -> None:
    moment = time.time() - DAYS
    for path in [*pathlib.Path(folder).iterdir(), pathlib.Path(folder)]:
        os.utime(path, (moment, moment))


def old_image(world: World) -> str:
    """One that a newer image has followed."""
    path = world.image().path
    world.image(world.request(packages=("vim",)))
    grow_old(path)
    return path


def test_an_image_that_was_just_taken_stays(world: World) -> None:
    path = old_image(world)
    assert world.make().reused
    removed, _kept, errors = clean_images(world.output, Rules(14, 1), 1, [], False)
    assert (removed, errors) == ([], []) and os.path.exists(path)
    grow_old(path)
    removed, _kept, errors = clean_images(world.output, Rules(14, 1), 1, [], False)
    assert [one.path for one in removed] == [path] and not os.path.exists(path)


def test_taken_while_the_janitor_is_about_to_remove_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks again when nobody can take it any more."""
    path = old_image(world)
    real = _cleanup.find_images

    def then_taken(*args: t.Any) -> t.Any:
        found = list(real(*args))
        assert world.make().reused
        return found

    monkeypatch.setattr(_cleanup, "find_images", then_taken)
    removed, _kept, errors = clean_images(world.output, Rules(14, 1), 1, [], False)
    assert removed == [] and "took it meanwhile" in errors[0] and os.path.exists(path)


def test_gone_when_it_is_taken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The janitor was quicker: it is built again, and not half there."""
    path = old_image(world)
    real = _store.Store.find
    removed: list[t.Any] = []

    def then_removed(*args: t.Any) -> t.Any:
        found = real(*args)
        if found is not None and not removed:
            removed.append(clean_images(world.output, Rules(14, 1), 1, [], False)[0])
        return found

    monkeypatch.setattr(_store.Store, "find", then_removed)
    found = world.make()
    assert [one.path for one in removed[0]] == [path]
    assert not found.reused and found.image is not None and os.path.exists(path)


def test_a_distribution_that_moves_back_meanwhile(world: World) -> None:
    """The image of that state is there, and somebody may work in its root directory."""
    request = world.request(formats=("root",))
    first = world.image(request)
    inode = os.stat(first.path).st_ino
    text = pathlib.Path(world.path, "mirror/dists/bookworm/InRelease").read_text()
    world.release("bookworm", "another")
    world.builder.during = lambda _place: world.release("bookworm", text)
    found = world.make(request)
    assert found.reused and found.image is not None and found.image.path == first.path
    assert os.stat(first.path).st_ino == inode and world.builder.builds == 2


def test_time_is_over_while_files_are_read(world: World) -> None:
    """A huge file without contents takes no space, and would be read for days."""

    def during(place: t.Any) -> None:
        os.truncate(os.path.join(place.out, "a.qcow2"), 100 << 40)

    world.builder.during = during
    with pytest.raises(DistrogateError) as caught:
        world.make(timeout=3)
    assert caught.value.reason in ("too_large", "timeout")

    def slow(place: t.Any) -> None:
        os.truncate(os.path.join(place.out, "a.qcow2"), 1 << 30)
        place.deadline = time.monotonic() + 0.05

    world.builder.during = slow
    with pytest.raises(DistrogateError) as caught:
        world.make()
    assert caught.value.reason == "timeout" and world.store().all_keys() == []


def test_many_let_newest_name_an_image_at_once(world: World) -> None:
    image, newer = world.image(), world.image(world.request(packages=("vim",)))
    link = pathlib.Path(world.store().home, "newest")
    errors: list[BaseException] = []

    def point() -> None:
        try:
            for _number in range(100):
                world.store().point(newer)
                link.unlink(missing_ok=True)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=point) for _number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert errors == [] and image.path != newer.path


def test_putting_away_beside_another_build(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever cleans meanwhile takes the new folder for that of a killed build."""
    from ansible_collections.distrogate.ci.plugins.module_utils._images._place_clean import clean_places

    path, real = world.image().path, os.rename
    cleaners: list[threading.Thread] = []

    def rename(source: t.Any, target: t.Any) -> None:
        if source == path:
            cleaners.append(threading.Thread(target=lambda: clean_places(world.output)))
            cleaners[0].start()
            cleaners[0].join(0.3)
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    world.store().put_away(path)
    cleaners[0].join(120)
    assert not os.path.exists(path)
