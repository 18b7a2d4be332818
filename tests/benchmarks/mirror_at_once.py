# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One mirror, then five at once, each behind a proxy that is as slow as the others: seconds of the clock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.distrogate.ci.tests.benchmarks import publish_inputs
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_cases import Bench
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_repository import usual_packages
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_sizes import AT_ONCE, FIVE, MIRRORS, ONE, Sizes
from ansible_collections.distrogate.ci.tests.benchmarks.mirror_trsync import more_daemons
from ansible_collections.distrogate.ci.tests.faults.server import companion
from ansible_collections.distrogate.ci.tests.tools import mirror_proxy
from ansible_collections.distrogate.ci.tests.tools.mirror_daemons import Daemon


def at_once(bench: Bench, sizes: Sizes) -> None:
    """One mirror, then five at once; each daemon is behind a proxy that is as slow as the others."""
    repository = bench.repository("limited")
    repository.usual(usual_packages(bench.inputs, sizes.limited))
    for _number in range(bench.few):
        for who, count in ((ONE, 1), (FIVE, MIRRORS)):
            publish_inputs.remove(repository.source / ".distrogate")
            with _limited(bench, count, sizes.rate) as (daemons, ports):
                used = bench.ours.sync(repository.source, daemons, ports)
            bench.figures.add(AT_ONCE, who, sizes.limited, used)
    _trsync_at_once(bench, repository.source, sizes)
    publish_inputs.remove(repository.source)


def _trsync_at_once(bench: Bench, source: Path, sizes: Sizes) -> None:
    trsync = bench.trsync()
    others = more_daemons(bench.mirrors, MIRRORS - 1)
    with contextlib.ExitStack() as stack:
        stack.callback(trsync.end)
        for daemon in others:
            stack.enter_context(daemon)
            stack.callback(publish_inputs.remove, daemon.folder)
        ports = [_proxy(stack, daemon, sizes.rate) for daemon in (trsync.daemon, *others)]
        trsync.through = ports[0]
        trsync.others = [daemon.address(port) for daemon, port in zip(others, ports[1:])]
        used = bench.meter.both(trsync.steps(source), bench.environment, [trsync.daemon, *others])
        bench.figures.add(AT_ONCE, trsync.name, sizes.limited, used)


@contextlib.contextmanager
def _limited(bench: Bench, count: int, rate: float) -> Iterator[tuple[list[Daemon], list[int]]]:
    with contextlib.ExitStack() as stack:
        daemons = [stack.enter_context(bench.daemon(f"limited{number}")) for number in range(count)]
        yield daemons, [_proxy(stack, daemon, rate) for daemon in daemons]


def _proxy(stack: contextlib.ExitStack, daemon: Daemon, rate: float) -> int:
    process = stack.enter_context(companion(mirror_proxy.__name__, str(daemon.port), str(rate)))
    assert process.stdout is not None
    return int(process.stdout.readline())
