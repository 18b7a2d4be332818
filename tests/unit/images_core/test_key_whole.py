# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changes an image changes its key, and nothing else of this host or process does."""

from __future__ import annotations

import subprocess
import sys
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import (
    Repository,
    Source,
    checked,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._state import look

if t.TYPE_CHECKING:
    from image_world import World

COMMIT = "0a" * 20
PACKAGE = "ansible_collections.distrogate.ci.plugins.module_utils._images."


def key(world: World, **more: t.Any) -> str:
    return look(world.store(), world.request(**more), t.cast(t.Any, world.builder), {}, timeout=5).key


def code_in(*loaded: str) -> str:
    """The digest of the builder's code in a process that has loaded such modules."""
    program = f"import importlib\nfor name in {loaded!r}: importlib.import_module({PACKAGE!r} + name)\n"
    program += f"from {PACKAGE}_inputs import code_of; print(code_of('dib'), code_of('mmdebstrap'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout


def test_what_else_is_loaded_does_not_count() -> None:
    one = code_in("_build_dib", "_build_mmdebstrap", "_state")
    assert one == code_in("_build_mmdebstrap", "_build_dib", "_qemu", "_cleanup", "_checks")
    assert one == code_in()
    assert len(set(one.split())) == 2


def test_what_a_repository_is_asked_for(world: World) -> None:
    """Its components decide which packages there are; where it lies today, and its key, do not."""
    text, digest = "Types: deb\nURIs: {}\nSuites: x\nComponents: {}\nSigned-By: {}\n", "sha256:" + "1" * 64

    def keyed(*words: str) -> str:
        return key(world, repositories=(Repository(text.format(*words), digest),))

    before = keyed("http://one/", "main", "/one.asc")
    assert keyed("http://two/ file:/three", "main", "\n one\n two") == before
    assert keyed("http://one/", "main extra", "/one.asc") != before


def test_two_sources_of_one_name(world: World) -> None:
    """As of two checkouts whose paths end in the same name."""
    request = world.request(sources=(Source("x", "/one/x", COMMIT), Source("x", "/two/x", COMMIT[::-1])))
    with pytest.raises(DistrogateError, match="two projects x") as caught:
        checked(request)
    assert caught.value.reason == "bad_request"


def test_what_elements_fetch_counts(world: World) -> None:
    """And what of it cannot be counted is said."""
    commit = ["1" * 40]

    def fetched(_request: t.Any, _elements: t.Any) -> t.Any:
        return {"fetched:x": commit[0]}, ["something floats"]

    world.builder.fetched = fetched  # type: ignore[attr-defined]
    first = world.make()
    assert first.warnings == ("something floats",) and world.make().reused
    commit[0] = "2" * 40
    assert world.make().changed_inputs == ["fetched:x"]
