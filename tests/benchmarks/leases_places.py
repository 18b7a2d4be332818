# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stores that leases are measured on, and the peer's servers: each made for one measurement."""

from __future__ import annotations

import contextlib
import tempfile
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

from ansible_collections.distrogate.ci.tests.tools.zookeeper_cluster import ZookeeperCluster

Place = Callable[[Path], t.ContextManager[str]]


@contextlib.contextmanager
def sqlite(root: Path) -> Iterator[str]:
    """A file; the store itself sets synchronous to FULL."""
    with tempfile.TemporaryDirectory(dir=root) as folder:
        yield f"sqlite://{folder}/store.db"


@contextlib.contextmanager
def etcd(_root: Path) -> Iterator[str]:
    """Three nodes."""
    from ansible_collections.distrogate.ci.tests.tools.etcd_cluster import EtcdCluster

    with EtcdCluster() as cluster:
        yield cluster.url()


@contextlib.contextmanager
def zookeeper(root: Path) -> Iterator[str]:
    """Three servers."""
    with tempfile.TemporaryDirectory(dir=root) as folder, ZookeeperCluster(Path(folder)) as cluster:
        yield cluster.hosts


PLACES: dict[str, Place] = {"SQLite": sqlite, "three etcd nodes": etcd, "three ZooKeeper nodes": zookeeper}
