# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes that promote a bundle of all types, side by side, and are killed; on both stores."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import time
import traceback
import typing as t

import pytest
from promotion_site import A, B, C, Life, MortalStore, Site, World

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion import Promotion
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_targets import side_by_side
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store

ALL = ("oci_publish", "git_publish", "apt_publish", "rpm_publish", "file_publish")
Json = dict[str, t.Any]


class MortalLife(Life):
    """Here a step that is the last one kills the process."""

    def step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class BusyWorld(World):
    """Its targets work side by side, as they do for real."""

    def together(self, calls: t.Sequence[t.Callable[[], Json]]) -> list[t.Any]:
        return side_by_side(calls)


def act(url: str, folder: pathlib.Path, digest: str | None, steps: int) -> None:
    """Promote, or roll back; or only finish what was left, for an empty digest."""
    with open_store(url) as store:
        site = Site(store, ALL, folder)
        life = MortalLife(steps)

        def promotion(_steps: int = 0, channel: str = "latest", _life: Life | None = None) -> Promotion:
            return Promotion(MortalStore(store, life), channel, BusyWorld(site, life), "somebody")

        site.promotion = promotion  # type: ignore[method-assign]
        if digest:
            site.promote(digest)
        elif digest is None:
            site.roll_back()
        else:
            site.promotion().recover()


def begin(url: str, folder: pathlib.Path, digest: str | None, steps: int = 10**9) -> int:
    """A process of its own that acts; its id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        act(url, folder, digest, steps)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def ended(child: int) -> bool:
    """Whether it came to its end by itself; it must not have failed."""
    _child, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the process failed, look at its output"
    return True


def check(url: str, folder: pathlib.Path, expected: set[str]) -> str:
    """After the next run: one bundle everywhere, whichever; returns it."""
    assert ended(begin(url, folder, ""))
    with open_store(url) as store:
        site = Site(store, ALL, folder)
        site.check()
        (has,) = site.state()
    assert has in expected
    return has


@pytest.mark.parametrize("digest", [C, None])
def test_killed_at_steps(any_store_url: str, tmp_path: pathlib.Path, digest: str | None) -> None:
    for first in (A, B):
        assert ended(begin(any_store_url, tmp_path, first))
    seen, steps = set(), 0
    while True:
        steps += 4
        done = ended(begin(any_store_url, tmp_path, digest, steps))
        has = check(any_store_url, tmp_path, {A, B, C})
        seen.add(has)
        if done:
            break
        if has != B:  # begin anew from the same bundle
            assert ended(begin(any_store_url, tmp_path, B))
    assert seen == {B, digest or A}
    assert steps > 50


def test_killed_at_random(any_store_url: str, tmp_path: pathlib.Path) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    for first in (A, B):
        assert ended(begin(any_store_url, tmp_path, first))
    killed = 0
    for number in range(30):
        child = begin(any_store_url, tmp_path, dice.choice([A, B, C, None]))
        time.sleep(dice.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        killed += not ended(child)
        if number % 3:  # also killed twice and three times in a row
            check(any_store_url, tmp_path, {A, B, C})
    check(any_store_url, tmp_path, {A, B, C})
    assert killed
