# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines to boot that are made in an instant: a few bytes of a boot sector, or a kernel with busybox."""

from __future__ import annotations

import fcntl
import os
import pathlib
import shutil
import subprocess
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite
from ansible_collections.distrogate.ci.plugins.module_utils._images import _boot

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
CACHE = REPOSITORY / ".cache" / "boot-kernel"
LOGIN = "\r\nsample login: "
_BEGIN = bytes.fromhex("31c0 8ed8 8ed0 bc007c fc")  # ds = ss = 0, sp = 0x7c00, cld
_SIZE = 1 << 20  # bytes of a disk; a virtual BIOS reads no smaller one
# What a machine does once it has printed its text.
HALT = bytes.fromhex("f4 ebfd")
AGAIN = bytes.fromhex("ebf0")  # print it for ever
RESTART = bytes.fromhex("b0fe e664 f4 ebfd")  # by the keyboard's controller
ANSWER = bytes.fromhex("bafd03 ec a801 74fb baf803 ec ebe4")  # print it again when somebody types
Then = bytes


def sector(text: str | bytes, then: Then = HALT) -> bytes:
    """A boot sector that prints ``text`` on the first serial line."""
    data = text if isinstance(text, bytes) else text.encode()
    place = 0x7C00 + len(_BEGIN) + 14 + len(then)
    # mov si, place; mov dx, 0x3f8; again: lodsb; test al, al; jz done; out dx, al; jmp again; done:
    show = b"\xbe" + place.to_bytes(2, "little") + bytes.fromhex("baf803 ac 84c0 7403 ee ebf8")
    code = _BEGIN + show + then + data + b"\0"
    assert len(code) <= 510
    return code.ljust(510, b"\0") + b"\x55\xaa"


def disk(folder: pathlib.Path, text: str | bytes = "", then: Then = HALT) -> str:
    """A raw disk that boots such a sector; without a text one that does not boot."""
    path = folder / "sample.raw"
    path.write_bytes(sector(text, then) if text else b"")
    os.truncate(path, _SIZE)
    path.chmod(0o644)
    return str(path)


def place(folder: pathlib.Path, said: list[str] | None = None) -> _boot.Place:
    """Where a test boots; what the user would read goes to ``said``."""
    say = said.append if said is not None else (lambda _text: None)
    return _boot.Place(
        str(folder / "scratch"), str(folder / "log"), Suite("boot"), say, str(folder / "tests.xml")
    )


def terms(**options: t.Any) -> _boot.Terms:
    """Small and emulated, so that it is quick everywhere."""
    return _boot.Terms(**{"accelerator": "tcg", "memory": 64 << 20, "timeout": 300, **options})


def kernel() -> str:
    """Debian's kernel for clouds (27 MB), downloaded once by apt into the tests' cache; never installed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    found = CACHE / "vmlinuz"
    with open(CACHE / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            _download(found)
    return str(found)


def _download(found: pathlib.Path) -> None:
    said = subprocess.check_output(["apt-cache", "depends", "linux-image-cloud-amd64"], text=True)
    package = next(line.split()[1] for line in said.splitlines() if line.strip().startswith("Depends:"))
    apt = ["apt-get", "-o", "APT::Sandbox::User=root", "--quiet", "download", package]
    subprocess.run(apt, cwd=CACHE, check=True, capture_output=True)
    archive = next(CACHE.glob("*.deb"))
    subprocess.run(["dpkg-deb", "--extract", archive, CACHE / "tree"], check=True)
    new = next((CACHE / "tree" / "boot").glob("vmlinuz-*"))
    new.chmod(0o644)
    new.rename(found)
    shutil.rmtree(CACHE / "tree")
    archive.unlink()


def initrd(folder: pathlib.Path, script: str) -> str:
    """An initial RAM disk of busybox whose first process is this shell script."""
    tree = folder / "initrd-tree"
    for name in ("bin", "dev", "proc", "root", "etc"):
        (tree / name).mkdir(parents=True)
    busybox = shutil.which("busybox", path="/usr/bin:/bin") or "/bin/busybox"
    shutil.copy(busybox, tree / "bin" / "busybox")
    (tree / "init").write_text(
        "#!/bin/busybox sh\n/bin/busybox --install -s /bin\n"
        f"mount -t devtmpfs dev /dev; mount -t proc proc /proc; hostname sample\n{script}\n"
    )
    (tree / "init").chmod(0o755)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    path = folder / "initrd"
    with open(path, "wb") as stream:
        argv = ["busybox", "cpio", "-o", "-H", "newc"]
        subprocess.run(
            argv, input=names.encode(), stdout=stream, cwd=tree, check=True, stderr=subprocess.PIPE
        )
    path.chmod(0o644)
    return str(path)
