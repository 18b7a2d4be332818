# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loop devices that killed builds left. Needs root and loop devices: elsewhere the kernel is not asked."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images import _loops
from ansible_collections.distrogate.ci.plugins.module_utils._images._place_clean import clean_places

if t.TYPE_CHECKING:
    from conftest import Output

REAL = os.getuid() == 0 and os.path.exists("/dev/loop-control")


def fake(monkeypatch: t.Any, *loops: _loops.Loop) -> None:
    monkeypatch.setattr(_loops, "attached", lambda: iter(loops))


def test_found_by_what_backs_them(tmp_path: pathlib.Path, monkeypatch: t.Any) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "disk").write_text("x")
    status = os.stat(tmp_path / "deep" / "disk")
    mine = _loops.Loop("/dev/loop1", status.st_dev, status.st_ino, ("/disk", "disk"))
    deleted = _loops.Loop("/dev/loop2", 1, 2, (f"{tmp_path}/gone", "gone"))
    given = _loops.Loop("/dev/loop3", 1, 2, ("/gone", "/no/such/x"))
    others = _loops.Loop("/dev/loop4", status.st_dev, status.st_ino + 100000, ("/disk", "/srv/disk"))
    fake(monkeypatch, mine, deleted, given, others)
    assert _loops.below(str(tmp_path)) == [mine, deleted]
    assert _loops.below("/no/such") == [given]
    assert _loops.below("/no/suc") == []


def test_released(output: Output) -> None:
    if not REAL:
        assert list(_loops.attached()) == []
        return
    dead = pathlib.Path(output.path, ".work", "small-dead")
    (dead / "work").mkdir(parents=True)
    disk = dead / "work" / "disk"
    disk.write_bytes(b"")
    os.truncate(disk, 1 << 20)
    # Set up in a mount namespace that is gone afterwards, as a build's.
    inside = 'mount --bind "$1" /mnt && losetup --find --show /mnt/disk'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", inside, "x", str(disk.parent)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    device = done.stdout.strip()
    try:
        assert device in [loop.path for loop in _loops.attached()]
        said = clean_places(output.path)
        assert f"loop device {device}" in said
        assert device not in [loop.path for loop in _loops.attached()]
    finally:
        subprocess.run(["losetup", "--detach", device], check=False, capture_output=True, timeout=60)
