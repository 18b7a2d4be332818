# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fences only rise; a lease ends by the machine's own clock, and with its start."""

from __future__ import annotations

import os
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard import _state
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard._clock import Clock
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard._wire import RefusedError
from ansible_collections.distrogate.ci.tests.faults.guard_host import Host


class Stepped(Clock):
    """Seconds that a test sets."""

    seconds = 1000.0

    def now(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Stepped:
    return Stepped("boot-1")


def refused(call: t.Callable[[], t.Any]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        call()
    return caught.value


def test_fences_only_rise(clock: Stepped) -> None:
    state = _state.State("te1").raised(7, 60, "a", clock)
    assert state.raised(7, 90, "a", clock).deadline == 1090.0
    for fence, key in ((6, "a"), (6, "b"), (7, "b")):
        error = refused(lambda fence=fence, key=key: state.raised(fence, 60, key, clock))  # type: ignore[misc]
        assert (error.reason, error.details) == ("fence_behind", {"fence": 7})
    newer = state.raised(9, 60, "b", clock)
    assert newer.known() == ((9, "b"), (7, "a"))
    assert refused(lambda: newer.check(7, "a", clock)).details == {"te": "te1", "fence": 9}


def test_after_the_end(clock: Stepped) -> None:
    state = _state.State("te1").raised(7, 60, "a", clock).ended(7)
    assert state.known() == ((7, "a"),)
    assert state.ended(7) == state.ended(3) == state
    assert refused(lambda: state.check(7, "a", clock)).reason == "lease_ended"
    assert refused(lambda: state.raised(7, 60, "a", clock)).reason == "fence_behind"
    later = state.ended(9)
    assert (later.fence, later.key) == (9, "")


def test_the_deadline(clock: Stepped) -> None:
    state = _state.State("te1").raised(7, 60, "a", clock)
    clock.seconds = 1059.9
    state.check(7, "a", clock)
    renewed = state.renewed(60, clock)
    clock.seconds = 1060.0
    assert refused(lambda: state.check(7, "a", clock)).reason == "lease_ended"
    renewed.check(7, "a", clock)
    assert state.raised(7, 60, "a", clock).seconds(clock) == 60


def test_a_restarted_machine(clock: Stepped) -> None:
    state = _state.State("te1").raised(7, 60, "a", clock)
    after = Stepped("boot-2")
    after.seconds = 10.0
    error = refused(lambda: state.check(7, "a", after))
    assert error.reason == "lease_ended" and "restarted" in error.message
    assert state.seconds(after) == 0
    assert refused(lambda: state.raised(6, 60, "b", after)).reason == "fence_behind"
    state.raised(7, 60, "a", after).check(7, "a", after)


def test_old_keys_are_bounded(clock: Stepped) -> None:
    state = _state.State("te1")
    for fence in range(1, 100):
        state = state.raised(fence, 60, f"key {fence}", clock)
    assert [fence for fence, _key in state.known()] == list(range(99, 66, -1))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"version": 1}', " " * 300000 + "{}"], ids=range(6))
def test_a_damaged_file_opens_nothing(host: Host, text: str) -> None:
    host.raise_fence(7)
    (host.state / "te" / "te1").write_text(text)
    assert host.call("a", "te te1 status").answer["reason"] == "bad_state"
    assert host.raise_fence(8, "b").answer["reason"] == "bad_state"
    assert host.raise_fence(1, "c", te="te2").answer["ok"]


def test_values_of_other_types_are_damage(host: Host) -> None:
    host.raise_fence(7)
    path = host.state / "te" / "te1"
    path.write_text(path.read_text().replace('"fence": 7', '"fence": "7"'))
    assert host.call("a", "te te1 status").answer["reason"] == "bad_state"


def test_the_wall_clock_is_not_looked_at(tmp_path: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, clock = str(tmp_path), Clock()

    def forbidden(*_arguments: t.Any) -> t.Any:
        raise AssertionError("the wall clock was read")

    for name in ("time", "time_ns", "gmtime", "localtime"):
        monkeypatch.setattr(time, name, forbidden)
    _state.write(folder, _state.State("te1").raised(7, 60, "a", clock))
    for hours in (-1, 1):
        os.utime(tmp_path / "te1", (10**9 + 3600 * hours,) * 2)
        state = _state.read(folder, "te1")
        state.check(7, "a", clock)
        assert 50 < state.renewed(60, clock).seconds(clock) <= 60


def test_only_the_machines_clock_decides() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= Clock().now() <= time.clock_gettime(time.CLOCK_BOOTTIME)
