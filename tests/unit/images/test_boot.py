# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real machines in QEMU: they come up, fail, flood, restart, lie; nothing of them is left."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _descendants
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._images import _accelerator, _boot, _qemu
from ansible_collections.distrogate.ci.tests.unit.core.people import Person, gone, ordinary_user
from ansible_collections.distrogate.ci.tests.unit.core.people import place as private
from ansible_collections.distrogate.ci.tests.unit.images import boot_samples
from ansible_collections.distrogate.ci.tests.unit.images.boot_samples import (
    AGAIN,
    ANSWER,
    HALT,
    LOGIN,
    RESTART,
    disk,
    initrd,
    kernel,
    place,
    terms,
)

PROBE = pathlib.Path(__file__).with_name("probe.s")
MODULE = boot_samples.REPOSITORY / "plugins/modules/image_boot.py"


def boot(
    folder: pathlib.Path, path: str, said: list[str] | None = None, **options: t.Any
) -> dict[str, t.Any]:
    found = _boot.boot(_boot.Image("sample", path, "raw"), terms(**options), place(folder, said))
    assert os.listdir(folder / "scratch") == []
    return found


def failure(folder: pathlib.Path, path: str, **options: t.Any) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        boot(folder, path, **options)
    assert os.listdir(folder / "scratch") == []
    return caught.value


class Prompted(_boot.Watch):
    """Its time is over soon after the login prompt was seen, however long that took on a busy host."""

    def say(self, text: str) -> None:
        super().say(text)
        if self.console.prompted:
            self.deadline = min(self.deadline, time.monotonic() + 3)


def log(folder: pathlib.Path) -> str:
    return (folder / "log").read_text()


def test_a_login_that_answers(tmp_path: pathlib.Path) -> None:
    path = disk(tmp_path, LOGIN, ANSWER)
    before, said = sha256_file(path), list[str]()
    found = boot(tmp_path, path, said)
    assert found["accelerator"] == "tcg" and found["checks"] == []
    assert sha256_file(path) == before
    assert log(tmp_path).count("sample login:") == 2
    assert re.search(r"^sample, \d+ s: ", said[0])


def test_a_login_that_nobody_reads(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_boot, "Watch", Prompted)
    error = failure(tmp_path, disk(tmp_path, f"hello\r\n{LOGIN}"))
    assert error.reason == "boot_timeout" and "nobody answered there" in error.message
    assert error.details["console"] == ["hello", "sample login:"]


def test_a_line(tmp_path: pathlib.Path) -> None:
    path = disk(tmp_path, "the \x1b[1mappliance\x1b[0m is ready\r\n")
    assert boot(tmp_path, path, wait_for="^the appliance is ready$")
    error = failure(tmp_path, path, wait_for="^it is not$", timeout=2)
    assert error.reason == "boot_timeout" and "'^it is not$'" in error.message


def test_a_login_but_not_the_line(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_boot, "Watch", Prompted)
    monkeypatch.setattr(_boot, "_SILENT", 1.0)
    said = list[str]()
    with pytest.raises(DistrogateError, match=r"booted to a login prompt, but did not show '.served"):
        boot(tmp_path, disk(tmp_path, f"hello\r\n{LOGIN}", ANSWER), said, wait_for="^served$")
    assert log(tmp_path).count("sample login:") == 1  # nobody types there
    assert re.search(r", \d+ s: silent for \d+ s, since: hello$", said[-1])


def test_by_hand(tmp_path: pathlib.Path) -> None:
    """The log has a command that boots the same image at a person's own terminal."""
    folder = tmp_path / "a, 'b'"
    folder.mkdir()
    path = disk(folder, "the appliance is ready\r\n")
    boot(tmp_path, path, wait_for="ready")
    command = re.search(r"^--- by hand: (.*)$", log(tmp_path), re.MULTILINE)
    assert command
    before = sha256_file(path)
    with subprocess.Popen(
        f"exec {command[1]}", shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as qemu:
        try:
            assert qemu.stdout is not None
            assert any("appliance is ready" in line for line in qemu.stdout)
        finally:
            qemu.kill()
    assert sha256_file(path) == before


def test_a_line_that_must_not_come(tmp_path: pathlib.Path) -> None:
    error = failure(tmp_path, disk(tmp_path, "a\r\nout of cheese\r\n"), fail_on=("cheese",))
    assert error.reason == "boot_failed"
    assert error.message.endswith("The console's last lines:\na\nout of cheese")
    assert error.details["log"] == str(tmp_path / "log") and "out of cheese" in log(tmp_path)


def test_it_restarts(tmp_path: pathlib.Path) -> None:
    error = failure(tmp_path, disk(tmp_path, "so far\r\n", RESTART))
    assert error.reason == "boot_failed" and "switched off or restarted" in error.message
    assert error.details["console"] == ["so far"]


@pytest.mark.parametrize("text", [b"\x1b]0" + b"\xff\xfe" * 90, LOGIN])
def test_a_flood(tmp_path: pathlib.Path, text: str | bytes) -> None:
    error = failure(tmp_path, disk(tmp_path, text, AGAIN), timeout=2)
    assert error.reason == "boot_timeout"
    assert (tmp_path / "log").stat().st_size < 16 << 20
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", log(tmp_path) + error.message)


def test_no_boot_loader(tmp_path: pathlib.Path) -> None:
    error = failure(tmp_path, disk(tmp_path))
    assert error.reason == "not_bootable"


def test_what_the_host_has_not_got(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = disk(tmp_path, LOGIN, ANSWER)
    assert failure(tmp_path, path, memory=1 << 60).reason == "no_memory"
    monkeypatch.setattr(_boot, "_SPARE", 1 << 60)
    assert failure(tmp_path, path).reason == "no_space"
    monkeypatch.undo()
    monkeypatch.setattr(_qemu, "PROGRAM", "qemu-system-none")
    assert failure(tmp_path, path).reason == "missing_tool"


def test_what_it_may_write_and_use() -> None:
    words = " ".join(_qemu.Machine("/x", "qcow2", writes=123, memory=64 << 20).argv())
    assert words.startswith("prlimit --fsize=123 ") and "-sandbox on," in words and "-no-reboot" in words
    assert "format=qcow2,snapshot=on" in words and "-netdev" not in words and "-m 64M" in words
    assert "restrict=on" in " ".join(_qemu.Machine("/x", "raw", ssh=True).argv())


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> _boot.Image:
    """Linux, with a getty on its console and nothing else."""
    folder = tmp_path_factory.mktemp("linux")
    script = "while :; do getty -L 115200 ttyS0 vt100; done"
    return _boot.Image("linux", disk(folder), "raw", kernel=kernel(), initrd=initrd(folder, script))


def test_linux(tmp_path: pathlib.Path, sample: _boot.Image) -> None:
    found = _boot.boot(sample, terms(memory=192 << 20), place(tmp_path))
    assert found["seconds"] > 0
    assert "Linux version" in log(tmp_path) and "console=ttyS0" in log(tmp_path)


def test_a_kernel_panic(tmp_path: pathlib.Path, sample: _boot.Image) -> None:
    with pytest.raises(DistrogateError) as caught:
        _boot.boot(
            _boot.Image("linux", sample.path, "raw", kernel=sample.kernel),
            terms(memory=192 << 20),
            place(tmp_path),
        )
    assert caught.value.reason == "boot_failed" and "Kernel panic - not syncing" in caught.value.message


def test_as_an_ordinary_user() -> None:
    own = pwd.getpwuid(os.getuid()).pw_name
    with ordinary_user() if os.getuid() == 0 else contextlib.nullcontext(own) as name, private() as folder:
        person = Person(name, folder)
        found = person.do(lambda: boot(folder, disk(folder, LOGIN, ANSWER)))
    assert found["accelerator"] == "tcg"


def test_the_probe_is_its_source(tmp_path: pathlib.Path) -> None:
    built = [tmp_path / "probe.o", tmp_path / "probe.bin"]
    subprocess.run(["as", "--64", PROBE, "-o", built[0]], check=True)
    flat = ["ld", "-m", "elf_x86_64", "-Ttext", "0x7c00", "--oformat", "binary", "-o", built[1], built[0]]
    subprocess.run(flat, check=True)
    assert built[1].read_bytes() == _accelerator.PROBE


def test_the_accelerator_is_tried(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = str(tmp_path / "scratch")
    assert _accelerator.accelerator(scratch, "auto", "/dev/none") == (
        "tcg",
        "KVM does not work here: there is no /dev/none",
    )
    with pytest.raises(DistrogateError, check=lambda error: error.reason == "no_kvm"):
        _accelerator.accelerator(scratch, "kvm", "/dev/none")
    # Emulated, the probe works everywhere; and a machine that does nothing is no machine that works.
    monkeypatch.setattr(_accelerator, "Machine", lambda path, kind, **_o: _qemu.Machine(path, kind))
    monkeypatch.setattr(_accelerator, "_SECONDS", 60.0)
    assert _accelerator.accelerator(scratch, "auto", "/dev/null")[0] == "kvm"
    monkeypatch.setattr(_accelerator, "PROBE", boot_samples.sector("rls", HALT))
    monkeypatch.setattr(_accelerator, "_SECONDS", 0.5)
    assert _accelerator.accelerator(scratch, "auto", "/dev/null")[0] == "tcg"
    assert os.listdir(scratch) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_module(tmp_path: pathlib.Path, how: signal.Signals) -> None:
    path, scratch = disk(tmp_path, "up\r\n"), tmp_path / "scratch"
    arguments = {
        "path": path,
        "format": "raw",
        "accelerator": "tcg",
        "memory": "64M",
        "scratch": str(scratch),
    }
    module = subprocess.Popen(
        [sys.executable, MODULE, json.dumps({"ANSIBLE_MODULE_ARGS": arguments})],
        stdout=subprocess.DEVNULL,
    )
    try:
        below = _started(module.pid)
    finally:
        module.send_signal(how)
        module.wait()
    assert below and all(gone(number) for number in below)
    boot(tmp_path, disk(tmp_path, LOGIN, ANSWER))  # what was left in the folder is gone


def _started(pid: int) -> set[int]:
    """All processes of a module, once its machine runs."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        below = _descendants.descendants(pid)
        if any(_name(number).startswith("qemu-system") for number in below):
            return below
        time.sleep(0.05)
    return set()


def _name(pid: int) -> str:
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""
