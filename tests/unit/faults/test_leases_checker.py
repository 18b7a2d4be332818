# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checker of lease histories: each rule, kept and broken."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.leases.checker import check
from ansible_collections.distrogate.ci.tests.faults.leases.history import Event

LABELS = {"size": "large"}


def te(fence: int, name: str = "a") -> dict[str, t.Any]:
    return {"name": name, "fence": fence, "labels": LABELS}


def asking(at: float, ask: str, priority: int = 0, **more: t.Any) -> Event:
    demand = {"count": 1, "name": None, "wish": {}, "priority": priority, "timeout": 5.0, **more}
    return {"t": at, "who": f"client {ask}", "what": "asking", "ask": ask, **demand}


def granted(at: float, ask: str, came: int, revision: int, *tes: dict[str, t.Any]) -> Event:
    event = {"t": at, "who": f"client {ask}", "what": "granted", "ask": ask, "came": came, "at": revision}
    return {**event, "tes": list(tes)}


def guard(at: float, op: str, fence: int, key: str, deadline: float, accepted: bool = True) -> Event:
    what = "guard_accepted" if accepted else "guard_refused"
    return {"t": at, "what": what, "op": op, "te": "a", "fence": fence, "key": key, "deadline": deadline}


def client(at: float, what: str, ask: str, **more: t.Any) -> Event:
    return {"t": at, "who": f"client {ask}", "what": what, "ask": ask, **more}


def renewed(at: float, ask: str, ttl: float) -> Event:
    return client(at + 0.1, "renewed", ask, asked=at, ttl=ttl)


def final(phase: str = "free", lease: str | None = None, fence: int = 9, **more: t.Any) -> Event:
    tes = {name: {"phase": phase, "lease": lease, "fence": fence} for name in ("a", "b")}
    return {"t": 100.0, "what": "final", "tes": tes, "waiters": [], "leases": [], **more}


POOL: Event = {"t": 0.0, "what": "pool", "tes": {"a": LABELS, "b": LABELS}}
TWO = [asking(1, "x"), asking(2, "y"), granted(3, "x", 10, 12, te(1)), granted(6, "y", 11, 15, te(2))]


def faults(*events: Event, end: Event | None = None) -> list[str]:
    return check(sorted([POOL, *events, end or final()], key=lambda event: event["t"]))


def test_a_good_history() -> None:
    heard = [
        guard(3.1, "raise", 1, "x", 7.1),
        guard(4, "use", 1, "x", 7.1),
        guard(4.5, "renew", 1, "x", 8.5),
        guard(5, "end", 1, "x", 0),
        guard(6.1, "raise", 2, "y", 10.1),
        guard(6.2, "use", 2, "y", 10.1),
        guard(6.3, "use", 1, "x", 10.1, accepted=False),
    ]
    terms = [
        renewed(3, "x", 4),
        client(5, "releasing", "x"),
        client(5.1, "released", "x"),
        renewed(6, "y", 4),
    ]
    assert faults(*TWO, *heard, *terms) == []


HEARD: list[tuple[str, list[Event]]] = [
    (
        "while it had y",
        [guard(1, "raise", 1, "x", 9), guard(2, "raise", 2, "y", 9), guard(3, "use", 1, "x", 9)],
    ),
    ("was raised after 2", [guard(1, "raise", 2, "y", 9), guard(2, "raise", 1, "x", 9)]),
    ("was raised after 1", [guard(1, "raise", 1, "x", 9), guard(2, "raise", 1, "y", 9)]),
    ("after its deadline", [guard(1, "raise", 1, "x", 2), guard(3, "use", 1, "x", 2)]),
    (
        "after its deadline",
        [guard(1, "raise", 1, "x", 9), guard(2, "end", 1, "x", 0), guard(3, "renew", 1, "x", 9)],
    ),
    ("have fence 1", [guard(1, "raise", 1, "x", 9), guard(2, "raise", 1, "y", 9, accepted=False)]),
]


@pytest.mark.parametrize(("said", "events"), HEARD)
def test_a_guard_that_hears_two(said: str, events: list[Event]) -> None:
    found = faults(*events)
    assert len(found) == 1 and said in found[0], found


def test_a_fence_that_comes_twice() -> None:
    assert "was given to x and to y" in faults(*TWO[:3], granted(6, "y", 11, 15, te(1)))[0]


def test_a_fence_that_falls() -> None:
    found = faults(*TWO[:2], granted(3, "x", 10, 12, te(5)), granted(6, "y", 11, 15, te(4)))
    assert found == ["a: fence 4, of revision 15, came after fence 5"]


def test_a_fence_that_the_store_forgot() -> None:
    assert any("above its last fence" in fault for fault in faults(*TWO, end=final(fence=1)))


def test_two_leases_at_one_time() -> None:
    found = faults(*TWO, renewed(3, "x", 4), renewed(6, "y", 4))
    assert found == ["a: lease y lived while x did"]


def test_one_who_stood_still_tells_late_of_its_renewal() -> None:
    """It was stopped after the store had renewed it, and its term was over when it could say so."""
    late = client(7, "renewed", "x", asked=3, ttl=2)
    assert faults(*TWO, renewed(6, "y", 4), late, client(7.1, "lost", "x", asked=7)) == []


def test_a_lease_that_ended_too_early() -> None:
    lost = client(4, "lost", "x", asked=3.9)
    assert "was lost 3.00 s before" in faults(*TWO, renewed(3, "x", 4), lost)[0]
    assert faults(*TWO, renewed(3, "x", 0.5), lost) == []


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("a is leased in the end", final("leased", "x")),
        ("a is dirty in the end", final("dirty")),
        ("waiters are left", final(waiters=["z"])),
        ("leases are left", final(leases=["x"])),
    ],
)
def test_what_is_left(said: str, end: Event) -> None:
    assert said in faults(*TWO, end=end)[0]


def test_broken_tes_are_visible() -> None:
    assert faults(*TWO, end=final("broken")) == []


def test_nobody_looked() -> None:
    assert "nobody looked" in check([POOL])[0]


def refused(at: float, ask: str, reason: str) -> Event:
    return client(at, "refused", ask, reason=reason)


def test_who_asked_is_answered() -> None:
    killed = {"t": 9.0, "what": "killed", "victim": "client x"}
    assert faults(asking(1, "x"), killed) == []
    assert faults(asking(1, "x"), refused(6, "x", "lease_timeout")) == []
    assert "neither granted" in faults(asking(1, "x"))[0]
    assert "neither granted" in faults(asking(10, "x"), killed)[0]  # killed before it asked
    assert "too early" in faults(asking(1, "x"), refused(5, "x", "lease_timeout"))[0]
    assert "te_unknown" in faults(asking(1, "x"), refused(5, "x", "te_unknown"))[0]


def test_an_error_of_the_store_needs_its_trouble() -> None:
    trouble: list[Event] = [{"t": 2.0, "what": "trouble"}, {"t": 3.0, "what": "trouble_over"}]
    failed = refused(5, "x", "store_unavailable")
    assert "store_unavailable" in faults(asking(1, "x"), failed)[0]
    assert faults(asking(1, "x"), *trouble, failed) == []
    assert "store_unavailable" in faults(asking(4, "x"), *trouble, failed)[0]


def test_the_younger_goes_first() -> None:
    younger = [asking(1, "x"), asking(2, "y"), granted(3, "y", 11, 12, te(1)), granted(6, "x", 10, 15, te(2))]
    assert "though x (came 10, waited until 15) could use it" in faults(*younger)[0]
    assert len(faults(*younger)) == 1


def test_the_younger_never_stood_in_the_line() -> None:
    events = [asking(1, "x"), asking(2, "y"), granted(3, "y", 0, 12, te(1)), granted(6, "x", 10, 15, te(2))]
    assert "though x" in faults(*events)[0]


@pytest.mark.parametrize(
    ("older", "wrong"),
    [
        (asking(1, "x", priority=10), False),  # of another priority
        (asking(1, "x", name="b"), False),  # it wants another
        (asking(1, "x", wish={"size": ["small"]}), False),  # it wants what there is none of
        (asking(1, "x", count=3), False),  # it can never be filled: it reserves nothing
        (asking(1, "x", count=2), True),  # as a part of its set
        (asking(1, "x", name="a"), True),
    ],
)
def test_who_could_use_it(older: Event, wrong: bool) -> None:
    events = [older, asking(2, "y"), granted(3, "y", 11, 12, te(1)), granted(6, "x", 10, 15, te(2))]
    assert any("though x" in fault for fault in faults(*events)) is wrong


def test_a_broken_te_fills_no_set() -> None:
    events = [asking(1, "x", count=2), asking(2, "y"), granted(3, "y", 11, 12, te(1))]
    end = final()
    end["tes"]["b"]["phase"] = "broken"
    killed = {"t": 9.0, "what": "killed", "victim": "client x"}
    assert (
        faults(*events, killed, {"t": 4.0, "what": "place", "ask": "x", "came": 10, "until": 13}, end=end)
        == []
    )


@pytest.mark.parametrize(("until", "wrong"), [(13, True), (12, False), (11, False)])
def test_who_is_killed_waited_while_it_was_seen(until: int, wrong: bool) -> None:
    killed = {"t": 9.0, "what": "killed", "victim": "client x"}
    place = {"t": 4.0, "what": "place", "ask": "x", "came": 10, "until": until}
    events = [asking(1, "x"), asking(2, "y"), granted(3, "y", 11, 12, te(1)), killed, place]
    assert any("though x" in fault for fault in faults(*events)) is wrong


def test_a_grant_that_only_the_observer_saw() -> None:
    lease = {**granted(3, "y", 11, 12, te(1)), "what": "lease"}
    killed = {"t": 9.0, "what": "killed", "victim": "client y"}
    events = [asking(1, "x"), asking(2, "y"), lease, killed, granted(6, "x", 10, 15, te(2))]
    assert "though x" in faults(*events)[0]
