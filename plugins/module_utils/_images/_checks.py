# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is looked at in a machine that is up: commands, and tests of testinfra, both over ssh."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import tempfile
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY, write_atomic
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._images._console import Console, readable
from ansible_collections.distrogate.ci.plugins.module_utils._images._ssh import Access

_PRINTED = 8 << 20  # bytes that tests may print, and their results may have
_RESULTS = "results.xml"
_NOTHING_COLLECTED = 5  # pytest's status


@dataclasses.dataclass(frozen=True)
class Checks:
    """``commands`` are lists of arguments; ``tests`` is a file or folder of testinfra tests.

    The tests run in a sandbox over ``rootfs``: they may be as new as the image.
    """

    commands: tuple[tuple[str, ...], ...] = ()
    tests: str = ""
    rootfs: str = ""
    user: str = "root"
    timeout: float = 600

    @property
    def wanted(self) -> bool:
        return bool(self.commands or self.tests)


class Watched(t.Protocol):
    """The machine, as far as checks know it (``_boot.Watch``)."""

    name: str
    console: Console
    suite: Suite
    deadline: float

    def say(self, text: str) -> None: ...
    def gone(self) -> bool: ...
    def check(self) -> None: ...
    def failure(self, reason: str, sentence: str) -> DistrogateError: ...


def run(checks: Checks, access: Access, watch: Watched, scratch: str, results: str) -> list[str]:
    """Run all checks, whatever the others find; returns their names. Error ``check_failed`` names the bad."""
    with watch.suite.case("ssh", watch.name):
        watch.say("waits for ssh")
        said = access.wait(watch.deadline, watch.gone)
        watch.check()
        if said:
            raise watch.failure(
                "no_ssh",
                f"{watch.name} did not let {checks.user} in over ssh ({said}). For checks an image needs an"
                " ssh server, an address by DHCP, and cloud-init or systemd 252, which hand the key to it.",
            )
    failed = []
    for argv in checks.commands:
        try:
            _command_check(argv, checks, access, watch)
        except DistrogateError as error:
            watch.check()  # a machine that died is worth more words than what it did to the check
            failed.append(error.message.partition("\n")[0])
    if checks.tests:
        try:
            _tests(checks, access, watch, scratch, results)
        except DistrogateError as error:
            watch.check()
            if error.reason != "check_failed":
                raise
            failed.append(error.message)
    watch.check()
    if failed:
        raise DistrogateError("check_failed", f"{watch.name} came up, but: " + "\n".join(failed))
    names = [" ".join(argv) for argv in checks.commands]
    return [*names, *([os.path.basename(checks.tests)] if checks.tests else [])]


def _command_check(argv: t.Sequence[str], checks: Checks, access: Access, watch: Watched) -> None:
    name = " ".join(argv)
    watch.say(name)
    watch.console.log.write(f"ssh$ {name}")
    with watch.suite.case(name, watch.name) as case:
        done = access.run(argv, checks.timeout)
        lines = [readable(line) for line in done.stdout.splitlines()]
        for line in lines:
            watch.console.log.write(line)
        case.output = "\n".join(lines)
        if done.status:
            how = "printed too much" if done.status < 0 else f"ended with status {done.status}"
            raise DistrogateError("check_failed", f"{name!r} {how}.\n{case.output[-2000:]}")


def _tests(checks: Checks, access: Access, watch: Watched, scratch: str, results: str) -> None:
    """pytest with testinfra, without a network but the way into the machine."""
    watch.say(f"runs the tests {checks.tests}")
    watch.console.log.write(f"pytest$ {checks.tests}")
    inside = f"/tests/{os.path.basename(checks.tests)}"
    argv = ["prlimit", f"--fsize={_PRINTED}", "--core=0", "--", "python3", "-m", "pytest"]
    argv += ["-p", "no:cacheprovider", "--hosts=ssh://guest", f"--ssh-config={access.inside}/config"]
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=TEMPORARY))
        box = stack.enter_context(Sandbox(os.path.join(scratch, "tests"), checks.rootfs))
        output = os.path.join(folder, "output")
        begun = time.monotonic()
        done = box.run(
            [*argv, f"--junitxml=/root/{_RESULTS}", "--", inside],
            binds={access.inside: access.shown, inside: checks.tests},
            environment={"PYTHONDONTWRITEBYTECODE": "1"},
            timeout=checks.timeout,
            log=output,
            check=False,
        )
        with open(output, "rb") as stream:
            for line in stream:
                watch.console.log.write(readable(line))
        found = _collected(box, folder)
        if found:
            with open(found, "rb") as stream:
                write_atomic(results, stream.read())
        _judge(done, checks, bool(found), time.monotonic() - begun)


def _collected(box: Sandbox, folder: str) -> str:
    """The tests' own results; empty when they left none."""
    try:
        paths = box.collect("/root", [_RESULTS], folder, limit=_PRINTED)
    except DistrogateError:
        return ""
    return paths[0] if paths else ""


def _judge(done: _command.Completed, checks: Checks, have_results: bool, seconds: float) -> None:
    name = os.path.basename(checks.tests)
    if done.status == 0 and have_results:
        return
    why = f"the tests {name} ended with status {done.status} after {seconds:.0f} s:\n{done.tail(15)}"
    if done.status == 0:
        why = f"the tests {name} left no results."
    elif done.status == _NOTHING_COLLECTED:
        why = f"there are no tests in {checks.tests}."
    elif done.status in (4, 127) or b"No module named" in done.stdout:
        why += "\nDoes the root filesystem have python3-testinfra and openssh-client?"
    raise DistrogateError("check_failed", why)
