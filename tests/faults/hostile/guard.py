# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many strange commands for a guard: thousands for its reader, some for the program as sshd runs it."""

from __future__ import annotations

import random
import time

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
from ansible_collections.distrogate.ci.tests.faults.hostile.guard_commands import commands, read

_ROUND = 500
_PROGRAM = 10  # of each round
_HARMLESS = ("renew", "image", "power", "console", "status", "raise", "end")


class Storm:
    """Rounds of commands until the time is over; ``tried`` and ``taken`` are counted."""

    def __init__(self, host: Host, number: int) -> None:
        self.host, self._random = host, random.Random(number)
        self.tried = self.taken = self.calls = 0

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._round()

    def _round(self) -> None:
        texts: list[str] = []

        @seed(self._random.randrange(1 << 32))
        @settings(
            max_examples=_ROUND,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(commands(), st.booleans())
        def attempt(text: str, pool: bool) -> None:
            self.tried += 1
            self.taken += read(text, pool)
            texts.append(text)

        attempt()
        for text in self._random.sample(texts, min(_PROGRAM, len(texts))):
            if "\0" not in text:  # which no process can be given
                self._call(text.encode("utf-8", "replace").decode())

    def _call(self, text: str) -> None:
        """Whatever a lease's key asked for, the other TE is as before, and the log has one line a step."""
        self.calls += 1
        before, lines = self.host.known("te2"), len(self.host.logged())
        done = self.host.call("a", text, b"hello")
        assert done.status in (0, 1)
        assert self.host.known("te2") == before and not self.host.disk("te2").exists(), repr(text)
        new = self.host.logged()[lines:]
        assert 1 <= len(new) <= 2 and all(" te_guard[" in line and line.isprintable() for line in new), new
        assert done.status == 0 or done.answer.get("reason"), repr(text)
        if done.status == 0:
            assert text.split(maxsplit=1)[0] in (*_HARMLESS, "te") or not text[0].isalpha(), repr(text)
