# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The second name of a repository's folder: moved by rename, only what is a link, nothing in check mode."""

from __future__ import annotations

import os
import pathlib
import types
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.module_utils._packages._alias import point


def call(place: pathlib.Path, run: str, state: str = "present", check: bool = False) -> t.Any:
    (place / run / "apt").mkdir(parents=True, exist_ok=True)
    params = {"alias": str(place / "latest"), "root": str(place / run / "apt"), "state": state}
    made = types.SimpleNamespace(params=params, check_mode=check, difference=Difference(), result={})
    point(t.cast("t.Any", made))
    return made


def test_it_moves(tmp_path: pathlib.Path) -> None:
    assert call(tmp_path, "one").result == {"changed": True}
    assert os.readlink(tmp_path / "latest") == "one"
    again = call(tmp_path, "one")
    assert again.result == {} and again.difference.empty
    moved = call(tmp_path, "two")
    assert moved.difference.as_result() == {"before": {"alias": "one"}, "after": {"alias": "two"}}
    assert os.readlink(tmp_path / "latest") == "two"
    assert sorted(os.listdir(tmp_path)) == ["latest", "one", "two"]


def test_only_what_is_published_has_it(tmp_path: pathlib.Path) -> None:
    assert call(tmp_path, "one", check=True).result == {"changed": True}
    assert call(tmp_path, "one", state="prepared").result == {}
    assert not (tmp_path / "latest").is_symlink()


def test_what_is_no_link_stays(tmp_path: pathlib.Path) -> None:
    (tmp_path / "latest").mkdir()
    with pytest.raises(DistrogateError) as caught:
        call(tmp_path, "one")
    assert caught.value.reason == "not_a_link" and (tmp_path / "latest").is_dir()
