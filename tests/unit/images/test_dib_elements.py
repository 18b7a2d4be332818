# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Elements are found as diskimage-builder finds them, without running anything of theirs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _dib_elements
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_elements import (
    PYTHON,
    asked_for,
    expand,
    expanded_elements,
    installation,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest


def element(folder: pathlib.Path, name: str, deps: str = "", provides: str = "") -> str:
    path = folder / name
    path.mkdir(parents=True)
    (path / "element-deps").write_text(deps)
    if provides:
        (path / "element-provides").write_text(provides)
    return str(path)


def refused(reason: str, asked: t.Sequence[str], folder: pathlib.Path) -> str:
    with pytest.raises(DistrogateError) as caught:
        expand(asked, [str(folder)])
    assert caught.value.reason == reason
    return caught.value.message


def test_closure(tmp_path: pathlib.Path) -> None:
    element(tmp_path, "os", "a\n\n  b \n", "operating-system\nvirtual\n")
    element(tmp_path, "a", "c\nvirtual\n")
    element(tmp_path, "b", "a\n")  # a circle is no harm
    element(tmp_path, "c", "b\n")
    element(tmp_path, "unused")
    assert sorted(expand(["os"], [str(tmp_path)])) == ["a", "b", "c", "os"]


def test_first_folder_wins(tmp_path: pathlib.Path) -> None:
    mine = element(tmp_path / "mine", "os", provides="operating-system\n")
    element(tmp_path / "theirs", "os", "missing\n", "operating-system\n")
    assert expand(["os"], [str(tmp_path / "mine"), str(tmp_path / "theirs")]) == {"os": mine}


def test_refused(tmp_path: pathlib.Path) -> None:
    element(tmp_path, "os", provides="operating-system\n")
    element(tmp_path, "second", provides="operating-system\n")
    element(tmp_path, "plain", "nowhere\n")
    element(tmp_path, "escape", "../../etc\n")
    assert "Both elements os and second" in refused("element_conflict", ["os", "second"], tmp_path)
    assert "'nowhere'" in refused("no_element", ["os", "plain"], tmp_path)
    assert "'../../etc'" in refused("no_element", ["os", "escape"], tmp_path)
    refused("no_element", ["os", "missing"], tmp_path)
    assert "debian-minimal" in refused("no_operating_system", ["escape"][:0], tmp_path)
    (tmp_path / "os" / "element-deps").unlink()
    os.mkfifo(tmp_path / "os" / "element-deps")  # must not be waited for
    refused("bad_element", ["os"], tmp_path)


def test_no_diskimage_builder(monkeypatch: t.Any) -> None:
    monkeypatch.setattr(_dib_elements, "_ASK", "import no_such_module")
    with pytest.raises(DistrogateError) as caught:
        installation()
    assert caught.value.reason == "missing_tool" and "distrogate.ci.builder" in caught.value.message


@pytest.mark.parametrize(
    "names",
    ["debian-minimal", "debian-minimal vm source-repositories", "ubuntu-minimal simple-init grub2 vm"],
)
def test_as_diskimage_builder_does(names: str) -> None:
    """Its own program expands to the very same elements."""
    request = ImageRequest("x", "dib", elements=tuple(names.split()))
    folder = installation()[0]
    argv = [PYTHON, f"{folder}/lib/element-info.py", *asked_for(request)]
    environment = {**os.environ, "ELEMENTS_PATH": f"{folder}/elements"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    found = expanded_elements(request)
    assert sorted(found) == sorted(done.stdout.split())
    assert all(path == f"{folder}/elements/{name}" for name, path in found.items())


def test_without_base() -> None:
    request = ImageRequest("x", "dib", elements=("debian-minimal",), environment={"SKIP_BASE": "1"})
    assert "base" not in expanded_elements(request)
