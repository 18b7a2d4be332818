# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work in a child: whatever becomes of it, this process lives and knows at which item it happened."""

from __future__ import annotations

import faulthandler
import os
import signal
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._isolated import isolated

MEMORY = 64 << 20


def work(item: str) -> t.Any:
    if item == "crash":
        faulthandler.disable()  # pytest's own, which would tell of it
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == "grow":
        bytearray(10 * MEMORY)
    if item == "hang":
        while True:
            pass
    if item == "raise":
        raise ValueError(item)
    if item == "refuse":
        raise DistrogateError("bad_package", "no", path=item)
    return {"item": item}


def died(item: str, why: str) -> DistrogateError:
    return DistrogateError("died", f"{item}: {why}")


def run(*items: str, **more: t.Any) -> list[t.Any]:
    found = []
    limits = {"memory": MEMORY, "seconds": 1, **more}
    for result in isolated(
        work, items, lambda item, why: DistrogateError("died", f"{item}: {why}"), **limits
    ):
        found.append(result["item"])
    return found


def test_results_in_order() -> None:
    items = [str(number) * 100 for number in range(5000)]  # more than a pipe holds
    assert run(*items) == items
    assert run() == []


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ("crash", "crashes (signal 11)"),
        ("grow", "too much memory"),
        ("hang", "too long"),
        ("raise", "or fails"),
    ],
)
def test_the_culprit_is_named(item: str, why: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        run("a", "b", item, "c")
    assert caught.value.reason == "died"
    assert caught.value.message.startswith(f"{item}: ")
    assert why in caught.value.message


def test_errors_come_through() -> None:
    with pytest.raises(DistrogateError) as caught:
        run("a", "refuse", "c")
    assert (caught.value.reason, caught.value.details) == ("bad_package", {"path": "refuse"})


def _children() -> set[str]:
    """The living and the dead that nobody waited for; other tests in this process may have left some."""
    found: set[str] = set()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children", encoding="ascii") as stream:
            found.update(stream.read().split())
    return found


def test_nobody_is_left_when_the_reader_stops() -> None:
    before = _children()
    results = isolated(work, ["a", "hang"], DistrogateError, memory=MEMORY, seconds=60)
    del results
    results = isolated(work, ["a"] * 100000, DistrogateError, memory=MEMORY, seconds=60)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert _children() <= before
