# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tree that holds repositories of ours: those are followed, the rest is walked."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _digests, _rest
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import (
    Own,
    listed,
    look,
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
def mixed(tmp_path: pathlib.Path) -> dict[str, Own]:
    root = tmp_path / "source"
    own = {name: Own(root / name) for name in ("apt", "more/rpm", "a-b")}
    for one in own.values():
        one.publish("one", "a/a_1.deb")
    (root / "README").write_text("read me")
    (root / "b").mkdir()
    (root / "b" / "file").write_text("file")
    return own


def test_repositories_in_a_tree(
    tmp_path: pathlib.Path, mixed: dict[str, Own], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "source"
    first = look(root)
    assert set(first.snapshot.parts) == {b"", b"apt/", b"a-b/", b"more/rpm/"}
    assert first.walked == sorted(first.snapshot.parts)
    assert listed(root, first.snapshot) == there(root)
    paths = [path for path, _entry in snapshots_of(root).entries(first.snapshot)]
    assert paths == sorted(paths)
    second = look(root, first)
    assert second.walked == [b""] and second.snapshot == first.snapshot
    assert second.notes == {b"": None, b"apt/": [], b"a-b/": [], b"more/rpm/": []}
    mixed["more/rpm"].publish("two", "b/b_1.deb")
    third = look(root, second)
    assert third.walked == [b""] and listed(root, third.snapshot) == there(root)
    assert set(third.switches) == {b"more/rpm/dists/stable/InRelease", b"more/rpm/dists/stable/Release"}
    changed = {path for path in there(root) if b"more/rpm/" in path and b"pool/a/" not in path}
    delta = snapshots_of(root).delta(second.snapshot, third.snapshot)
    assert {path for path, _old, new in (*delta.content, *delta.index) if new} == {
        path for path in changed if b"by-hash/SHA256/7692" not in path
    }


def test_only_repositories_in_a_tree_are_not_called_walked(
    tmp_path: pathlib.Path, mixed: dict[str, Own]
) -> None:
    root = tmp_path / "source"
    (root / "README").unlink()
    (root / "b" / "file").unlink()
    assert look(root, look(root)).walked == []
    assert mixed


@pytest.mark.parametrize("becomes", [True, False])
def test_a_folder_that_becomes_a_repository(
    tmp_path: pathlib.Path, mixed: dict[str, Own], becomes: bool
) -> None:
    root = tmp_path / "source"
    state = mixed["apt"].root / ".distrogate" / "state.json"
    data = state.read_bytes()
    if becomes:
        state.unlink()
    first = look(root)
    if becomes:
        state.write_bytes(data)
    else:
        state.unlink()
    second = look(root, first)
    assert set(first.snapshot.parts) ^ set(second.snapshot.parts) == {b"apt/"}
    assert listed(root, second.snapshot) == listed(root, first.snapshot) == there(root)
    delta = snapshots_of(root).delta(first.snapshot, second.snapshot)
    assert delta.content == [] and delta.index == []
