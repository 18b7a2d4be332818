# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sandboxes of real namespaces over a root filesystem of busybox."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import pathlib
import signal
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _sandbox, _subordinate_ids
from ansible_collections.distrogate.ci.plugins.module_utils._core._command import Completed
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.tests.unit.core.people import Person, gone

_NUMBERS = itertools.count()


def run(person: Person, *scripts: str, **options: t.Any) -> list[Completed]:
    """Run shell scripts in one fresh sandbox."""

    def body() -> list[Completed]:
        with Sandbox(str(person.folder / f"box{next(_NUMBERS)}"), person.rootfs) as box:
            return [box.run(["sh", "-c", s], **{"check": False, "timeout": 60, **options}) for s in scripts]

    return person.do(body)


def failure(person: Person, function: t.Callable[[], object]) -> tuple[str, str]:
    """Reason and message of the error that ``function`` ends with."""

    def body() -> tuple[str, str]:
        try:
            function()
        except DistrogateError as error:
            return error.reason, error.message
        return "", ""

    return person.do(body)


def fingerprint(tree: str) -> str:
    digest = hashlib.sha256()
    for folder, folders, names in os.walk(tree):
        folders.sort()
        for name in sorted([*names, *folders]):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            digest.update(f"{path} {status.st_mode} {status.st_uid} {status.st_size}\n".encode())
    return digest.hexdigest()


def test_overlay_keeps_the_root_filesystem(person: Person) -> None:
    before = fingerprint(person.rootfs)
    done = run(
        person, "echo x >/new; rm /bin/true; chmod 700 /etc", "cat /new; test -e /bin/true || echo gone"
    )
    assert (done[1].status, done[1].text) == (0, "x\ngone\n")
    assert fingerprint(person.rootfs) == before
    assert not list(person.folder.glob("box*"))


def test_the_user_is_not_the_caller(person: Person) -> None:
    maps = run(person, "cat /proc/self/uid_map /proc/self/gid_map; id -u; id -G")[0].text.split()
    assert maps == ["0", "1", "65536"] * 2 + ["0", "0"]  # the caller is 0 of the namespace outside
    directory = person.folder / f"box{next(_NUMBERS)}"

    def made() -> None:
        box = Sandbox(str(directory), person.rootfs)
        box.create()
        box.run(["touch", "/made"])

    person.do(made)
    names = {person.user.pw_name, str(person.user.pw_uid)}
    ranges = [r for r in _subordinate_ids.ranges("/etc/subuid") if r[0] in names]
    owner = person.do(lambda: os.lstat(directory / "upper" / "made").st_uid)
    assert any(first <= owner < first + count for _name, first, count in ranges)
    assert owner != person.user.pw_uid
    person.do(lambda: _sandbox.remove_folder(str(directory)))


def test_another_user(person: Person) -> None:
    assert run(person, "id -u; id -g", user=1000)[0].text.split() == ["1000", "1000"]


def test_bound_folders_are_read_only(person: Person) -> None:
    shown = person.folder / f"shown{next(_NUMBERS)}"
    shown.mkdir()
    (shown / "file").write_text("host")
    os.chmod(shown, 0o777)
    os.chmod(shown / "file", 0o666)
    script = (
        "cat /a/b/file; echo evil >/a/b/file; touch /a/b/new; rm -f /a/b/file; mount -o remount,rw /a/b; "
        "umount /a/b; echo evil >/a/b/file; ls /a/b"
    )
    done = run(person, script, binds={"/a/b": str(shown)})[0]
    assert done.text == "hostfile\n", done
    assert (shown / "file").read_text() == "host"
    assert os.listdir(shown) == ["file"]


def test_the_kernel_cannot_be_set(person: Person) -> None:
    for name in ("/proc/sys/kernel/core_pattern", "/proc/sys/net/ipv4/ip_forward", "/proc/sysrq-trigger"):
        assert run(person, f"echo 1 >{name}")[0].status != 0
    assert run(person, "mknod /tmp/disk b 8 0 && cat /tmp/disk")[0].status != 0


def test_no_network_but_loopback(person: Person) -> None:
    send = "until echo heard | nc -w 2 127.0.0.1 7777; do sleep 0.1; done"
    # At the end of its input a listener says so, and then a sender may end before it has sent anything.
    listen = "mkfifo /tmp/in; exec 3<>/tmp/in; nc -l -p 7777 <&3 >/tmp/got"
    talk = f"{listen} & {send}; wait; cat /tmp/got"
    shown, heard = run(person, "ip -o link", talk)
    assert [line.split()[1:3] for line in shown.text.splitlines()] == [["lo:", "<LOOPBACK,UP,LOWER_UP>"]]
    assert heard.text == "heard\n"


def test_commands_that_do_not_start(person: Person) -> None:
    def statuses() -> list[int]:
        with Sandbox(str(person.folder / f"box{next(_NUMBERS)}"), person.rootfs) as box:
            argvs = [["nothing"], ["/etc"], ["sh", "-c", "a\0b"], ["sh", "-c", "exit 125"]]
            return [box.run(argv, check=False, timeout=60).status for argv in argvs]

    assert person.do(statuses) == [127, 127, 127, 125]


def test_timeout_leaves_no_process(person: Person) -> None:
    log = str(person.folder / f"log{next(_NUMBERS)}")

    def body() -> None:
        with Sandbox(str(person.folder / f"box{next(_NUMBERS)}"), person.rootfs) as box:
            box.run(
                ["sh", "-c", f"setsid sleep 77123.{os.getpid()} & sleep 77123.{os.getpid()}"],
                timeout=1,
                log=log,
            )

    started = time.monotonic()
    reason, message = failure(person, body)
    assert (reason, message) == ("command_timeout", "sh did not end within 1 s and was killed.")
    assert time.monotonic() - started < 120
    assert pathlib.Path(log).read_text().startswith("sandbox$ sh -c ")
    assert not _still_there(f"77123.{os.getpid()}")


def _still_there(argument: str) -> list[str]:
    """Processes that have this argument, once they had time to end."""
    for _attempt in range(1200):
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            found += [str(path)] if argument.encode() in words else []
        if not found:
            break
        time.sleep(0.05)
    return found


def test_a_killed_caller_takes_the_sandbox_with_it(person: Person) -> None:
    ready = person.folder / f"ready{next(_NUMBERS)}"
    directory = str(person.folder / f"box{next(_NUMBERS)}")

    slept = f"77456.{os.getpid()}"
    command = f"touch /running; (setsid sleep {slept} &) ; sleep {slept}"

    def body() -> None:
        box = Sandbox(directory, person.rootfs)
        box.create()
        with open(ready, "wb") as stream:
            stream.flush()
        box.run(["sh", "-c", command])

    wait = person.start(body)
    pid = person.pid
    for _attempt in range(500):
        if os.path.exists(f"{directory}/upper/running"):
            break
        time.sleep(0.02)
    assert os.path.exists(f"{directory}/upper/running")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(AssertionError):
        wait()
    assert gone(pid)
    assert not _still_there(slept)
    person.do(lambda: _sandbox.remove_folder(directory))
    assert not os.path.exists(directory)


def _work_in(folder: str) -> list[str]:
    """Processes that work in a folder."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            found += [path.parent.name] if os.readlink(path) == folder else []
    return found


def test_a_killed_caller_takes_unpacking_with_it(person: Person) -> None:
    archive, target = (str(person.folder / f"{name}{next(_NUMBERS)}") for name in ("pipe", "unpacked"))
    os.mkfifo(archive)
    os.chmod(archive, 0o644)
    wait = person.start(lambda: _sandbox.unpack(archive, target))
    with open(archive, "wb"):  # nothing ever comes
        for _attempt in range(500):
            if any(pathlib.Path(f"/proc/{pid}/comm").read_text() == "tar\n" for pid in _work_in(target)):
                break
            time.sleep(0.02)
        assert _work_in(target)
        os.kill(person.pid, signal.SIGKILL)
        with pytest.raises(AssertionError):
            wait()
        for _attempt in range(100):
            if not _work_in(target):
                break
            time.sleep(0.05)
        assert _work_in(target) == []
    person.do(lambda: _sandbox.remove_folder(target))


def test_what_a_killed_caller_left_is_not_in_a_fresh_one(person: Person) -> None:
    directory = str(person.folder / f"box{next(_NUMBERS)}")

    def body() -> tuple[int, int]:
        kept = Sandbox(directory, person.rootfs)
        kept.create()
        kept.run(["touch", "/left"])
        again = kept.run(["test", "-e", "/left"], check=False).status
        with Sandbox(directory, person.rootfs) as box:
            return again, box.run(["test", "-e", "/left"], check=False).status

    assert person.do(body) == (0, 1)


def test_a_root_filesystem_with_a_strange_name(person: Person) -> None:
    link = str(person.folder / "a,b:c\\d e")

    def body() -> str:
        os.rename(person.rootfs, link)
        try:
            with Sandbox(str(person.folder / f"box{next(_NUMBERS)}"), link) as box:
                return box.run(["ls", "/bin/busybox"]).text
        finally:
            os.rename(link, person.rootfs)

    assert person.do(body) == "/bin/busybox\n"


def test_a_missing_root_filesystem(tmp_path: t.Any) -> None:
    with pytest.raises(DistrogateError) as caught:
        Sandbox(str(tmp_path / "box"), str(tmp_path / "rootfs"))
    assert caught.value.reason == "no_rootfs"


def test_removing_follows_nothing(person: Person) -> None:
    outside = person.folder / f"outside{next(_NUMBERS)}"
    directory = str(person.folder / f"box{next(_NUMBERS)}")

    def body() -> bool:
        os.mkdir(outside)
        (outside / "file").touch()
        box = Sandbox(directory, person.rootfs)
        box.create()
        box.run(["sh", "-c", f"ln -s {outside} /link; mkdir -p /deep/er; chmod 0 /deep/er /deep; touch /x"])
        box.remove()
        link = str(outside) + "-link"
        os.symlink(outside, link)
        _sandbox.remove_folder(link)
        return os.path.lexists(directory) or os.path.lexists(link)

    assert person.do(body) is False
    assert (outside / "file").exists()


def test_removing_refuses_what_is_mounted(tmp_path: t.Any, monkeypatch: t.Any) -> None:
    (tmp_path / "box" / "deep er").mkdir(parents=True)
    monkeypatch.setattr(_sandbox, "mount_points", lambda: ["/", str(tmp_path / "box" / "deep er")])
    with pytest.raises(DistrogateError) as caught:
        _sandbox.remove_folder(str(tmp_path / "box"))
    assert caught.value.reason == "is_mounted"
    assert (tmp_path / "box" / "deep er").is_dir()


def test_mount_points_are_read() -> None:
    assert "/proc" in _sandbox.mount_points()
