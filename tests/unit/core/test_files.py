# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that are whole or not there, and names that stay inside."""

from __future__ import annotations

import itertools
import os
import pathlib
import signal
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.distrogate.ci.plugins.module_utils._core import _files
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

STEPS = ("fsync", "rename", "fchmod", "open", "unlink")


def killed_at(number: int, action: t.Callable[[], object]) -> bool:
    """Run ``action`` in a child that is killed at its N-th system call that matters; whether it was."""
    child = os.fork()
    if child == 0:
        count = itertools.count(1)
        for name in STEPS:
            original = getattr(os, name)

            def step(*args: t.Any, original: t.Any = original, **kwargs: t.Any) -> t.Any:
                if next(count) == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return original(*args, **kwargs)

            setattr(os, name, step)
        try:
            action()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("how", ["write", "clone"])
def test_killed_anywhere(tmp_path: pathlib.Path, how: str) -> None:
    """The old contents or the new ones, whole, whenever the writer is killed."""
    path, source = tmp_path / "file", tmp_path / "source"
    source.write_bytes(b"new" * 100_000)
    kills = 0
    for number in itertools.count(1):
        path.write_bytes(b"old")
        if how == "write":
            killed = killed_at(number, lambda: _files.write_atomic(str(path), source.read_bytes()))
        else:
            killed = killed_at(number, lambda: _files.clone_file(str(source), str(path)))
        assert path.read_bytes() in (b"old", source.read_bytes())
        if not killed:
            break
        kills += 1
    assert path.read_bytes() == source.read_bytes()
    assert kills >= 3


@pytest.mark.parametrize("step", ["fsync", "rename", "fchmod"])
def test_a_failing_step_leaves_nothing(tmp_path: pathlib.Path, monkeypatch: t.Any, step: str) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_args: t.Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="No space"):
        _files.write_atomic(str(path), "new")
    assert os.listdir(tmp_path) == ["file"] and path.read_text() == "old"


def test_modes_and_links(tmp_path: pathlib.Path) -> None:
    """A link is replaced, not written through; a clone is never a hard link."""
    (tmp_path / "target").write_text("kept")
    (tmp_path / "link").symlink_to("target")
    _files.write_atomic(str(tmp_path / "link"), "new", mode=0o600)
    assert (tmp_path / "target").read_text() == "kept"
    assert (tmp_path / "link").lstat().st_mode & 0o7777 == 0o600
    _files.clone_file(str(tmp_path / "target"), str(tmp_path / "clone"))
    assert (tmp_path / "clone").stat().st_nlink == 1


@pytest.mark.parametrize(
    "data",
    [
        '{"a": 1, "a": 2}',
        '{"b": [{"a": 1, "a": 1}]}',
        "[" * 100_000,
        "{",
        "",
        "NaN",
        "[Infinity]",
        '"\\ud800"',
        b'{"\\uDFFF": 1}',
        b"\xff",
        '{"a": 1} x',
    ],
)
def test_bad_json(data: t.Any) -> None:
    with pytest.raises(DistrogateError) as caught:
        _files.parse_json(data, "the file")
    assert caught.value.reason == "bad_json" and "the file" in caught.value.message


def test_json_of_the_right_size(tmp_path: pathlib.Path) -> None:
    assert _files.parse_json('{"\\ud83d\\ude00": [1]}', "x") == {"😀": [1]}
    (tmp_path / "big").write_text("[" + "1," * 100 + "1]")
    with pytest.raises(DistrogateError, match="larger than 50 bytes"):
        _files.read_json(str(tmp_path / "big"), limit=50)
    with pytest.raises(DistrogateError) as caught:
        _files.read_json(str(tmp_path / "missing"))
    assert caught.value.reason == "not_found"


def test_one_spelling() -> None:
    assert _files.canonical_json({"b": [1, "ä"], "a": None}) == '{"a":null,"b":[1,"ä"]}'.encode()
    assert _files.digest_json({"a": 1, "b": 2}) == _files.digest_json({"b": 2, "a": 1})


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/etc", "a/../b", "../a", "a//b", "a/", "a/.", "a\0b", "./a"]
)
def test_names_that_leave(name: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        _files.inside("/root", name)
    assert caught.value.reason == "bad_name"


@given(st.text())
def test_no_name_leaves(name: str) -> None:
    try:
        path = _files.inside("/some/root", name)
    except DistrogateError:
        return
    assert os.path.normpath(path) == path and path.startswith("/some/root/")
