# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Root filesystems and builds that try to reach what is outside of them."""

from __future__ import annotations

import itertools
import os
import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.tests.unit.core.people import Person

_NUMBERS = itertools.count()


def listing(folder: pathlib.Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


def outside(person: Person) -> pathlib.Path:
    """A folder of the caller, which a sandbox must not reach."""
    folder = person.folder / f"hostile-outside{next(_NUMBERS)}"

    def make() -> None:
        folder.mkdir()
        (folder / "secret").write_text("secret")
        os.mkfifo(folder / "pipe")

    person.do(make)
    return folder


def attempt(person: Person, rootfs: str, argv: list[str], **options: t.Any) -> tuple[str, str]:
    """Run a command in a root filesystem: output or reason, and standard error or message."""

    def body() -> tuple[str, str]:
        try:
            with Sandbox(str(person.folder / f"hostile{next(_NUMBERS)}"), rootfs) as box:
                done = box.run(argv, check=False, timeout=30, **options)
                return done.text, done.stderr.decode()
        except DistrogateError as error:
            return error.reason, error.message

    return person.do(body)


@pytest.mark.parametrize("name", ["proc", "dev"])
def test_links_in_the_place_of_mounts(person: Person, name: str) -> None:
    target = outside(person)
    before = listing(target)
    rootfs = person.make_rootfs(f"link{next(_NUMBERS)}", links={name: str(target)})
    reason, message = attempt(person, rootfs, ["ls", "/"])
    assert reason == "sandbox_failed" and f"{name} is a link" in message
    assert listing(target) == before


def test_binds_over_links(person: Person) -> None:
    target = outside(person)
    before = listing(target)
    links = {"link": str(target), "file": str(target / "secret"), "up": "../../../../../../" + str(target)}
    rootfs = person.make_rootfs(f"link{next(_NUMBERS)}", links=links)
    for name in ("link", "link/new", "up/new"):
        reason, message = attempt(person, rootfs, ["ls"], binds={f"/{name}": "/etc"})
        assert reason == "sandbox_failed" and "is a link" in message
    assert attempt(person, rootfs, ["cat", "/file"], binds={"/file": "/etc/hostname"})[0] != "secret"
    assert attempt(person, rootfs, ["cat", "/link/secret"])[0] == ""
    assert listing(target) == before


@pytest.mark.skipif(not os.path.exists("/etc/resolv.conf"), reason="there is nothing to bind")
def test_a_resolver_that_leads_outside(person: Person) -> None:
    target = outside(person)
    before = listing(target)
    rootfs = person.make_rootfs(f"link{next(_NUMBERS)}", links={"etc/resolv.conf": str(target / "new")})
    text = attempt(person, rootfs, ["cat", "/etc/resolv.conf"], network=True)[0]
    assert text == pathlib.Path("/etc/resolv.conf").read_text()
    assert listing(target) == before


def test_a_pipe_to_wait_for(person: Person) -> None:
    directory = str(person.folder / f"pipe{next(_NUMBERS)}")

    def body() -> str:
        box = Sandbox(directory, person.rootfs)
        box.create()
        box.run(["mkfifo", "/etc/name"])
        return box.run(["cat", "/etc/name"], binds={"/etc/name": "/etc/hostname"}, timeout=20).text

    assert person.do(body) == pathlib.Path("/etc/hostname").read_text()


PLANTED = b"""
import posix
try:
    posix.close(posix.open("/planted", posix.O_CREAT | posix.O_WRONLY))
except OSError:
    pass
"""
MODULES = ("os", "warnings", "traceback", "linecache", "tokenize", "codecs", "ctypes/__init__", "errno", "re")
CODECS = ("__init__", "utf_8", "ascii", "idna", "latin_1", "aliases")


def test_a_planted_library(person: Person) -> None:
    """Nothing of it may run in the first process, which still has the caller's rights."""
    ask = [_sandbox.PYTHON, "-I", "-c", "import sys; print('\\n'.join(sys.path))"]
    found = subprocess.run(ask, capture_output=True, check=True, text=True).stdout.split()
    library = [path for path in found if not path.endswith((".zip", "-packages", "lib-dynload"))]
    names = [*MODULES, *(f"encodings/{name}" for name in CODECS)]
    files = {f"{path.lstrip('/')}/{name}.py": PLANTED for path in library for name in names}
    rootfs = person.make_rootfs(f"planted{next(_NUMBERS)}", files=files)
    assert len(files) > 10
    directory = person.folder / f"box{next(_NUMBERS)}"

    def body() -> list[int]:
        box = Sandbox(str(directory), rootfs)
        box.create()
        argvs = [["true"], ["nothing"], ["nöthing\udc80"], ["sh", "a\0b"], ["/etc"], [""]]
        statuses = [box.run(argv, check=False, timeout=30).status for argv in argvs]
        statuses.append(box.run(["true"], directory="/nowhere", check=False).status)
        statuses.append(box.run(["true"], user=1 << 40, check=False).status)
        return statuses

    assert person.do(body) == [0, *[127] * 7]
    assert not (directory / "upper" / "planted").exists()


def build(person: Person, script: str) -> Sandbox:
    """A sandbox in which a hostile build has ended."""
    box = Sandbox(str(person.folder / f"build{next(_NUMBERS)}"), person.rootfs)

    def body() -> None:
        box.create()
        box.run(["sh", "-c", script])

    person.do(body)
    return box


def collected(person: Person, box: Sandbox, **options: t.Any) -> tuple[str, list[str]]:
    """The reason of a refusal, and what lies in the target afterwards."""
    target = person.folder / f"target{next(_NUMBERS)}"

    def body() -> tuple[str, list[str]]:
        target.mkdir()
        (target / "there.deb").touch()
        try:
            box.collect("/build", ["*.deb"], str(target), **options)
        except DistrogateError as error:
            return error.reason, sorted(os.listdir(target))
        return "", sorted(os.listdir(target))

    return person.do(body)


def test_collecting_takes_regular_files(person: Person) -> None:
    secret = outside(person)
    script = (
        "cd /build; echo a >a.deb; echo b >b.deb; echo c >c.txt; mkfifo p.deb; mkdir d.deb;"
        f" ln -s {secret}/secret l.deb; ln -s /etc/shadow s.deb; ln a.deb h.deb"
    )
    box = build(person, script)
    assert collected(person, box, without=["b.*"]) == ("", ["a.deb", "h.deb", "there.deb"])


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("rm -r /build", "not_collected"),
        ("rm -r /build; ln -s /etc /build", "not_collected"),
        ("rm -r /build; touch /build", "not_collected"),
        ("truncate -s 600 /build/a.deb; truncate -s 600 /build/b.deb", "too_large"),
        ("touch /build/there.deb", "artifact_exists"),
        ("touch '/build/-rf.deb'", "bad_name"),
        ("touch '/build/a b.deb'", "bad_name"),
        ("touch \"/build/$(printf 'a\\nb').deb\"", "bad_name"),
        ("touch \"/build/$(printf 'a\\377').deb\"", "bad_name"),
    ],
)
def test_collecting_refuses(person: Person, script: str, reason: str) -> None:
    found, left = collected(person, build(person, script), limit=1000)
    assert found == reason
    assert set(left) <= {"there.deb", "a.deb"}


def test_a_file_that_the_caller_may_not_read(person: Person) -> None:
    """It is refused, not passed over in silence, unless the caller is root and may read it."""
    reason, left = collected(person, build(person, "touch /build/a.deb; chmod 0 /build/a.deb"))
    assert (reason, left) in (("not_collected", ["there.deb"]), ("", ["a.deb", "there.deb"]))
