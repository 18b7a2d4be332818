# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks over ssh: a real sshd stands in for the machine; tests run in a sandbox of their own."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command, _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite
from ansible_collections.distrogate.ci.plugins.module_utils._images import _checks, _qemu
from ansible_collections.distrogate.ci.plugins.module_utils._images._checks import Checks
from ansible_collections.distrogate.ci.plugins.module_utils._images._console import Console, Log
from ansible_collections.distrogate.ci.plugins.module_utils._images._ssh import Access
from ansible_collections.distrogate.ci.tests.unit.core.people import archive
from ansible_collections.distrogate.ci.tests.unit.core.people import place as private

_SSHD = """\
mkdir -p /run/sshd /root/.ssh
cp /key.pub /root/.ssh/authorized_keys
ssh-keygen -q -t ed25519 -N '' -f /run/host
exec /usr/sbin/sshd -D -e -f /dev/null -h /run/host -p 2222 -o ListenAddress=127.0.0.1 -o StrictModes=no
"""


class Watch:
    """What _boot.Watch is, without a machine."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.name = "sample"
        self.log = Log(str(folder / "log"))
        self.console = Console(self.log)
        self.suite = Suite("boot")
        self.deadline = time.monotonic() + 120
        self.said: list[str] = []
        self.broken = False

    def say(self, text: str) -> None:
        self.said.append(text)

    def gone(self) -> bool:
        return self.broken

    def check(self) -> None:
        if self.broken:
            raise self.failure("boot_failed", "it died")

    def failure(self, reason: str, sentence: str) -> DistrogateError:
        return DistrogateError(reason, sentence)

    def verdicts(self) -> dict[str, str]:
        return {case.name: case.verdict for case in self.suite.cases}


class Impatient(Watch):
    """Gives up after one attempt, however long that took."""

    looked = 0

    def gone(self) -> bool:
        self.looked += 1
        return self.looked > 1


class Machine(t.NamedTuple):
    """What every test needs."""

    access: Access
    folder: pathlib.Path


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Machine]:
    """An sshd in a network name space of its own, which knows the key."""
    folder = tmp_path_factory.mktemp("ssh")
    (folder / "access").mkdir()
    access = Access(str(folder / "access"), "root")
    public = folder / "key.pub"
    public.write_text(access.public + "\n")
    users = folder / "passwd"
    users.write_text("root:x:0:0::/root:/bin/sh\nsshd:x:1:1::/:/bin/sh\n")
    with _qemu.sandbox(str(folder / "scratch")) as box:
        binds = {**_qemu.programs(), "/key.pub": str(public), "/etc/passwd": str(users)}
        argv, program = box.command(["sh", "-c", _SSHD], binds=binds)
        server = subprocess.Popen(
            argv,
            cwd=box.directory,
            env=_command.base_environment(),
            pass_fds=[program],
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        os.close(program)
        try:
            with access.open(server.pid, 2222):
                yield Machine(access, folder)
        finally:
            _command.end_group(server)


def look(machine: Machine, tmp_path: pathlib.Path, **options: t.Any) -> tuple[Watch, list[str]]:
    watch = Watch(tmp_path)
    checks = Checks(**{"timeout": 120, **options})
    names = _checks.run(checks, machine.access, watch, str(tmp_path / "scratch"), str(tmp_path / "tests.xml"))
    return watch, names


def failure(machine: Machine, tmp_path: pathlib.Path, **options: t.Any) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        look(machine, tmp_path, **options)
    return caught.value


def test_commands(machine: Machine, tmp_path: pathlib.Path) -> None:
    commands = (("echo", "a  b", "$HOME", "; false"), ("sh", "-c", "echo to stderr >&2"))
    watch, names = look(machine, tmp_path, commands=commands)
    assert names == ["echo a  b $HOME ; false", "sh -c echo to stderr >&2"]
    assert set(watch.verdicts().values()) == {"passed"}
    assert watch.suite.cases[1].output == "a  b $HOME ; false"
    assert "ssh$ echo" in (tmp_path / "log").read_text()
    assert "to stderr\n" in (tmp_path / "log").read_text()


def test_all_that_fail_are_named(machine: Machine, tmp_path: pathlib.Path) -> None:
    flood = ("sh", "-c", "cat /dev/zero")
    commands = (("false",), ("true",), ("sh", "-c", "exit 7"), flood)
    error = failure(machine, tmp_path, commands=commands)
    assert error.reason == "check_failed"
    assert error.message.splitlines() == [
        "sample came up, but: 'false' ended with status 1.",
        "'sh -c exit 7' ended with status 7.",
        "'sh -c cat /dev/zero' printed too much.",
    ]
    assert (tmp_path / "log").stat().st_size < 4 << 20


def test_one_that_does_not_end(machine: Machine, tmp_path: pathlib.Path) -> None:
    error = failure(machine, tmp_path, commands=(("sleep", "600"),), timeout=1)
    assert error.reason == "check_failed"
    assert error.message == "sample came up, but: sleep did not end within 1 s and was killed."


def test_whoever_has_not_the_key(machine: Machine, tmp_path: pathlib.Path) -> None:
    (tmp_path / "other").mkdir()
    other = Access(str(tmp_path / "other"), "root")
    os.unlink(os.path.join(other.folder, "key"))
    shutil.copy(os.path.join(other.shown, "key"), os.path.join(other.folder, "key"))
    os.chmod(os.path.join(other.folder, "key"), 0o600)
    config = pathlib.Path(other.folder, "config")
    config.write_text(config.read_text().replace(other.socket, machine.access.socket))
    watch = Impatient(tmp_path)
    with pytest.raises(DistrogateError, check=lambda error: error.reason == "no_ssh") as caught:
        _checks.run(Checks(commands=(("true",),)), other, watch, "", "")
    assert "Permission denied" in caught.value.message and watch.verdicts() == {"ssh": "failure"}


def test_a_machine_that_dies_meanwhile(machine: Machine, tmp_path: pathlib.Path) -> None:
    watch = Watch(tmp_path)
    watch.broken = True
    with pytest.raises(DistrogateError, check=lambda error: error.reason == "boot_failed"):
        _checks.run(Checks(commands=(("true",),)), machine.access, watch, "", "")


def test_the_key_for_others_than_root(tmp_path: pathlib.Path) -> None:
    for user in ("root", "admin"):
        (tmp_path / user).mkdir()
        access = Access(str(tmp_path / user), user)
        data = pathlib.Path(access.seed, "user-data").read_text()
        assert (
            data.startswith("#cloud-config\n")
            and access.public in data
            and ('"admin"' in data) is (user == "admin")
        )
        assert "PRIVATE" not in " ".join(access.strings) + data
        assert os.listdir(access.seed) == ["user-data", "meta-data"] or len(os.listdir(access.seed)) == 2


PYTEST = """\
#!/bin/sh
echo "$@"
touch /tests/mine/new && echo writable
cat /run/distrogate-ssh/config
{end}
"""
LIMIT = b'#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done; shift\nexec "$@"\n'
XML = '<testsuite name="mine"><testcase name="a"/></testsuite>'
PASS = f"echo '{XML}' >/root/results.xml"


def mine(machine: Machine, tmp_path: pathlib.Path, end: str, **options: t.Any) -> tuple[Watch, list[str]]:
    """Run tests whose pytest ends as it is told."""
    tar = archive(
        tmp_path / "tar", files={"bin/python3": PYTEST.format(end=end).encode(), "bin/prlimit": LIMIT}
    )
    (tmp_path / "mine").mkdir()
    with private() as folder:
        folder.chmod(0o755)
        _sandbox.unpack(str(tar), str(folder / "rootfs"))
        return look(machine, tmp_path, tests=str(tmp_path / "mine"), rootfs=str(folder / "rootfs"), **options)


def test_tests_run_in_a_sandbox(machine: Machine, tmp_path: pathlib.Path) -> None:
    _watch, names = mine(machine, tmp_path, PASS)
    assert names == ["mine"] and (tmp_path / "tests.xml").read_text() == XML + "\n"
    log = (tmp_path / "log").read_text()
    assert "-m pytest" in log and "--hosts=ssh://guest" in log and "-- /tests/mine\n" in log
    assert "ProxyCommand /usr/bin/python3 -I /run/distrogate-ssh/connect.py" in log
    assert "writable" not in log.splitlines()


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (PASS + "; exit 1", "the tests mine ended with status 1"),
        ("exit 5", "there are no tests in"),
        ("echo No module named testinfra; exit 4", "Does the root filesystem have python3-testinfra"),
        ("exit 0", "the tests mine left no results"),
        ("ln -s /etc/shadow /root/results.xml", "the tests mine left no results"),
        ("sleep 60", "was killed"),
    ],
)
def test_tests_that_do_not_pass(machine: Machine, tmp_path: pathlib.Path, end: str, said: str) -> None:
    options = {"timeout": 3} if end.startswith("sleep") else {}
    with pytest.raises(DistrogateError) as caught:
        mine(machine, tmp_path, end, **options)
    assert said in caught.value.message
    assert (tmp_path / "tests.xml").exists() == end.startswith(PASS)
