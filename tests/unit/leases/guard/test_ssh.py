# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard behind a real sshd: what a lease's key opens, from the grant to its end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_key import read_public_key
from ansible_collections.distrogate.ci.tests.faults.guard_host import SIZE, Host
from ansible_collections.distrogate.ci.tests.faults.guard_sshd import SSHD, Sshd, sshd

pytestmark = pytest.mark.skipif(not SSHD, reason="sshd is not installed")
_LATE = 60  # seconds until a test gives up; nothing is measured


def reason(call: t.Callable[[], t.Any]) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        call()
    return caught.value


def until(what: t.Callable[[], t.Any]) -> None:
    end = time.monotonic() + _LATE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_lease(server: Sshd, host: Host, tmp_path: pathlib.Path) -> None:
    guard, a = server.guard(), server.key("a")
    assert reason(lambda: guard.renew(60, a)).details["guard_reason"] == "unknown_key"
    assert guard.raise_fence("te1", 7, 60, read_public_key(a))["fence"] == 7
    image = tmp_path / "image"
    image.write_bytes(os.urandom(SIZE - 7))
    done = guard.image("root", str(image), a)
    assert done["sha256"] == hashlib.sha256(image.read_bytes()).hexdigest()
    assert host.disk().read_bytes() == image.read_bytes()
    guard.power("on", a)
    assert guard.power("status", a)["output"] == ""
    assert host.record.read_text().splitlines() == ["on", "te1", "; touch /tmp/x `id`", "te1"]
    assert guard.console(a, 7) == b"login: "
    assert len(guard.console(a)) == 65536
    assert guard.renew(90.5, a)["seconds"] == 91
    assert 60 < guard.holds(a)["seconds"] <= 91
    assert guard.status()["tes"]["te1"]["fence"] == 7
    guard.end("te1", 7)
    for late in (lambda: guard.renew(60, a), lambda: guard.power("on", a), lambda: guard.console(a)):
        error = reason(late)
        assert (error.reason, error.details["fence"]) == ("lease_ended", 7)
    assert reason(lambda: guard.image("root", str(image), a)).reason == "lease_ended"
    guard.end("te1", 7)


def test_the_next_lease(server: Sshd, host: Host) -> None:
    guard, a, b = server.guard(), server.key("a"), server.key("b")
    guard.raise_fence("te1", 7, 60, host.keys["a"])
    guard.raise_fence("te1", 9, 60, host.keys["b"])
    error = reason(lambda: guard.renew(60, a))
    assert (error.reason, error.details["fence"]) == ("lease_ended", 9)
    assert "reason=lease_ended" in host.logged()[-1]
    assert "te=te1" in host.logged()[-1] and "client=127.0.0.1:" in host.logged()[-1]
    for fence, key in ((8, "c"), (9, "c"), (7, "a")):
        error = reason(lambda fence=fence, key=key: guard.raise_fence("te1", fence, 60, host.keys[key]))  # type: ignore[misc]
        assert (error.reason, error.details["fence"]) == ("fence_behind", 9)
    guard.raise_fence("te1", 9, 60, host.keys["b"])
    assert guard.holds(b)["fence"] == 9


def test_the_deadline(server: Sshd, host: Host) -> None:
    guard, a = server.guard(), server.key("a")
    guard.raise_fence("te1", 7, 1, host.keys["a"])
    until(lambda: server.guard().status()["tes"]["te1"]["seconds"] == 0)
    assert "not renewed" in reason(lambda: guard.renew(60, a)).message
    assert reason(lambda: guard.power("on", a)).reason == "lease_ended"
    assert not host.record.exists()
    guard.raise_fence("te1", 7, 60, host.keys["a"])
    guard.power("on", a)


def test_one_key_for_two_tes(server: Sshd, host: Host) -> None:
    a = server.key("a")
    one, two = server.guard("te1"), server.guard("te2")
    one.raise_fence("te1", 7, 60, host.keys["a"])
    two.raise_fence("te2", 3, 60, host.keys["a"])
    assert (one.holds(a)["fence"], two.holds(a)["fence"]) == (7, 3)
    assert b"te_needed" in server.ssh("a", "power on").stdout
    two.end("te2", 3)
    assert b'"ok": true' in server.ssh("a", "renew 60").stdout
    assert reason(lambda: server.guard("other1").holds(a)).details["guard_reason"] == "not_your_te"
    assert (
        reason(lambda: server.guard("other1").raise_fence("other1", 9, 60, host.keys["a"])).details[
            "guard_reason"
        ]
        == "unknown_te"
    )


def test_an_upload_ends_with_its_lease(server: Sshd, host: Host) -> None:
    """After the raise was answered the old lease changes nothing more, however slow it is."""
    guard, disk = server.guard(), host.disk()
    disk.write_bytes(b"as it was")
    guard.raise_fence("te1", 7, 60, host.keys["a"])
    with server.start("a", f"image root {SIZE}") as upload:
        assert upload.stdin is not None and upload.stdout is not None
        upload.stdin.write(b"x" * (SIZE // 2))
        upload.stdin.flush()
        until(lambda: list(disk.parent.glob(".te1.img.te_guard.7.*")))
        assert guard.raise_fence("te1", 9, 60, host.keys["b"])["stopped"] == 1
        assert not list((host.state / "running" / "te1").iterdir())
        at_the_answer = sorted(path.name for path in disk.parent.iterdir() if "te1.img" in path.name)
        with contextlib.suppress(BrokenPipeError):
            for _block in range(1000):  # it does not know yet
                upload.stdin.write(b"x" * 65536)
            upload.stdin.close()
        assert b"lease_ended" in upload.stdout.read()
    assert at_the_answer == ["te1.img"]
    assert disk.read_bytes() == b"as it was"
    assert any("refused" in line and "image" in line and "lease_ended" in line for line in host.logged())


def test_a_power_command_is_waited_for(server: Sshd, host: Host) -> None:
    guard = server.guard()
    guard.raise_fence("te1", 7, 60, host.keys["a"])
    host.slow_until_raised()
    with server.start("a", "power off"):
        until(lambda: host.record.exists() and "begun" in host.record.read_text())
        assert guard.raise_fence("te1", 9, 60, host.keys["b"])["stopped"] == 1
        assert host.record.read_text().endswith("ended\n")


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("power on; touch {escape}", b"bad_command"),
        ("power `touch {escape}`", b"bad_command"),
        ("power $(touch {escape})", b"bad_command"),
        ("power on\ntouch {escape}", b"bad_command"),
        ("touch {escape}", b"unknown_operation"),
        ("scp -t {escape}", b"unknown_operation"),
        ("image ../te2 5", b"bad_argument"),
        ("image swap 5", b"unknown_disk"),
        (f"image root {SIZE + 1}", b"image_too_large"),
        ("renew soon", b"bad_argument"),
        ("te te2 power on", b"not_your_te"),
        ("te other1 power on", b"not_your_te"),
        ("power reset", b"power_failed"),
        ("renew 5" + " " * 100_000, b"bad_command"),
        ("", b"no_command"),
    ],
)
def test_commands_beside_the_list(leased: Sshd, command: str, word: bytes) -> None:
    host = leased.host
    before = len(host.logged())
    escape = host.folder / "escape"
    done = leased.ssh("a", command.format(escape=escape), options=[] if command else ["-T"])
    assert done.returncode == 1 and word in done.stdout
    new = host.logged()[before:]
    assert [line for line in new if "refused" in line and word.decode() in line]
    assert all(" te=te1 fence=7" in line for line in new), new  # there is no line that a client made
    assert not escape.exists() and not host.disk().exists()


def test_commands_that_are_too_long_for_a_process(leased: Sshd) -> None:
    """The kernel or sshd refuses these before the guard could; the guard goes on."""
    for count in (2, 11):
        done = leased.ssh("a", *["power on"] + ["x" * 100_000] * count)
        assert done.returncode != 0 and b'"ok": true' not in done.stdout
    leased.guard().holds(leased.key("a"))


def test_no_forwarding(leased: Sshd) -> None:
    remote = ("-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9")
    for options in (remote, ("-W", f"127.0.0.1:{leased.port}")):
        done = leased.ssh("a", options=options)
        assert done.returncode == 255 and not done.stdout, done
        assert b"forwarding failed" in done.stderr or b"prohibited" in done.stderr, done


def test_no_terminal_and_no_agent(leased: Sshd) -> None:
    done = leased.ssh("a", "status", options=["-tt"])
    assert b"PTY allocation request failed" in done.stderr
    leased.ssh("a", "status", options=["-A"], tracer=["ssh-agent"])
    assert "agent forwarding disabled" in (leased.host.folder / "sshd.log").read_text()


@pytest.mark.parametrize("program", ["sftp", "scp"])
def test_no_files(leased: Sshd, program: str, tmp_path: pathlib.Path) -> None:
    source, escape = tmp_path / "source", tmp_path / "escape"
    source.write_text("x")
    where = f"{leased.host.user}@127.0.0.1"
    words = [where] if program == "sftp" else ["-O", str(source), f"{where}:{escape}"]
    argv = [*leased.argv("a", program=shutil.which(program) or program), *words]
    batch = f"put {source} {escape}\n".encode()
    done = subprocess.run(argv, input=batch, capture_output=True, check=False, timeout=_LATE)
    assert done.returncode != 0 and not escape.exists()
    assert "reason=unknown_operation" in leased.host.logged()[-1]


def test_the_pools_key_is_no_leases_key(server: Sshd, host: Host) -> None:
    assert b"unknown_operation" in server.ssh("pool", "power on").stdout
    assert b"unknown_te" in server.ssh("other", "raise te1 9 60", stdin=host.keys["a"].encode()).stdout
    for text in (host.keys["pool"], host.keys["other"], "", "ssh-ed25519 AAAA", "x" * 9000):
        done = server.ssh("pool", "raise te1 9 60", stdin=text.encode())
        assert b"bad_key" in done.stdout
    for text in (f'command="id" {host.keys["a"]}', f"{host.keys['a']}\n{host.keys['b']}"):
        assert b"bad_key" in server.ssh("pool", "raise te1 9 60", stdin=text.encode()).stdout
    assert server.guard().status()["tes"]["te1"]["fence"] == 0


def test_as_sshd_is_usually_configured() -> None:
    """With StrictModes; so the files and folders that the guard makes have the right modes."""
    root = os.getuid() == 0  # others have only folders below one that all may write
    with tempfile.TemporaryDirectory(dir="/var/lib" if root else None) as name:
        host = Host(pathlib.Path(name))
        with sshd(host, strict=root) as server:
            guard = server.guard()
            guard.raise_fence("te1", 7, 60, host.keys["a"])
            assert guard.holds(server.key("a"))["fence"] == 7
