# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Readers of mirrors, each a process: they poll by hash while something else goes on."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import typing as t

from ansible_collections.distrogate.ci.tests.faults import poller
from ansible_collections.distrogate.ci.tests.faults.mirrors_sources import SUITE
from ansible_collections.distrogate.ci.tests.faults.server import companion


@dataclasses.dataclass
class Seen:
    """What all readers of one kind saw."""

    polls: int = 0
    mismatches: list[str] = dataclasses.field(default_factory=list)


class Readers:
    """``add`` readers, then let them read until ``end``."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self._stack = contextlib.ExitStack()
        self._processes: list[tuple[str, subprocess.Popen[str]]] = []

    def add(
        self, label: str, kind: str, where: str, pause: float, suite: str = SUITE, only: str = ""
    ) -> None:
        """One more: ``where`` is a repository's folder or URL; ``only`` is all that a snapshot shows."""
        arguments = (kind, where, suite, str(pause), only)
        process = self._stack.enter_context(companion(poller.__name__, *arguments))
        self._processes.append((label, process))

    def end(self) -> list[str]:
        """Stop all of them; returns the mismatches in words."""
        for label, process in self._processes:
            output, _errors = process.communicate(timeout=120)
            assert process.returncode == 0, f"the reader {label} ended with status {process.returncode}"
            found, seen = json.loads(output), self.seen.setdefault(label, Seen())
            seen.polls += found["polls"]
            seen.mismatches += found["mismatches"]
        self._processes.clear()
        return self.mismatches

    @property
    def mismatches(self) -> list[str]:
        return [text for seen in self.seen.values() for text in seen.mismatches]

    def __enter__(self) -> Readers:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def __str__(self) -> str:
        polls = ", ".join(f"{seen.polls} {label}" for label, seen in sorted(self.seen.items()))
        return f"polls: {polls}; {len(self.mismatches)} mismatches"


def by_hash(readers: Readers, kind: str, folders: t.Iterable[t.Any], pauses: t.Iterable[float]) -> None:
    """Readers of mirrors' folders, which must each show a repository already."""
    for pause in pauses:
        for folder in folders:
            readers.add(f"by hash {pause:g} s", kind, str(folder / kind), pause)
