# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources that elements use, and what else they fetch."""

from __future__ import annotations

import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _dib_repositories
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_repositories import (
    check_used,
    floating,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._dib_settings import (
    binds_of,
    settings_of,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._request import ImageRequest, Source

COMMIT, OTHER = "0a" * 20, "0b" * 20


@pytest.fixture
def elements(tmp_path: pathlib.Path) -> dict[str, str]:
    found = {name: tmp_path / name for name in ("demo", "source-repositories")}
    for path in found.values():
        path.mkdir()
    return {name: str(path) for name, path in found.items()}


def says(elements: dict[str, str], text: str, file: str = "source-repository-demo") -> None:
    pathlib.Path(elements["demo"], file).write_text(text)


def request(*projects: str, **environment: str) -> ImageRequest:
    sources = tuple(Source(name, f"/srv/{number}", COMMIT) for number, name in enumerate(projects))
    return ImageRequest("x", "dib", sources=sources, environment=environment)


def refused(call: t.Callable[[], t.Any]) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        call()
    return caught.value


def test_a_source_that_no_element_uses(elements: dict[str, str]) -> None:
    """A typo would build whatever upstream has."""
    says(elements, "# a\n\ndemo-service git /opt/demo https://example.org/demo main\n")
    check_used(request("group/demo-service"), elements)
    error = refused(lambda: check_used(request("group/demo-servcie"), elements))
    assert error.reason == "unused_source" and error.details["sources"] == ["group/demo-servcie"]
    assert "demo-servcie" in error.message and "demo-service" in error.message
    says(elements, 'git clone "$DIB_REPOLOCATION_demo_servcie"\n', "20-demo")
    check_used(request("group/demo-servcie"), elements)
    del elements["source-repositories"]  # without it nothing reads those files
    assert refused(lambda: check_used(request("group/demo-service"), elements)).reason == "unused_source"


def test_sources_whose_names_end_alike(elements: dict[str, str]) -> None:
    found = settings_of(request("one/demo", "two/demo", "other"), 1, "record")
    assert "DIB_REPOREF_demo" not in found and found["DIB_REPOREF_other"] == COMMIT
    assert found["DIB_REPOLOCATION_one_demo"] == "/sources/one/demo"
    assert found["DIB_REPOLOCATION_two_demo"] == "/sources/two/demo"
    says(elements, "demo git /opt/demo https://example.org/demo\n")
    error = refused(lambda: check_used(request("one/demo", "two/demo"), elements))
    assert error.reason == "ambiguous_source" and "one/demo and two/demo" in error.message
    error = refused(lambda: settings_of(request("a-b", "a_b"), 1, "record"))
    assert error.reason == "ambiguous_source" and "DIB_REPOREF_a_b" in error.message
    assert settings_of(request("b", "a/b"), 1, "record")["DIB_REPOLOCATION_b"] == "/sources/b"


def test_a_branch_counts_as_the_commit_that_it_is(
    elements: dict[str, str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = tmp_path / "origin"
    for argv in (
        ["git", "init", "-q", "-b", "main", str(origin)],
        [
            "git",
            "-C",
            str(origin),
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@x",
            "commit",
            "-q",
            "--allow-empty",
            "-mx",
        ],
        ["git", "-C", str(origin), "-c", "user.name=x", "-c", "user.email=x@x", "tag", "-a", "-mx", "1.0"],
    ):
        subprocess.run(argv, check=True)
    done = subprocess.run(["git", "-C", str(origin), "rev-parse", "HEAD"], capture_output=True, check=True)
    commit, real = done.stdout.decode().strip(), _dib_repositories._command.run
    asked: list[list[str]] = []

    def run(argv: list[str], **more: t.Any) -> t.Any:
        asked.append(argv)
        assert more["environment"]["GIT_ALLOW_PROTOCOL"] == "http:https:git"
        more["environment"].pop("GIT_ALLOW_PROTOCOL")
        return real([word.replace("https://example.org", str(tmp_path)) for word in argv], **more)

    monkeypatch.setattr(_dib_repositories._command, "run", run)
    says(
        elements,
        f"demo git /opt/demo https://example.org/origin main\npinned git /p https://example.org/p {OTHER}\n"
        "tagged git /t https://example.org/origin 1.0\ngiven git /g https://example.org/g\n",
    )
    commits, warnings = floating(request("given"), elements, {})
    assert (commits, warnings) == ({"demo": commit, "tagged": commit}, [])
    assert settings_of(request(), 1, "record", commits)["DIB_REPOREF_demo"] == commit
    asked.clear()
    assert floating(request("given"), elements, commits) == (commits, []) and asked == []
    says(elements, "demo git /opt/demo https://example.org/origin gone\n")
    error = refused(lambda: floating(request(), elements, {}))
    assert error.reason == "no_such_ref" and "gone of https://example.org/origin" in error.message


@pytest.mark.parametrize(
    "line",
    [
        "demo git /opt/demo ext::sh${IFS}-c${IFS}touch /opt main",
        "demo git /opt/demo /srv/secret main",
        "demo git /opt/demo ssh://git@example.org/x main",
        "demo git /opt/demo https://example.org/$WHERE main",
        "demo git /opt/demo https://example.org/x *",
        "demo git /opt/demo https://example.org/x --upload-pack=x",
        "demo tar /opt/demo https://example.org/x.tar.gz .",
        "demo file /opt/demo https://example.org/x",
    ],
)
def test_what_cannot_be_told_is_said(elements: dict[str, str], line: str) -> None:
    """An element is a stranger's: nothing of it is asked with our rights."""
    says(elements, line + "\n")
    commits, warnings = floating(request(), elements, {})
    if "ext::" not in line:
        assert len(warnings) == 1 and "The element demo fetches demo" in warnings[0]
    assert commits == {} and floating(request(NO_SOURCE_REPOSITORIES="1"), elements, {}) == ({}, [])


def git(*argv: str) -> str:
    who = ["-c", "user.name=x", "-c", "user.email=x@x", "-c", "protocol.file.allow=always"]
    return subprocess.run(["git", *who, *argv], check=True, capture_output=True, text=True).stdout.strip()


def test_a_worktree(tmp_path: pathlib.Path) -> None:
    """What it is cloned from is the repository that it belongs to."""
    main, tree = str(tmp_path / "main"), str(tmp_path / "tree")
    git("init", "-q", main)
    git("-C", main, "commit", "-q", "--allow-empty", "-mx")
    git("-C", main, "worktree", "add", "-q", tree)
    source = Source("x", tree, git("-C", tree, "rev-parse", "HEAD"))
    assert binds_of(ImageRequest("x", "dib", sources=(source,)), {}) == {"/sources/x": f"{main}/.git"}
    git("clone", "-q", f"{main}/.git", str(tmp_path / "clone"))


def test_objects_of_others(tmp_path: pathlib.Path) -> None:
    """A clone of a clone; and what is no such folder is never shown to a build."""
    one, two, three = (str(tmp_path / name) for name in ("one", "two", "three"))
    git("init", "-q", one)
    git("-C", one, "commit", "-q", "--allow-empty", "-mx")
    git("clone", "-q", "--shared", one, two)
    git("clone", "-q", "--shared", two, three)
    binds = binds_of(ImageRequest("x", "dib", sources=(Source("x", three, COMMIT),)), {})
    assert {f"{one}/.git/objects", f"{two}/.git/objects"} < set(binds)
    for line in ("../../../one/.git/objects", "/etc", "/gone/objects"):
        pathlib.Path(three, ".git/objects/info/alternates").write_text(line + "\n")
        error = refused(lambda: binds_of(ImageRequest("x", "dib", sources=(Source("x", three, COMMIT),)), {}))
        assert error.reason == "bad_source" and line in error.message and "git repack" in error.message
