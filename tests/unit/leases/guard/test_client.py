# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client believes no more of an answer than its form allows, and gives ssh no wrong arguments."""

from __future__ import annotations

import json
import pathlib
import stat
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases import _guard_client
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_client import Guard
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard_key import (
    make_key,
    read_public_key,
    remove_key,
)

GUARD = {"host": "te.example.org", "port": 22, "user": "te-guard", "te": "te1"}
FILES = {"key_file": "/keys/pool", "known_hosts": "/keys/known"}


def reason(call: t.Callable[[], t.Any]) -> str:
    with pytest.raises(DistrogateError) as caught:
        call()
    assert caught.value.message.isprintable()
    return caught.value.reason


@pytest.fixture
def answering(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., Guard]:
    """A guard whose ssh is a script."""

    def make(script: str, timeout: float = 60) -> Guard:
        program = tmp_path / "ssh"
        program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {tmp_path}/arguments\n{script}\n")
        program.chmod(0o755)
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        monkeypatch.setattr(_guard_client._command, "base_environment", lambda: environment)
        monkeypatch.setenv("PATH", environment["PATH"])
        return Guard({**GUARD, **FILES}, timeout)

    return make


def no(**answer: t.Any) -> str:
    """The script of a guard that says no."""
    return f"echo '{json.dumps({'ok': False, **answer})}'; exit 1"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (no(reason="lease_ended", msg="x", fence=9), "lease_ended"),
        (no(reason="fence_behind", msg="x"), "guard_bad_answer"),
        (no(reason="no_space", msg="\x1b[2J"), "guard_refused"),
        (no(reason="A b", msg="x"), "guard_bad_answer"),
        ("echo '{\"ok\": true}'; exit 1", "guard_bad_answer"),
        ("echo '{\"ok\": 1}'", "guard_bad_answer"),
        ("echo hello", "guard_bad_answer"),
        ("echo '[]'", "guard_bad_answer"),
        ("head -c 200000 /dev/zero | tr '\\0' '['", "guard_bad_answer"),
        ("yes", "guard_bad_answer"),
        ("echo 'connect to host: No route' >&2; exit 255", "guard_unreachable"),
        ("exit 0", "guard_unreachable"),
        ("yes x >&2 & sleep 0.2; kill $!; exit 255", "guard_unreachable"),
        ("echo 'te-guard@x: Permission denied (publickey).' >&2; exit 255", "guard_refused"),
    ],
)
def test_answers(answering: t.Any, script: str, expected: str) -> None:
    assert reason(lambda: answering(script).renew(60, "/keys/a")) == expected


def test_a_guard_that_does_not_answer(answering: t.Any) -> None:
    assert reason(lambda: answering("sleep 600", timeout=0.5).renew(60, "/keys/a")) == "guard_unreachable"


def test_arguments(answering: t.Any, tmp_path: pathlib.Path) -> None:
    guard = answering("echo '{\"ok\": true}'")
    guard.image("root disk; id", str(tmp_path / "ssh"), "/keys/50% of $HOME/a")
    given = (tmp_path / "arguments").read_text().splitlines()
    assert given[-3:-1] == ["--", "te.example.org"]
    assert given[-1].startswith("te te1 image 'root disk; id' ")
    assert 'IdentityFile="/keys/50%% of $HOME/a"' in given
    assert "ControlPath=none" in given and "IdentityAgent=none" in given


@pytest.mark.parametrize(
    "changes", [{"host": "-oProxyCommand=id"}, {"host": "a b"}, {"host": ""}, {"user": "-l"}, {"port": 0}]
)
def test_bad_guards(changes: dict[str, t.Any]) -> None:
    assert reason(lambda: Guard({**GUARD, **FILES, **changes})) == "bad_guard"


@pytest.mark.parametrize("path", ['/a"b', "/a\nb", "/${HOME}/a", "a"])
def test_bad_paths(path: str) -> None:
    with pytest.raises(DistrogateError):
        Guard({**GUARD, **FILES}).renew(60, path)


def test_keys(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "lease.key")
    public = make_key(path)
    for name in (path, f"{path}.pub"):
        assert stat.S_IMODE(pathlib.Path(name).stat().st_mode) == 0o600
    said = subprocess.run(["ssh-keygen", "-y", "-f", path], capture_output=True, text=True, check=True).stdout
    assert said.split()[:2] == public.split()[:2]
    assert read_public_key(path) == public
    assert make_key(path) != public
    remove_key(path)
    remove_key(path)
    assert not list(tmp_path.iterdir())
