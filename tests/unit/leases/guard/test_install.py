# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module's work: the program alone, its configuration, and which keys stay."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import tempfile
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_program import program
from ansible_collections.distrogate.ci.tests.faults.guard_host import Host
from ansible_collections.distrogate.ci.tests.faults.run import run


def listing(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_program_is_always_the_same_and_needs_nothing(tmp_path: pathlib.Path) -> None:
    assert program() == program()
    path = tmp_path / "te_guard.pyz"
    path.write_bytes(program())
    argv = ["/usr/bin/python3", "-I", "-S", "-W", "error", str(path)]
    done = subprocess.run(argv, capture_output=True, env={}, cwd="/", check=False)
    assert done.returncode == 1 and b"bad_configuration" in done.stdout and not done.stderr


def test_again_changes_nothing(host: Host) -> None:
    host.raise_fence(7)
    before = listing(host.folder)
    assert host.install().empty
    assert listing(host.folder) == before


def test_check_mode_predicts(host: Host, tmp_path: pathlib.Path) -> None:
    host.raise_fence(7)
    host.tes["te3"] = host.te("te3")
    del host.tes["te1"]
    before = listing(tmp_path)
    predicted = host.install(write=False)
    assert listing(tmp_path) == before
    assert predicted.as_result() == host.install().as_result()
    assert set(predicted.before) == {"configuration", "authorized_keys"}


def test_living_leases_stay(host: Host) -> None:
    host.raise_fence(7)
    host.raise_fence(3, "b", te="te2")
    host.tes["te2"]["console"] = ""
    host.power_timeout = 20
    host.install()
    assert host.call("a", "status").answer["fence"] == 7
    assert host.call("b", "console").answer["reason"] == "no_console"


def test_a_removed_te_loses_its_keys_but_not_its_fence(host: Host) -> None:
    host.raise_fence(7)
    argv = host.argv("a")
    settings = host.tes.pop("te1")
    host.install()
    assert not [line for line in host.lines() if host.keys["a"].split()[1] in line]
    environment = {"SSH_ORIGINAL_COMMAND": "power on"}
    done = subprocess.run(
        argv, capture_output=True, env=environment, check=False
    )  # sshd had read the old line
    assert b"not_your_te" in done.stdout
    host.tes["te1"] = settings
    host.install()
    assert host.raise_fence(6, "b").answer["reason"] == "fence_behind"
    assert host.raise_fence(8, "b").answer["ok"]


def test_lost_keys_are_written_again(host: Host) -> None:
    host.raise_fence(7)
    keys = host.state / ".ssh" / "authorized_keys"
    whole = keys.read_text()
    keys.unlink()
    assert set(host.install().before) == {"authorized_keys"}
    assert keys.read_text() == whole
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


def test_absent(host: Host) -> None:
    host.raise_fence(7)
    assert not host.install(write=False, state="absent").empty
    assert host.call("a", "status").answer["ok"]
    host.install(state="absent")
    assert not host.state.exists()
    assert not list(host.folder.rglob("*.pyz")) and not list(host.folder.rglob("guard.json"))
    assert host.install(state="absent").empty


def test_keys_of_somebody_else_are_left_alone(host: Host) -> None:
    keys = host.state / ".ssh" / "authorized_keys"
    keys.write_text("ssh-ed25519 AAAA me\n")
    with pytest.raises(DistrogateError) as caught:
        host.install()
    assert caught.value.reason == "foreign_keys"
    assert keys.read_text() == "ssh-ed25519 AAAA me\n"


DISK = {"path": "/srv/a", "size": 5}


@pytest.mark.parametrize(
    "options",
    [
        {"tes": {"a/b": {"pool": "pool"}}},
        {"tes": {"..": {"pool": "pool"}}},
        {"tes": {"x\n": {"pool": "pool"}}},
        {"tes": {"x": {"pool": "unknown"}}},
        {"tes": {"x": {}}},
        {"tes": {"x": []}},
        {"tes": {"x": {"pool": "pool", "disk": {}}}},
        {"tes": {"x": {"pool": "pool", "disks": {"../d": DISK}}}},
        {"tes": {"x": {"pool": "pool", "disks": {"d": {"path": "srv/a", "size": 5}}}}},
        {"tes": {"x": {"pool": "pool", "disks": {"d": {"path": "/srv/../a", "size": 5}}}}},
        {"tes": {"x": {"pool": "pool", "disks": {"d": {"path": "/srv/a", "size": -5}}}}},
        {"tes": {"x": {"pool": "pool", "disks": {"d": {"path": "/srv/a"}}}}},
        {"tes": {"x": {"pool": "pool", "disks": {"d": DISK}}, "y": {"pool": "pool", "disks": {"d": DISK}}}},
        {"tes": {"x": {"pool": "pool", "power": {"on": "virsh start x"}}}},
        {"tes": {"x": {"pool": "pool", "power": {"on": []}}}},
        {"tes": {"x": {"pool": "pool", "power": {"on": [1]}}}},
        {"tes": {"x": {"pool": "pool", "power": {"cycle": ["a"]}}}},
        {"tes": {"x": {"pool": "pool", "console": "log"}}},
        {"pools": {"pool": []}},
        {"pools": {"pool": ["ssh-ed25519 AAAA"]}},
        {"pools": {"pool": "ssh-ed25519"}},
        {"program": '/x"; id'},
        {"configuration": "guard.json"},
        {"directory": "/srv/../x"},
        {"power_timeout": 3600},
    ],
)
def test_bad_options(host: Host, options: dict[str, t.Any]) -> None:
    before = listing(host.folder)
    with pytest.raises(DistrogateError) as caught:
        host.install(**options)
    assert caught.value.reason == "bad_guard"
    assert listing(host.folder) == before


def test_a_key_of_two_pools(host: Host) -> None:
    with pytest.raises(DistrogateError, match="key twice"):
        host.install(pools={"pool": [host.keys["a"]], "other": [host.keys["a"]]})


def test_no_user(host: Host) -> None:
    with pytest.raises(DistrogateError) as caught:
        host.install(user="nobody-has-this-name")
    assert caught.value.reason == "no_user"
    # In check mode the play may be about to make it.
    assert host.install(write=False, user="nobody-has-this-name").after["directory"][0].startswith("nobody-")


def test_the_module(host: Host, tmp_path: pathlib.Path) -> None:
    done = run("te_guard", host.options, tmp_path)
    assert (done.status, done.result["changed"], done.result["user"]) == (0, False, host.user)
    assert done.result["tes"]["te1"] == {"te": "te1", "pool": "pool", "user": host.user}
    done = run("te_guard", {**host.options, "tes": {"x": {"pool": "no"}}}, tmp_path)
    assert done.result["reason"] == "bad_guard" and not done.traceback


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_root_leaves_the_state_to_the_guards_user() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        theirs = folder / "theirs"
        keys = str(theirs / ".ssh" / "authorized_keys")
        Host(folder).install(user="nobody", directory=str(theirs), authorized_keys=keys, log=None)
        for path in [theirs, *theirs.rglob("*")]:
            assert path.owner() == "nobody", path
            assert not path.stat().st_mode & 0o077, path
        assert (folder / "lib" / "te_guard.pyz").owner() == "root"
