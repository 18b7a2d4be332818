# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Going back more than once, and what may be mirrored after that."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.distrogate.ci.tests.unit.mirrors.helpers import Caller, publish
from ansible_collections.distrogate.ci.tests.unit.mirrors.test_states import refused, shows, three


def test_back_twice_never_brings_back_what_was_left(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    sync.options["keep"] = 9
    first = three(sync, source)[0]
    sync(state="rolled_back")
    assert sync(state="rolled_back")["snapshot"] == first["snapshot"]
    assert [shows(mirror) for mirror in locals_] == ["one", "one"]
    for check in (True, False):
        with refused("unknown_snapshot") as caught:
            sync(check=check, state="rolled_back")
    assert "release-three" in caught.value.message
    publish(source / "apt", "four")
    sync()
    assert sync(state="rolled_back")["snapshot"] == first["snapshot"]


def test_what_is_shown_again_is_refused_no_more(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path], tmp_path: pathlib.Path
) -> None:
    """A mirror that was away, or is new, gets it, too."""
    third = three(sync, source)[2]
    steps: list[dict[str, t.Any]] = [
        {"state": "rolled_back", "snapshot": "release-three"},
        {"state": "undone", "transaction": "back"},
    ]
    for number, step in enumerate(steps):
        sync(state="rolled_back", snapshot="release-two", transaction="back")
        sync(**step)
        new = tmp_path / f"new{number}"
        new.mkdir()
        sync.options["mirrors"].append(str(new))
        assert sync()["snapshot"] == third["snapshot"] and shows(new) == "three"


def test_kept_content_is_read_before_it_is_shown_again(
    sync: Caller, source: pathlib.Path, locals_: list[pathlib.Path]
) -> None:
    """What the source has no more cannot be compared with it: the mirror's own file is read."""
    old = pathlib.Path("apt/pool/a_1_amd64.deb")
    sync(keep=5)
    (source / old).unlink()
    publish(source / "apt", "two")
    sync(keep=5)
    contents = (locals_[0] / old).read_bytes()
    damaged = contents[:-1] + bytes([contents[-1] ^ 1])
    (locals_[0] / old).write_bytes(damaged)
    with refused("quorum_not_met") as caught:
        sync(keep=5, state="rolled_back")
    assert "it lost 1 files" in caught.value.message and "a_1_amd64.deb" in caught.value.message
    assert shows(locals_[1]) == "two"
    (locals_[0] / old).write_bytes(contents)
    sync(keep=5, state="rolled_back")
    assert shows(locals_[0]) == "one"
