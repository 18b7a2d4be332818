# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kills, waiters, and transfers that outlive their run."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import pathlib
import random
import signal
import subprocess
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._journal import Journal
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import Caller, in_release, publish, tree


def killed_at(number: int, action: t.Callable[[], object]) -> bool:
    """Run ``action`` in a child that is killed at its N-th rename or transfer; whether it was."""
    child = os.fork()
    if child == 0:
        count, lock = itertools.count(1), threading.Lock()

        def counted(function: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
            def step(*args: t.Any, **kwargs: t.Any) -> t.Any:
                with lock:
                    if next(count) == number:
                        os.kill(os.getpid(), signal.SIGKILL)
                return function(*args, **kwargs)

            return step

        os.rename = counted(os.rename)
        subprocess.Popen = counted(subprocess.Popen)  # type: ignore[misc]
        try:
            action()
        finally:
            os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WIFSIGNALED(status)


def whole(mirror: pathlib.Path) -> bool:
    """Whether a by-hash reader of the mirror finds what InRelease names."""
    digest, size, name = in_release(mirror / "apt").splitlines()[-1].split()
    folder = (mirror / "apt/dists/stable" / name).parent
    data = (folder / "by-hash" / "SHA256" / digest).read_bytes()
    return (hashlib.sha256(data).hexdigest(), len(data)) == (digest, int(size))


def test_killed_anywhere(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    sync()
    for number in itertools.count(random.choice((1, 2)), 2):
        publish(source / "apt", f"state {number}", pool=f"p_{number}.deb")
        was_killed = killed_at(number, sync)
        assert all(whole(mirror) for mirror in locals_)
        publish(source / "apt", f"later {number}")
        sync()
        for mirror in locals_:
            assert in_release(mirror / "apt") == in_release(source / "apt")
            assert tree(mirror).items() >= tree(source).items()
            assert not list(mirror.rglob(".distrogate-staging"))
        if not was_killed:
            break
    assert number > 15


@pytest.mark.parametrize("decision", ["committed", "undone"])
def test_killed_while_deciding(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path], decision: str
) -> None:
    sync()
    for number in itertools.count(random.choice((1, 2)), 2):
        old = in_release(source / "apt")
        publish(source / "apt", f"state {number}")
        name = f"t{number}"
        sync(state="prepared", transaction=name)
        was_killed = killed_at(number, lambda name=name: sync(state=decision, transaction=name))
        sync(state=decision, transaction=name)
        expected = old if decision == "undone" else in_release(source / "apt")
        assert [in_release(mirror / "apt") for mirror in locals_] == [expected] * 2
        sync()
        if not was_killed:
            break
    assert number > 3


def test_a_waiter_says_who_holds(sync: Caller, source: pathlib.Path) -> None:
    with Journal(str(source), "public").hold(1), pytest.raises(DistrogateError) as caught:
        sync(timeout=1)
    assert caught.value.reason == "lock_timeout" and str(os.getpid()) in caught.value.message


def test_transfers_of_a_killed_run_are_waited_for(sync: Caller, source: pathlib.Path) -> None:
    sync()
    with open(source / ".distrogate/mirrors/public/transfers", "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(DistrogateError) as caught:
            sync(timeout=1)
    assert caught.value.reason == "lock_timeout" and "transfer" in caught.value.message
    assert not sync()["changed"]


def test_two_at_once(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    failures: list[DistrogateError] = []

    def one() -> None:
        try:
            sync()
        except DistrogateError as error:
            failures.append(error)

    threads = [threading.Thread(target=one) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and tree(locals_[0]) == tree(source)


def test_readers_during_switches(sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]) -> None:
    sync()
    stop, seen = threading.Event(), {"polls": 0, "bad": 0}

    def read() -> None:
        while not stop.is_set():
            try:
                text = in_release(locals_[0] / "apt")
                digest = text.splitlines()[2].split()[0]
                binary = locals_[0] / "apt/dists/stable/main/binary-amd64"
                (binary / "by-hash" / "SHA256" / digest).read_text()
                (binary / "Packages").read_text()
            except (FileNotFoundError, IndexError):
                seen["bad"] += 1
            seen["polls"] += 1

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(6):
            publish(source / "apt", f"number {number}")
            sync()
    finally:
        stop.set()
        reader.join()
    assert seen["polls"] > 100 and not seen["bad"], seen
