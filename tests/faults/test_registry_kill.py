# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""oci_publish is killed with SIGKILL at each of its requests, before that or before its answer arrives."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.faults.run import argv, run, start
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_images import Pusher
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import CutError, Exchange, RegistryProxy

pytestmark = pytest.mark.faults
Json = dict[str, t.Any]
ORDER = ("prepared", "committed", "undone")
REPOSITORIES = ("release/nova", "release/multi")


def envelope() -> Json:
    payload = base64.b64encode(json.dumps({"predicateType": "urn:test"}).encode()).decode()
    return {"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "x"}]}


class Subject:
    """A bundle whose second version is promoted over its first."""

    def __init__(self, folder: pathlib.Path, proxy: RegistryProxy) -> None:
        self.folder, self.proxy = folder, proxy
        self.pusher = Pusher(proxy.url)
        self.bundles = [self._images(number) for number in (1, 2)]
        self.done("prepared", 0, "first")
        self.done("committed", 0, "first")
        self.old = self.look()

    def _images(self, number: int) -> list[Json]:
        word = str(number).encode()
        child = self.pusher.image("build/multi", None, b"amd64" + word)
        return [
            self.pusher.image("build/nova", f"b{number}", b"layer" + word),
            self.pusher.index("build/multi", f"b{number}", child),
        ]

    def options(self, state: str, number: int, transaction: str) -> Json:
        return {
            "registry": self.proxy.url,
            "repository": "release/{basename}",
            "artifacts": self.bundles[number],
            "attach": [{"name": "verdict.json", "envelope": envelope()}],
            "channel": "stable",
            "version": f"{number + 1}.0.0",
            "state": state,
            "transaction": transaction,
            "state_folder": str(self.folder / "state"),
            "threads": 1,
            "retries": 0,
        }

    def done(self, state: str, number: int, transaction: str) -> None:
        outcome = run("oci_publish", self.options(state, number, transaction), self.folder)
        assert outcome.status == 0, str(outcome)

    def look(self) -> dict[str, str]:
        """What readers of tags find, the fallback tags of attachments among them."""
        seen = {}
        for repository in REPOSITORIES:
            for tag in self.pusher.tags(repository):
                digest = self.pusher.tagged(repository, tag)
                if digest:
                    seen[f"{repository}:{tag}"] = digest
        return seen

    def killed(self, state: str, transaction: str, number: int, late: bool) -> bool:
        """Run until request ``number``; False when there is none."""
        dead = threading.Event()

        def kill(exchange: Exchange) -> None:
            if exchange.number == number:
                process.kill()
                process.wait()
                dead.set()
                raise CutError

        self.proxy.forget()
        setattr(self.proxy, "after" if late else "before", kill)
        options = self.options(state, 1, transaction)
        process: subprocess.Popen[str] = start(argv("oci_publish", options, self.folder))
        process.communicate(timeout=60)
        self.proxy.forget()
        return dead.is_set()


@pytest.fixture
def subject(tmp_path: pathlib.Path) -> t.Iterator[Subject]:
    with Registry(tmp_path / "registry") as registry, RegistryProxy(registry.port) as proxy:
        yield Subject(tmp_path, proxy)


def promoted(subject: Subject, seen: dict[str, str]) -> bool:
    """Whether readers of both names of every artifact, and of what is attached, find the new bundle."""
    for repository, artifact in zip(REPOSITORIES, subject.bundles[1]):
        digest = f"sha256:{artifact['sha256']}"
        names = [seen.get(f"{repository}:{tag}") for tag in ("stable", "2.0.0")]
        if names != [digest, digest] or f"{repository}:sha256-{artifact['sha256']}" not in seen:
            return False
    return True


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("state", ORDER)
def test_a_kill_at_every_request(subject: Subject, state: str, late: bool) -> None:
    number, killed = 0 if late else -1, True
    while killed:
        number += 2  # the even ones late, the odd ones early
        transaction = f"t{number}"
        for before in ORDER[: ORDER.index(state)]:
            subject.done(before, 1, transaction)
        killed = subject.killed(state, transaction, number, late)
        seen = subject.look()
        for repository, artifact in zip(REPOSITORIES, subject.bundles[1]):
            name = f"{repository}:stable"
            assert seen[name] in (subject.old[name], f"sha256:{artifact['sha256']}"), (number, name)
        assert state != "prepared" or seen == subject.old, number
        if state != "undone" and number // 2 % 2:  # the next run goes on, or in the other half takes it back
            subject.done("prepared", 1, transaction)
            subject.done("committed", 1, transaction)
            assert promoted(subject, subject.look()), number
        # A kill before the journal's first word leaves nothing to undo.
        outcome = run("oci_publish", subject.options("undone", 1, transaction), subject.folder)
        assert outcome.status == 0 or outcome.result.get("reason") == "unknown_transaction", str(outcome)
        assert subject.look() == subject.old, number
    assert number > 10
