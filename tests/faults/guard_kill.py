# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard under attack: each system call of a raise, an end or a renewal kills it, or fails."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.distrogate.ci.tests.faults.guard_host import Done, Host
from ansible_collections.distrogate.ci.tests.faults.trace import KILL, Case, cases, injecting, watching

NO_SPACE = "error=ENOSPC"
OPERATIONS = ("raise", "end", "renew", "image")
_IMAGE = b"a new image" * 1000


class Attack:
    """One host; every attack begins at the fence 7 with the key a."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.host = Host(folder)
        self.disk = self.host.disk()

    def reset(self) -> None:
        for path in (self.host.state / "te").iterdir():
            path.unlink()
        self.host.log.unlink(missing_ok=True)
        self.disk.write_bytes(b"an old image")
        assert self.host.raise_fence(7).answer["ok"]

    def act(self, operation: str, *tracer: str) -> Done:
        if operation == "raise":
            return self.host.raise_fence(9, "b", 60, "te1", *tracer)
        if operation == "end":
            return self.host.call("pool", "end te1 7", b"", *tracer)
        if operation == "renew":
            return self.host.call("a", "renew 7000", b"", *tracer)
        return self.host.call("a", f"image root {len(_IMAGE)}", _IMAGE, *tracer)

    def cases(self, operation: str, log: pathlib.Path) -> list[Case]:
        self.reset()
        assert self.act(operation, *watching(str(log))).answer["ok"]
        return cases(operation, log.read_text(errors="replace"))

    def state(self) -> t.Any:
        known = self.host.known()
        return known["fence"], known["key"], known.get("ttl"), self.disk.read_bytes()

    def attack(self, case: Case, effect: str) -> Done:
        """The old state or the new one; success means the new one; the next try goes through."""
        self.reset()
        before = self.state()
        done = self.act(case.operation, *injecting(case, effect))
        between = self.state()
        lines = self.host.lines()
        assert len(lines) >= 3, lines  # the pools' keys are there, whatever happens
        if effect != KILL and not done.answer.get("ok") and done.output:
            wanted = "no_space" if effect == NO_SPACE else "io_error"
            assert done.answer["reason"] == wanted, f"{case}: {done}"
        again = self.act(case.operation)
        told = again.answer.get("ok") or again.answer.get("reason") == "lease_ended"
        assert told, f"{effect} at {case}: then {again}"
        after = self.state()
        assert between in (before, after), f"{effect} at {case}: {between} is neither {before} nor {after}"
        if done.answer.get("ok"):
            assert between == after, f"{effect} at {case}: success, but {between}"
        rest = [path.name for path in (self.host.state / "te").iterdir() if path.name.startswith(".")]
        if case.operation == "raise":
            assert not rest, f"{effect} at {case}: {rest} is left"
            assert self.host.call("a", "te te1 status").answer["reason"] == "lease_ended"
            assert self.host.call("b", "te te1 status").answer["fence"] == 9
        return done
