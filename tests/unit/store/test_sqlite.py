# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is special to the embedded store: its file, its machine, its file system."""

from __future__ import annotations

import os
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _store_sqlite_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._local_fs import file_system, is_network
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, open_store
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_sqlite import SqliteStore


def _mode(path: str) -> int:
    return os.stat(path).st_mode & 0o777


def test_the_files_are_private_whatever_the_umask(tmp_path: t.Any) -> None:
    path = str(tmp_path / "new" / "store.db")
    old = os.umask(0)
    try:
        with SqliteStore(path) as store:
            store.transact({}, [Put("a", 1)])
            assert {_mode(path + suffix) for suffix in ("", "-wal", "-shm")} == {0o600}
    finally:
        os.umask(old)
    assert _mode(os.path.dirname(path)) == 0o700


def test_it_survives_being_reopened(tmp_path: t.Any) -> None:
    path = str(tmp_path / "store.db")
    with SqliteStore(path) as store:
        store.transact({}, [Put("a", 1)])
    with SqliteStore(path) as store:
        entry = store.get("a")
        assert entry is not None
        assert entry.value == 1
        assert store.revision() == entry.revision


def test_another_machines_file_is_refused(tmp_path: t.Any) -> None:
    path = str(tmp_path / "store.db")
    SqliteStore(path, machine="one").close()
    with pytest.raises(DistrogateError) as error:
        SqliteStore(path, machine="two")
    assert error.value.reason == "store_other_machine"
    SqliteStore(path, machine="one").close()


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "fuse.sshfs"])
def test_a_network_file_system_is_refused(tmp_path: t.Any, monkeypatch: t.Any, kind: str) -> None:
    monkeypatch.setattr(_store_sqlite_file, "file_system", lambda folder: kind)
    with pytest.raises(DistrogateError) as error:
        SqliteStore(str(tmp_path / "store.db"))
    assert error.value.reason == "store_network_fs"
    assert kind in error.value.message
    assert os.listdir(tmp_path) == []


def test_the_mount_table_is_read_as_the_kernel_writes_it(tmp_path: t.Any) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 0:1 / / rw - ext4 /dev/vda rw\n"
        "2 1 0:2 / /data rw shared:1 - nfs4 host:/x rw\n"
        "3 1 0:3 / /data/in\\040side rw shared:1 master:2 - xfs /dev/vdb rw\n"
        "4 1 0:4 / /hidden rw - nfs4 host:/y rw\n"
        "5 1 0:5 / /hidden rw - tmpfs none rw\n"
    )
    expected = {
        "/": "ext4",
        "/database": "ext4",
        "/data/x": "nfs4",
        "/data/in side/x": "xfs",
        "/hidden/x": "tmpfs",
    }
    assert {path: file_system(path, str(table)) for path in expected} == expected
    assert not is_network("ext4")
    assert not is_network("fuse.fuse-overlayfs")
    assert is_network("nfs")


def test_a_file_that_is_no_store_is_left_alone(tmp_path: t.Any) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database " * 100)
    with pytest.raises(DistrogateError) as error:
        SqliteStore(str(path))
    assert error.value.reason == "store_unavailable"
    assert path.read_bytes() == b"not a database " * 100


def test_without_leave_to_create_it_reads_as_empty(tmp_path: t.Any) -> None:
    with open_store(f"sqlite://{tmp_path}/new/store.db", create=False) as store:
        assert store.list("") == []
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("url", "reason"), [("", "no_store"), ("mysql://x", "bad_store"), ("sqlite://x", "bad_store")]
)
def test_addresses_are_checked(url: str, reason: str) -> None:
    with pytest.raises(DistrogateError) as error:
        open_store(url, environment={})
    assert error.value.reason == reason
