# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not belong into a repository of ours: links, devices, odd names, what was done by hand."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._touched import TouchLog
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors import _parts
from ansible_collections.distrogate.ci.tests.unit.mirrors.own import (
    INDEX,
    Own,
    listed,
    look,
    reason,
    there,
    touch,
)


def test_what_is_named_and_not_there(own: Own) -> None:
    first = look(own.root)
    transaction = own.stage("two")
    transaction.put("dists/stable/InRelease", own.release("six"), switch=True)
    transaction.commit()
    assert reason(own.root, first) == "source_incomplete" and reason(own.root) == "source_incomplete"
    own.publish("six")
    assert listed(own.root, look(own.root, first).snapshot) == there(own.root)


def test_an_address_whose_file_is_another_one(own: Own) -> None:
    first = look(own.root)
    own.publish("two")
    found = next((own.root / INDEX / "by-hash" / "SHA256").glob("3fc4*"))
    found.unlink()
    found.write_text("bad")
    assert reason(own.root, first) == "source_incomplete"


@pytest.mark.parametrize("known", [True, False])
def test_links(own: Own, tmp_path: pathlib.Path, known: bool) -> None:
    first = look(own.root) if known else None
    transaction = own.stage("two")
    transaction.put_link("layers/x", str(tmp_path))
    transaction.commit()
    assert reason(own.root, first) == "symlink_in_source"
    own.drop("layers/x")
    assert listed(own.root, look(own.root, first).snapshot) == there(own.root)


def test_a_link_on_the_way_is_not_followed(own: Own, tmp_path: pathlib.Path) -> None:
    first = look(own.root)
    shutil.move(own.root / "pool", tmp_path / "outside")
    (own.root / "pool").symlink_to(tmp_path / "outside")
    own.drop("pool/x")
    assert reason(own.root, first) == "symlink_in_source"


def test_devices(own: Own) -> None:
    first = look(own.root)
    os.mkfifo(own.root / "pool" / "pipe")
    assert reason(own.root) == "special_file_in_source"
    touch(own.root, b"pool/pipe")
    assert reason(own.root, first) == "special_file_in_source"


def test_odd_names(own: Own) -> None:
    first = look(own.root)
    names = [b"pool/a\nb", b"pool/ ", b"pool/-rf", b"pool/\xff\xfe", b"pool/%2e", b"pool/a b\tc"]
    for name in names:
        (own.root / os.fsdecode(name)).write_bytes(name)
    touch(own.root, *names)
    second = look(own.root, first)
    assert listed(own.root, second.snapshot) == there(own.root) and not second.walked
    assert look(own.root).snapshot.id == second.snapshot.id


def test_what_is_private_or_unfinished(own: Own) -> None:
    first = look(own.root)
    for name in (".tmp-x", "pool/.tmp-x", "pool/.distrogate-staging/x", ".distrogate/x"):
        (own.root / name).parent.mkdir(exist_ok=True)
        (own.root / name).write_text("")
    touch(own.root, b".tmp-x", b"pool/.tmp-x", b".distrogate/x")
    assert look(own.root, first).snapshot.id == first.snapshot.id == look(own.root).snapshot.id


def test_a_folder_that_was_touched(own: Own) -> None:
    first = look(own.root)
    (own.root / "pool" / "new" / "deep").mkdir(parents=True)
    (own.root / "pool" / "new" / "deep" / "x").write_text("x")
    touch(own.root, b"pool/new")
    assert listed(own.root, look(own.root, first).snapshot) == there(own.root)


def test_a_logged_digest_that_does_not_fit(own: Own) -> None:
    first = look(own.root)
    path = own.root / "pool" / "x"
    path.write_text("x")
    status = path.stat()
    for size, mtime_ns in ((2, status.st_mtime_ns), (1, status.st_mtime_ns + 1)):
        TouchLog(str(own.root)).append([_parts.Touched(b"pool/x", "0" * 64, size, mtime_ns)])
        assert listed(own.root, look(own.root, first).snapshot) == there(own.root)
    TouchLog(str(own.root)).append([_parts.Touched(b"pool/x", "0" * 64, 1, status.st_mtime_ns)])
    assert listed(own.root, look(own.root, first).snapshot)[b"pool/x"] == "0" * 64


def test_deep_finds_what_was_done_by_hand(own: Own) -> None:
    first = look(own.root)
    (own.root / "pool" / "stranger").write_text("x")
    (own.root / "pool" / "a" / "a_1.deb").unlink()
    (own.root / "pool" / "b" / "b_1.deb").write_text("changed")
    own.publish("two", "c/c_1.deb")
    assert look(own.root, first).deep is None
    deep = look(own.root, first, deep=True)
    assert deep.deep is not None
    assert deep.deep._asdict() == {
        "damaged": [],
        "changed": [b"pool/b/b_1.deb"],
        "missing": [b"pool/a/a_1.deb"],
        "unlisted": [b"pool/stranger"],
    }
    assert listed(own.root, deep.snapshot) == there(own.root)
    assert deep.notes[b""] is not None and len(deep.notes[b""]) == 1
    clean = look(own.root, deep, deep=True)
    assert clean.snapshot.id == deep.snapshot.id and clean.deep is not None and not any(clean.deep)


def test_deep_refuses_what_rotted(own: Own) -> None:
    first = look(own.root)
    path = own.root / "pool" / "a" / "a_1.deb"
    status = path.stat()
    path.write_text("A/a_1.deb")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(DistrogateError) as caught:
        look(own.root, first, deep=True)
    assert caught.value.reason == "source_damaged"
    assert caught.value.details["damaged"] == ["pool/a/a_1.deb"]
