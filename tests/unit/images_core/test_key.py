# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key: what is in it, what is not, and digests of trees that strangers made."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _trees
from ansible_collections.distrogate.ci.plugins.module_utils._images._builders import builder_of
from ansible_collections.distrogate.ci.plugins.module_utils._images._inputs import code_of
from ansible_collections.distrogate.ci.plugins.module_utils._images._memo import Memo
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import (
    ImageRequest,
    Repository,
    Source,
    checked,
    size_in_bytes,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._snapshots import suites_of
from ansible_collections.distrogate.ci.plugins.module_utils._images._state import State, look

if t.TYPE_CHECKING:
    from image_world import World

COMMIT = "0a" * 20
CHANGES: list[dict[str, t.Any]] = [
    {"builder": "other"},
    {"suite": "trixie"},
    {"name": "b"},
    {"packages": ("vim",)},
    {"sources": (Source("a", "/srv/a", COMMIT),)},
    {"repositories": (Repository("text", "sha256:" + "0" * 64),)},
    {"formats": ("raw", "qcow2")},
    {"size": 5},
    {"environment": {"A": "1"}},
    {"architecture": "arm64"},
]


def state(world: World, request: ImageRequest | None = None, memo: Memo | None = None) -> State:
    given = State({}, "", 0, {}, memo) if memo else None
    builder = t.cast(t.Any, world.builder)
    return look(world.store(), request or world.request(), builder, {}, timeout=5, before=given)


def test_what_counts(world: World) -> None:
    keys = {state(world).key}
    for number, change in enumerate(CHANGES, 2):
        keys.add(state(world, world.request(**change)).key)
        assert len(keys) == number, change
    world.release("bookworm", "another day")
    keys.add(state(world).key)
    world.builder.version = "2"
    keys.add(state(world).key)
    assert len(keys) == len(CHANGES) + 3


def test_what_does_not(world: World) -> None:
    request = world.request(
        packages=("a", "b"), formats=("raw", "tar"), sources=(Source("a", "/srv/runs/1/a", COMMIT),)
    )
    other = dataclasses.replace(
        request, packages=("b", "a", "a"), formats=("tar", "raw"), sources=(Source("a", "/srv/2/a", COMMIT),)
    )
    assert state(world, request).key == state(world, other).key
    elsewhere = world.path / "moved"
    (world.path / "elements").rename(elsewhere)
    assert (
        state(world, dataclasses.replace(other, element_path=(str(elsewhere),))).key
        == state(world, dataclasses.replace(request, element_path=(str(elsewhere),))).key
    )


def test_a_repository_without_a_digest(world: World) -> None:
    """Its InRelease counts."""
    world.release("mine", "one")
    request = world.request(repositories=(Repository(world.mirror.replace("bookworm", "mine"), ""),))
    before = state(world, request)
    assert before.inputs["repository:0:mine"].startswith("sha256:")
    world.release("mine", "two")
    assert state(world, request).key != before.key


def test_a_secret_stays_out(world: World) -> None:
    found = state(world, world.request(environment={"TOKEN": "hunter2-long"})).inputs
    assert "hunter2-long" not in str(found) and found["environment:TOKEN"].startswith("sha256:")


def test_code_counts() -> None:
    """Each builder's own."""
    assert builder_of("dib") and builder_of("mmdebstrap")
    assert code_of("dib") == code_of("dib") != code_of("mmdebstrap")


def digest(path: pathlib.Path, memo: Memo | None = None, **more: t.Any) -> str:
    return _trees.tree_digest(str(path), memo or Memo(None), **more)


def test_what_a_tree_is(world: World) -> None:
    file = world.element("x", "a/b", "text")
    tree = world.path / "elements/x"
    seen = {digest(tree)}
    os.utime(file, (1, 1))
    assert digest(tree) in seen
    changes: list[t.Callable[[], t.Any]] = [
        lambda: file.write_text("texu"),
        lambda: file.chmod(0o755),
        lambda: (tree / "a").chmod(0o700),
        lambda: file.rename(tree / "a/c"),
        (tree / "empty").mkdir,
        lambda: (tree / "link").symlink_to("a/c"),
        lambda: [(tree / "link").unlink(), (tree / "link").symlink_to("a")],
    ]
    for number, change in enumerate(changes, 2):
        change()
        seen.add(digest(tree))
        assert len(seen) == number
    world.element("x", ".git/config", "of a checkout")
    assert digest(tree) in seen


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "a/../../../secret", "..", ""])
def test_links_that_lead_out(world: World, target: str) -> None:
    tree = world.path / "elements/service"
    if not target:
        return
    (tree / "link").symlink_to(target)
    with pytest.raises(DistrogateError, match="leads out of the tree") as caught:
        digest(tree)
    assert caught.value.reason == "bad_tree"
    (tree / "link").unlink()
    (tree / "static").mkdir()
    (tree / "static/link").symlink_to(target)
    assert digest(tree, free=("static",)) != digest(tree, system=True)[:-1]


@pytest.mark.parametrize(
    ("name", "target", "out"),
    [("a/b", "../c", False), ("a/b", "../../c", True), ("a/b", "c/../d", True), ("b", "./c", False)],
)
def test_which_links_lead_out(name: str, target: str, out: bool) -> None:
    assert _trees.leads_out(name, target) is out


def test_what_no_tree_holds(world: World) -> None:
    tree = world.path / "elements/service"
    os.mkfifo(tree / "pipe")
    with pytest.raises(DistrogateError, match="neither file, folder nor link"):
        digest(tree)
    (tree / "pipe").unlink()
    (world.path / "link").symlink_to(tree)
    for path in (world.path / "link", world.path / "nowhere"):
        with pytest.raises(DistrogateError, match="is no folder that can be read"):
            digest(path)
    deep = tree
    for _number in range(70):
        deep = deep / "d"
        deep.mkdir()
    with pytest.raises(DistrogateError, match="64 folders deep"):
        digest(tree)


def test_the_memo(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is as it was is not read again; one that was changed with its old size and time is."""
    file = world.element("service", "file", "one")
    tree = world.path / "elements/service"
    path = str(world.path / "memo.json")
    monkeypatch.setattr(time, "time_ns", lambda: file.stat().st_mtime_ns + 10**10)
    memo = Memo(path)
    before = digest(tree, memo)
    memo.save()
    monkeypatch.setattr(_trees, "_read", None)
    assert digest(tree, Memo(path)) == before
    monkeypatch.undo()
    status = file.stat()
    time.sleep(0.02)
    file.write_text("two")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digest(tree, Memo(path)) != before


def test_a_memo_keeps_nothing_of_this_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that was just written may be written again within the same tick of the clock."""
    path = str(world.path / "memo.json")
    memo = Memo(path)
    world.element("service", "file", "one")
    digest(world.path / "elements/service", memo)
    memo.save()
    monkeypatch.setattr(_trees, "_read", None)
    with pytest.raises(TypeError):
        digest(world.path / "elements/service", Memo(path))
    pathlib.Path(path).write_text("{broken")
    assert Memo(path).find("x", os.stat(path)) is None


HOSTILE: list[dict[str, t.Any]] = [
    {"name": "../x"},
    {"name": ".work"},
    {"name": "a/b"},
    {"name": "-x"},
    {"name": "a\n"},
    {"elements": ("../x",)},
    {"elements": ("a/b",)},
    {"packages": ("-o=APT::x",)},
    {"packages": ("a;b",)},
    {"packages": ("a b",)},
    {"element_path": ("elements",)},
    {"base": "image.tar"},
    {"formats": ("iso",)},
    {"sources": (Source("../x", "/srv", COMMIT),)},
    {"sources": (Source("x", "/srv", "main"),)},
    {"environment": {"A=B": "x"}},
    {"environment": {"A": "x\0"}},
    {"suite": "book worm"},
    {"architecture": "a/b"},
]


@pytest.mark.parametrize("more", HOSTILE)
def test_hostile_requests(world: World, more: dict[str, t.Any]) -> None:
    assert checked(world.request()).name == "appliance"
    with pytest.raises(DistrogateError) as caught:
        checked(world.request(**more))
    assert caught.value.reason == "bad_request"


def test_sizes() -> None:
    assert [size_in_bytes(text) for text in ("10G", "512MiB", "7", 0, None, "")] == [
        10 << 30,
        512 << 20,
        7,
        0,
        0,
        0,
    ]
    for text in ("10X", "-1", "1.5G", "99999T", "G"):
        with pytest.raises(DistrogateError):
            size_in_bytes(text)


def test_suites() -> None:
    text = "# x\nTypes: deb\nURIs: http://a http://b\n# y\nSuites: s t\n\nURIs: http://c\nSuites: ./\n"
    pairs = [("http://a", "s"), ("http://a", "t"), ("http://b", "s"), ("http://b", "t"), ("http://c", "./")]
    assert suites_of(text) == pairs
    assert suites_of(text + "\nEnabled: no\nURIs: x\nSuites: y\n") == pairs
    with pytest.raises(DistrogateError, match="no URIs or no Suites"):
        suites_of("Types: deb\nURIs: http://a\n")


def test_a_repository_that_is_gone(world: World) -> None:
    mirror = world.mirror.replace("Suites: bookworm", "Suites: gone")
    with pytest.raises(DistrogateError, match="neither InRelease nor Release") as caught:
        state(world, world.request(mirror=mirror))
    assert caught.value.reason == "unreachable"
