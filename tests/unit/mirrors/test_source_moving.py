# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees that are not ours and do not rest, or hold what cannot be mirrored."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _digests, _rest
from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import publish, publish_rpm
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import (
    listed,
    look,
    reason,
    snapshots_of,
    there,
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_seconds: float) -> None:
        return None

    monkeypatch.setattr(_rest.time, "sleep", wait)
    monkeypatch.setattr(_digests, "_TICK_NS", 0)


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    root = tmp_path / "source"
    publish(root / "apt", "one", pool="a_1_amd64.deb")
    publish_rpm(root / "rpm", "first")
    return root


def moving(monkeypatch: pytest.MonkeyPatch, change: t.Callable[[int], None]) -> None:
    """Change the source each time its index files were read."""
    walks, walk = [0], _rest.walk

    def changed(*args: t.Any) -> t.Any:
        walks[0] += 1
        if walks[0] % 2 == 0:
            change(walks[0])
        return walk(*args)

    monkeypatch.setattr(_rest, "walk", changed)


def test_a_publisher_that_never_rests(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(number: int) -> None:
        publish(root / "apt", f"state {number}")

    moving(monkeypatch, change)
    assert reason(root) == "source_changing"
    assert not snapshots_of(root).ids()


def test_a_publisher_that_rests_at_last(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change(number: int) -> None:
        if number < 6:
            publish(root / "apt", f"state {number}")
        if number == 4:
            (root / "apt" / "pool" / "a_1_amd64.deb").unlink()

    moving(monkeypatch, change)
    assert listed(root, look(root).snapshot) == there(root)


def test_a_file_that_vanishes_while_it_is_read(root: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest_of = _rest.digest_of

    def vanishing(path: bytes) -> str:
        if path.endswith(b".deb") and os.path.exists(path):
            os.unlink(path)
        return digest_of(path)

    monkeypatch.setattr(_rest, "digest_of", vanishing)
    assert listed(root, look(root).snapshot) == there(root)


def test_a_file_that_becomes_a_pipe_is_not_waited_for(
    root: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest_of = _rest.digest_of

    def trap(path: bytes) -> str:
        if path.endswith(b".deb"):
            os.unlink(path)
            os.mkfifo(path)
        return digest_of(path)

    monkeypatch.setattr(_rest, "digest_of", trap)
    assert reason(root) == "special_file_in_source"


@pytest.mark.parametrize("known", [True, False])
def test_what_is_not_there(root: pathlib.Path, known: bool) -> None:
    first = look(root) if known else None
    next((root / "rpm" / "repodata").glob("*-primary.xml")).unlink()
    assert reason(root, first) == "source_incomplete"


def test_an_index_that_its_release_does_not_name_yet(root: pathlib.Path) -> None:
    first = look(root)
    (root / "apt" / "dists" / "stable" / "main" / "binary-amd64" / "Packages").write_text("two")
    assert reason(root, first) == "source_incomplete"


def test_links_and_devices(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (root / "link").symlink_to(tmp_path)
    assert reason(root) == "symlink_in_source"
    (root / "link").unlink()
    os.mkfifo(root / "pipe")
    assert reason(root) == "special_file_in_source"


def test_a_very_deep_tree(root: pathlib.Path) -> None:
    paths = [os.fsencode(root) + b"/d" * level for level in range(1, 1501)]
    for path in paths:
        os.mkdir(path)
    try:
        with open(paths[-1] + b"/f", "wb"):
            pass
        assert (b"d/" * 1500 + b"f") in listed(root, look(root).snapshot)
    finally:  # who removes it later may be recursive
        os.unlink(paths[-1] + b"/f")
        for path in reversed(paths):
            os.rmdir(path)


def test_an_empty_tree(tmp_path: pathlib.Path) -> None:
    (tmp_path / "source" / "folder").mkdir(parents=True)
    assert reason(tmp_path / "source") == "empty_source"
