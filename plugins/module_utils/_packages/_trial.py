# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trying packages as a user would: install, run, remove, purge, from a signed repository."""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox

_APT = ["apt-get", "--yes", "--quiet", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root"]
_PACKAGE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.+_-]*[A-Za-z0-9.+_])?(=[A-Za-z0-9][A-Za-z0-9.+~:_^-]*)?")
_DNF = ["dnf", "--assumeyes", "--quiet"]
_ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive"}


def checked_package(text: str) -> str:
    """NAME or NAME=VERSION; nothing that could be taken for an option, a file, a pattern or a removal."""
    if not _PACKAGE.fullmatch(text):
        raise DistrogateError("bad_name", f"{text!r} is not a package's NAME or NAME=VERSION.")
    return text


class Machine(t.Protocol):
    """Where packages are tried: a sandbox, or the machine that runs the module."""

    def run(self, argv: list[str], **options: t.Any) -> _command.Completed: ...


class ThisMachine:
    """The machine itself (a TE): nothing is undone afterwards, the TE is cleaned when its lease ends."""

    def run(self, argv: list[str], **options: t.Any) -> _command.Completed:
        kept = {key: options[key] for key in ("timeout", "log", "stdin", "check") if key in options}
        environment = _command.base_environment(HOME="/root", **options.get("environment", {}))
        return _command.run(argv, environment=environment, **kept)


@dataclasses.dataclass(frozen=True)
class Trial:
    """What to try: ``packages`` as NAME=VERSION, ``commands`` as argument lists."""

    packages: list[str]
    sources: list[str]
    commands: list[list[str]]
    remove: bool
    binds: dict[str, str]
    log: str
    timeout: float
    suite: Suite = dataclasses.field(default_factory=lambda: Suite("packages"))


def _write(machine: Machine, path: str, text: str) -> None:
    machine.run(["mkdir", "--parents", os.path.dirname(path)])
    machine.run(["tee", path], stdin=text.encode())


def try_debs(machine: Machine, trial: Trial) -> list[str]:
    """Try Debian packages; returns the names of the steps that were done."""
    options = _options(trial)
    for number, text in enumerate(trial.sources):
        _write(machine, f"/etc/apt/sources.list.d/distrogate-{number}.sources", text)
    names = [package.partition("=")[0] for package in trial.packages]
    if trial.packages:  # a machine that was made of an image may have all that is tested
        with trial.suite.case("install", "deb"):
            _step("install_failed", machine, [*_APT, "update"], **options)
            install = [*_APT, "--no-install-recommends", "install", "--", *trial.packages]
            _step("install_failed", machine, install, **options)
    steps = [*(["install"] if trial.packages else []), *_commands(machine, trial, "deb")]
    if trial.remove:
        with trial.suite.case("remove", "deb"):
            _step("remove_failed", machine, [*_APT, "remove", "--", *names], **options)
        with trial.suite.case("purge", "deb"):
            _step("remove_failed", machine, [*_APT, "purge", "--", *names], **options)
            left = machine.run(
                ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n"]
            ).text.splitlines()
            _nothing_left([line for line in left if line.split(" ")[0] in names])
        steps += ["remove", "purge"]
    return steps


def try_rpms(machine: Machine, trial: Trial) -> list[str]:
    """Try rpm packages; returns the names of the steps that were done."""
    options = _options(trial)
    for number, text in enumerate(trial.sources):
        _write(machine, f"/etc/yum.repos.d/distrogate-{number}.repo", text)
    names = [package.partition("=")[0] for package in trial.packages]
    wanted = [package.replace("=", "-", 1) for package in trial.packages]
    with trial.suite.case("install", "rpm"):
        _step("install_failed", machine, [*_DNF, "install", *wanted], **options)
    steps = ["install", *_commands(machine, trial, "rpm")]
    if trial.remove:
        with trial.suite.case("remove", "rpm"):
            _step("remove_failed", machine, [*_DNF, "remove", *names], **options)
            done = machine.run(["rpm", "--query", *names], check=False)
            _nothing_left([line for line in done.text.splitlines() if "is not installed" not in line])
        steps.append("remove")
    return steps


def _options(trial: Trial) -> dict[str, t.Any]:
    return {
        "network": True,
        "environment": _ENVIRONMENT,
        "binds": trial.binds,
        "log": trial.log,
        "timeout": trial.timeout,
    }


def _step(reason: str, machine: Machine, argv: list[str], **options: t.Any) -> None:
    try:
        machine.run(argv, **options)
    except DistrogateError as error:
        if error.reason != "command_failed":
            raise
        raise DistrogateError(reason, error.message, **error.details) from error


def _commands(machine: Machine, trial: Trial, kind: str) -> list[str]:
    for argv in trial.commands:
        with trial.suite.case(" ".join(argv), kind):
            _step("test_failed", machine, argv, log=trial.log, timeout=trial.timeout, binds=trial.binds)
    return [" ".join(argv) for argv in trial.commands]


def _nothing_left(left: list[str]) -> None:
    if left:
        raise DistrogateError("remove_failed", f"Still there after removal: {', '.join(left)}.")


def run_trials(
    trials: list[dict[str, t.Any]],
    scratch: str,
    bind: list[str],
    log: str,
    timeout: float,
    *,
    suite: Suite,
    say: t.Callable[[str], None],
) -> dict[str, list[str]]:
    """Run the trials that the module package_test takes; returns the steps done, by kind.

    ``suite`` gets a test for each step, also for the one that failed.
    """
    steps: dict[str, list[str]] = {}
    for number, wanted in enumerate(trials):
        trial = Trial(
            packages=[checked_package(package) for package in wanted["packages"]],
            sources=wanted["sources"],
            commands=[[str(word) for word in argv] for argv in wanted["commands"]],
            remove=wanted["remove"],
            binds={path: path for path in bind},
            log=log,
            timeout=timeout,
            suite=suite,
        )
        say(f"tries {', '.join(wanted['packages']) or 'what is installed'}")
        attempt = try_debs if wanted["kind"] == "deb" else try_rpms
        if wanted["rootfs"]:
            with Sandbox(os.path.join(scratch, f"trial-{number}"), wanted["rootfs"]) as box:
                steps.setdefault(wanted["kind"], []).extend(attempt(box, trial))
        else:
            steps.setdefault(wanted["kind"], []).extend(attempt(ThisMachine(), trial))
    return steps
