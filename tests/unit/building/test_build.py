# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is decided before and after a build runs: changelogs, names, findings, trials."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite
from ansible_collections.distrogate.ci.plugins.module_utils._packages import (
    _build_deb,
    _build_rpm,
    _lint,
    _trial,
)
from ansible_collections.distrogate.ci.plugins.module_utils._packages._build import Project, built

ENTRY = (
    "hello (2.10-3) unstable; urgency=medium\n\n  * Change.\n\n"
    " -- A B <a@example.org>  Mon, 26 Dec 2022 16:30:00 +0100\n"
)


def refused(reason: str) -> t.Any:
    return pytest.raises(DistrogateError, check=lambda error: error.reason == reason)


def project(folder: pathlib.Path, changelog: str = ENTRY) -> Project:
    (folder / "debian").mkdir(exist_ok=True)
    (folder / "debian" / "changelog").write_text(changelog)
    return Project("hello", str(folder), "0a1b2c3d" * 5, 1_700_000_000, 17)


@pytest.mark.skipif(not shutil.which("dpkg-parsechangelog"), reason="dpkg-dev is not installed")
@pytest.mark.parametrize("version", ["2.10-3", "1:2.10~rc1-0ubuntu1", "20230101", "1.0+dfsg-2"])
def test_a_changelog_that_dpkg_takes(tmp_path: pathlib.Path, version: str) -> None:
    text, source = _build_deb._changelog(project(tmp_path, ENTRY.replace("2.10-3", version)))
    (tmp_path / "new").write_bytes(text)
    argv = ["dpkg-parsechangelog", "-l", str(tmp_path / "new")]
    done = subprocess.run([*argv, "--all"], capture_output=True, text=True, check=True)
    assert done.stderr == "" and source == "hello"
    fields = dict(re.findall(r"^(\S+): (.*)$", subprocess.check_output(argv, text=True), re.MULTILINE))
    assert fields["Version"] == f"{version}+dg17.0a1b2c3"
    assert (fields["Distribution"], fields["Maintainer"]) == ("unstable", "A B <a@example.org>")
    assert fields["Timestamp"] == "1700000000"
    newer = [fields["Version"], "gt", version]
    assert subprocess.run(["dpkg", "--compare-versions", *newer], check=False).returncode == 0


@pytest.mark.parametrize(
    "changelog",
    [
        "",
        "hello\n",
        "../evil (1) unstable; urgency=low\n" + ENTRY,
        ENTRY.replace("2.10-3", "1 2"),
        ENTRY.replace("2.10-3", "$(id)"),
        ENTRY.replace("2.10-3", "-1"),
        ENTRY.replace("unstable", "un\nstable"),
        ENTRY.replace("hello", "Hello"),
        ENTRY.replace(" -- ", "  "),
        "\n" + ENTRY,
    ],
)
def test_hostile_changelogs(tmp_path: pathlib.Path, changelog: str) -> None:
    with refused("bad_changelog"):
        _build_deb._changelog(project(tmp_path, changelog))


def test_a_changelog_that_is_a_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "changelog").symlink_to("/etc/passwd")
    with refused("bad_source"):
        _build_deb._changelog(Project("hello", str(tmp_path), "0" * 40, 0, 1))


def test_nothing_built() -> None:
    assert built(["a"], "x") == ["a"]
    with refused("nothing_built"):
        built([], "x")


class Box:
    """A sandbox that only says what it is told to."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.answers = list(answers)
        self.calls: list[list[str]] = []

    def __enter__(self) -> Box:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def run(self, argv: list[str], **options: t.Any) -> _command.Completed:
        self.calls.append(argv)
        status, text = self.answers.pop(0) if self.answers else (0, "")
        done = _command.Completed(argv, status, text.encode(), b"")
        if status and options.get("check", True):
            raise _command.failed(argv, done, None)
        return done


@pytest.mark.parametrize(
    ("folder", "source"),
    [("../x", "a.tar.gz"), ("a", "-x.tar.gz"), ("a", "http://x/a.zip"), ("a b", "a.tgz"), ("a", "$(id).tgz")],
)
def test_hostile_specs(folder: str, source: str) -> None:
    with refused("bad_spec"):
        _build_rpm._expanded(t.cast(t.Any, Box((0, folder), (0, f"Source0: {source}\n"))), [], "/x/a.spec")


def test_a_spec() -> None:
    box = Box((0, "hello-1\n"), (0, "Name: x\nsource :  https://example.org/x/hello-1.tar.gz\n"))
    assert _build_rpm._expanded(t.cast(t.Any, box), [], "/x/a.spec") == ("hello-1", "hello-1.tar.gz")


LINTIAN = (
    "E: hello: bad-thing usr/x [y]\nW: hello source: odd-thing\nI: hello: note\n"
    "N: 1 hint overridden\nwarning: x\n"
)
RPMLINT = (
    "=== rpmlint\nhello.x86_64: E: no-binary\nhello.x86_64: W: no-doc\n/x.spec: I: x\n 1 packages checked\n"
)


def lint(monkeypatch: t.Any, tmp_path: pathlib.Path, box: Box, *paths: str, **more: t.Any) -> dict[str, int]:
    monkeypatch.setattr(_lint, "Sandbox", lambda *_args: box)
    options = {"suppress": {}, "fail_on": "error", "log": str(tmp_path / "log"), **more}
    return _lint.lint("/r", "/s", [f"/a/{path}" for path in paths], **options)


def test_findings(monkeypatch: t.Any, tmp_path: pathlib.Path) -> None:
    def box() -> Box:
        return Box((0, LINTIAN), (0, ""), (64, RPMLINT))

    names = ("a.deb", "a.rpm")
    counts = lint(monkeypatch, tmp_path, box(), *names, fail_on="none")
    assert counts == {"lintian_errors": 1, "lintian_warnings": 1, "rpmlint_errors": 1, "rpmlint_warnings": 1}
    for level, number in (("error", 2), ("warning", 4)):
        with refused("lint_failed") as caught:
            lint(monkeypatch, tmp_path, box(), *names, fail_on=level)
        assert len(caught.value.details["findings"]) == number
    assert "lintian E: hello: bad-thing usr/x [y]" in caught.value.message
    assert "rpmlint W: hello.x86_64: no-doc" in caught.value.message
    assert "N: 1 hint overridden" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("name", ["a.deb", "a.rpm"])
def test_a_linter_that_breaks_is_not_a_clean_package(
    monkeypatch: t.Any, tmp_path: pathlib.Path, name: str
) -> None:
    for status, reason in ((127, "missing_tool"), (1, "command_failed"), (137, "command_failed")):
        answers = [(status, "")] if name == "a.deb" else [(0, ""), (status, "")]
        with refused(reason):
            lint(monkeypatch, tmp_path, Box(*answers), name, fail_on="none")


def test_suppressed(monkeypatch: t.Any, tmp_path: pathlib.Path) -> None:
    box = Box()
    lint(monkeypatch, tmp_path, box, "a.deb", suppress={"lintian": ["a", "b"]})
    assert box.calls[0][-4:] == ["--suppress-tags", "a,b", "--", "/packages/a.deb"]
    for bad in ("no-doc", ["a\nb"], [1]):
        with refused("bad_options"):
            lint(monkeypatch, tmp_path, Box(), "a.rpm", suppress={"rpmlint": bad})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-y",
        "--purge",
        "hello-",
        "./hello.deb",
        "/etc/x",
        "a b",
        "a*",
        "a;b",
        "hello=",
        "hello=-1",
        "a\n",
        "a=1\n",
        "a/b",
    ],
)
def test_hostile_packages(name: str) -> None:
    with refused("bad_name"):
        _trial.checked_package(name)


@pytest.mark.parametrize(
    "name", ["hello", "libstdc++6", "g++", "a.b_c-d", "hello=2.10-3+dg17.0a1b2c3", "a=1:2~rc1"]
)
def test_packages(name: str) -> None:
    assert _trial.checked_package(name) == name


def trial(**more: t.Any) -> _trial.Trial:
    values: dict[str, t.Any] = {
        "packages": ["hello=1"],
        "sources": ["s"],
        "commands": [["hello"]],
        "remove": True,
    }
    return _trial.Trial(**{**values, "binds": {}, "log": "/log", "timeout": 1, **more})


def test_trials() -> None:
    box = Box()
    assert _trial.try_debs(t.cast(t.Any, box), trial()) == ["install", "hello", "remove", "purge"]
    assert box.calls[3][-3:] == ["install", "--", "hello=1"]
    box = Box()
    assert _trial.try_rpms(t.cast(t.Any, box), trial(packages=["a=1-2", "b"])) == [
        "install",
        "hello",
        "remove",
    ]
    assert box.calls[2][-3:] == ["install", "a-1-2", "b"]


def test_what_an_image_brought_is_not_installed() -> None:
    box = Box()
    assert _trial.try_debs(t.cast(t.Any, box), trial(packages=[], sources=[], remove=False)) == ["hello"]
    assert box.calls == [["hello"]]


@pytest.mark.parametrize(
    ("at", "reason"), [(2, "install_failed"), (3, "install_failed"), (4, "test_failed"), (5, "remove_failed")]
)
def test_trials_that_fail(at: int, reason: str) -> None:
    with refused(reason):
        _trial.try_debs(t.cast(t.Any, Box(*[(0, "")] * at, (1, "bad"))), trial())


def test_trials_leave_results() -> None:
    suite = Suite("install_test")
    with refused("test_failed"):
        _trial.try_debs(t.cast(t.Any, Box(*[(0, "")] * 4, (1, "bad"))), trial(suite=suite))
    assert [(case.name, case.classname, case.verdict) for case in suite.cases] == [
        ("install", "deb", "passed"), ("hello", "deb", "failure"),
    ]  # fmt: skip


def test_what_is_left_behind() -> None:
    with refused("remove_failed"):
        _trial.try_debs(
            t.cast(t.Any, Box(*[(0, "")] * 7, (0, "hello config-files\nother installed\n"))), trial()
        )
    with refused("remove_failed"):
        _trial.try_rpms(t.cast(t.Any, Box(*[(0, "")] * 5, (0, "hello-1-1\n"))), trial())
