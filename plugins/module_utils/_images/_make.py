# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image of a request: the one that is there, or a new one; two that want it at once build it once."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import Builder
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_finish import Recipe, finish
from ansible_collections.distrogate.ci.plugins.module_utils._images._inputs import (
    changed_inputs,
    check_sources,
    dates_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace, clean_places
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest
from ansible_collections.distrogate.ci.plugins.module_utils._images._state import State, check_pins, look
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import LOCK, Image, Store

_DISTRIBUTION = "distribution:"


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to make it: nothing here decides what is in the image. ``timeout`` is in seconds."""

    log: str = ""
    timeout: float = 7200
    free_space: int = 1 << 30
    full: bool = False
    pins: dict[str, str] = dataclasses.field(default_factory=dict)
    say: t.Callable[[str], None] = lambda _words: None


@dataclasses.dataclass(frozen=True)
class Outcome:
    """``image`` is None where one would have to be built, and nothing may be changed.

    ``before`` is the folder of the newest image until then, or empty.
    """

    key: str
    image: Image | None
    reused: bool
    changed_inputs: list[str]
    before: str = ""
    warnings: tuple[str, ...] = ()


def predict(store: Store, request: ImageRequest, builder: Builder, settings: Settings) -> Outcome:
    """What ``make`` would do; nothing is written."""
    state = look(store, request, builder, settings.pins, timeout=settings.timeout)
    image = _find(store, state.key, settings.full)
    changed, before = ([], "") if image is not None else _since(store, state)
    return Outcome(state.key, image, image is not None, changed, before, state.warnings)


def make(store: Store, request: ImageRequest, builder: Builder, settings: Settings) -> Outcome:
    """The image, built unless it is there. Errors: ``inputs_changed``, ``commit_missing``; a builder's."""
    store.make()
    for released in clean_places(store.output):  # also when nothing is to be built
        settings.say(f"releases what a killed build left: {released}")
    state = look(store, request, builder, settings.pins, timeout=settings.timeout)
    image = _taken(store, state.key, settings.full)
    if image is None:
        with _alone(store, settings) as waited:
            if waited:  # for hours, perhaps
                state = look(store, request, builder, settings.pins, timeout=settings.timeout, before=state)
            state, outcome = _made(store, request, builder, settings, state)
    else:
        outcome = Outcome(state.key, image, True, [])
        store.point(image)
    state.memo.save()
    return dataclasses.replace(outcome, warnings=state.warnings)


def _made(
    store: Store, request: ImageRequest, builder: Builder, settings: Settings, state: State
) -> tuple[State, Outcome]:
    """Under the lock: the image that another one built meanwhile, or a new one."""
    image = _taken(store, state.key, settings.full)
    if image is not None:
        settings.say(f"takes the image {request.name} that another run has built meanwhile")
        return state, Outcome(state.key, image, True, [])
    check_sources(request.sources)
    changed, before = _since(store, state)
    after = _build(store, request, builder, settings, state)
    moved = changed_inputs(state.inputs, after.inputs)
    if moved and all(name.startswith(_DISTRIBUTION) for name in moved):
        settings.say(f"builds {request.name} again: {', '.join(moved)} changed meanwhile")
        state = after
        image = _taken(store, state.key, settings.full)
        if image is not None:  # of another time at which the distribution was like that
            return state, Outcome(state.key, image, True, [])
        after = _build(store, request, builder, settings, state)
        moved = changed_inputs(state.inputs, after.inputs)
    if moved:
        raise DistrogateError(
            "inputs_changed",
            f"While {request.name} was being built, {', '.join(moved[:20])} changed, so that nobody can say"
            " what is in it; it was thrown away. Run it again, and change nothing meanwhile.",
            changed_inputs=moved,
        )
    image = _taken(store, state.key, False)
    if image is None:
        raise DistrogateError("damaged_image", f"Somebody removed {store.folder(state.key)}. Run it again.")
    store.point(image)
    return after, Outcome(state.key, image, False, changed, before)


def _build(store: Store, request: ImageRequest, builder: Builder, settings: Settings, state: State) -> State:
    """Build it once; returns the state afterwards. The image is kept only when nothing changed."""
    store.put_away(store.folder(state.key))
    log = settings.log or store.log()
    if not settings.log:
        open(log, "w").close()  # else it would grow with every build
    begin = os.path.getsize(log) if os.path.exists(log) else 0
    started = time.monotonic()
    settings.say(f"builds {request.name}")
    pinned = check_pins(request, settings.pins, settings.timeout)
    with BuildPlace(
        store.output,
        request.name,
        log=log,
        timeout=settings.timeout,
        free_space=settings.free_space,
        say=settings.say,
    ) as place:
        epoch = max([state.date, pinned, *dates_of(request.sources)]) or 1
        built = builder.build(request, place, epoch)
        after = look(store, request, builder, settings.pins, timeout=settings.timeout, before=state)
        if after.key == state.key:
            settings.say(f"checks {request.name}")
            seconds = time.monotonic() - started
            recipe = Recipe(request, state.key, state.inputs, epoch, seconds)
            new = os.path.join(place.place, "image")
            with place.full_disk():
                digests = finish(new, built, recipe, log, begin, limits=place)
                store.put(new, store.folder(state.key))
            store.remember(store.folder(state.key), digests)
    return after


def _taken(store: Store, key: str, full: bool) -> Image | None:
    """The image, which no janitor removes from now on, unless it is damaged or gone."""
    image = _find(store, key, full)
    return image if image is not None and store.use(image.path) else None


def _find(store: Store, key: str, full: bool) -> Image | None:
    """The image, unless it is damaged: then it is made anew."""
    try:
        return store.find(key, full)
    except DistrogateError as error:
        if error.reason != "damaged_image":
            raise
        return None


def _since(store: Store, state: State) -> tuple[list[str], str]:
    """What differs from the newest image, and the folder of that; nothing when there is none."""
    newest = store.newest()
    if newest is None:
        return [], ""
    return changed_inputs(newest.facts["inputs"], state.inputs), newest.path


@contextlib.contextmanager
def _alone(store: Store, settings: Settings) -> t.Iterator[bool]:
    """The one who builds images of this name; a waiter says for whom it waits. Yields whether it did."""
    path = os.path.join(store.home, LOCK)
    with contextlib.ExitStack() as stack:
        waited = False
        try:
            stack.enter_context(file_lock(path, 0))
        except DistrogateError as error:
            if error.reason != "lock_timeout":
                raise
            pid, since = (error.details["holder"].get(word) for word in ("pid", "since"))
            settings.say(f"waits for process {pid}, which builds {store.name} since {since}")
            stack.enter_context(file_lock(path, settings.timeout))
            waited = True
        yield waited
