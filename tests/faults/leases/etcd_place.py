# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three etcd nodes under siege: the leader is killed, one is cut off, or all of them start again."""

from __future__ import annotations

import contextlib
import random
import time
import typing as t

from ansible_collections.distrogate.ci.tests.faults.leases.peers import Peers
from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster
from ansible_collections.distrogate.ci.tests.tools.ports import free_ports

_DOWN = (0.5, 4.0)  # Seconds that a node is down,
_CUT = (3.0, 10.0)  # and cut off.


class Nodes(EtcdCluster):
    """Their peers find them through proxies."""

    def __init__(self) -> None:
        super().__init__()
        self._listening = free_ports(self.size)
        self.peers = Peers(self._listening, self._processes)
        self._plain = list(self._options)

    def __enter__(self) -> Nodes:
        self.peers.__enter__()
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
        self.peers.__exit__(*exc)

    def start_node(self, node: int) -> None:
        # The last one counts: they listen beside the address that they tell.
        self._options = [*self._plain, "--listen-peer-urls", f"http://127.0.0.1:{self._listening[node]}"]
        super().start_node(node)

    def _peer(self, node: int) -> str:
        return f"http://127.0.0.1:{self.peers.ports[node]}"

    def _processes(self) -> dict[int, int]:
        return {node: process.pid for node, process in list(self._nodes.items())}


class EtcdPlace:
    """A context: a store, and what may be done to it."""

    deadly = 0.0005

    def __init__(self) -> None:
        self.nodes = Nodes()
        self.url = self.nodes.url("siege")

    def __enter__(self) -> EtcdPlace:
        self.nodes.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.nodes.__exit__(*exc)

    @contextlib.contextmanager
    def attack(self, dice: random.Random) -> t.Iterator[str]:
        """While the context lasts the store is in trouble; it gives a name of what was done."""
        name, do = dice.choice(
            [
                ("kill the leader", self._kill_leader),
                ("kill the leader", self._kill_leader),
                ("cut off the leader", self._cut_leader),
                ("cut off a node", self._cut_any),
                ("restart all", self._restart),
            ]
        )
        with do(dice):
            yield name

    @contextlib.contextmanager
    def _kill_leader(self, dice: random.Random) -> t.Iterator[None]:
        self.nodes.kill(self.nodes.leader())
        yield
        time.sleep(dice.uniform(*_DOWN))
        self.nodes.heal()

    def _cut_leader(self, dice: random.Random) -> t.ContextManager[None]:
        return self._cut(self.nodes.leader(), dice)

    def _cut_any(self, dice: random.Random) -> t.ContextManager[None]:
        return self._cut(dice.randrange(self.nodes.size), dice)

    @contextlib.contextmanager
    def _cut(self, node: int, dice: random.Random) -> t.Iterator[None]:
        with self.nodes.peers.cut(node):
            yield
            time.sleep(dice.uniform(*_CUT))
        self.nodes.wait_healthy()

    @contextlib.contextmanager
    def _restart(self, dice: random.Random) -> t.Iterator[None]:
        for node in range(self.nodes.size):
            self.nodes.kill(node)
        yield
        time.sleep(dice.uniform(*_DOWN))
        self.nodes.heal()
