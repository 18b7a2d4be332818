# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module in a child of the action's process: its result, its failures, its end."""

from __future__ import annotations

import ast
import errno
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import types
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._progress import Progress
from ansible_collections.distrogate.ci.plugins.plugin_utils import _near_job
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_job import NearJob
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_module import _PURE, NearModule
from ansible_collections.distrogate.ci.tests.unit.core.people import gone

ROOT = pathlib.Path(__file__).resolve().parents[3]
NAME = "distrogate.ci.run_files"
PLACE = "ansible_collections.distrogate.ci.plugins.modules.run_files"
Main = t.Callable[[], None]


class Action:
    """What a job asks of the action: its task."""

    def __init__(self) -> None:
        self._task = types.SimpleNamespace(action=NAME, resolved_action=NAME, args={})

    def _update_module_args(self, _name: str, _arguments: dict[str, t.Any], _variables: t.Any) -> None:
        pass


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[[Main], NearJob]]:
    """A job whose module does what it is given."""
    monkeypatch.setattr(_near_job.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    started = []

    def start(main: Main) -> NearJob:
        monkeypatch.setitem(sys.modules, PLACE, t.cast("types.ModuleType", types.SimpleNamespace(main=main)))
        started.append(NearJob(Action(), {}))
        return started[-1]

    yield start
    for one in started:
        one.end()
        one.clean()
    assert os.listdir(tmp_path) == []


def result_of(job: NearJob) -> dict[str, t.Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = job.look().result
        if found is not None:
            value: dict[str, t.Any] = json.loads(found)
            return value
        time.sleep(0.01)
    raise AssertionError("no result")


def test_the_result_is_what_the_module_printed(job: t.Callable[[Main], NearJob]) -> None:
    def main() -> None:
        print('noise\n{"changed": true}')
        sys.exit(0)

    running = job(main)
    assert result_of(running) == {"changed": True}
    assert running.look().result == '{"changed": true}'  # it stays


def test_where_it_stands(job: t.Callable[[Main], NearJob], tmp_path: pathlib.Path) -> None:
    go = tmp_path.parent / f"{tmp_path.name}.go"

    def main() -> None:
        given = json.loads(sys.modules["ansible.module_utils.basic"]._ANSIBLE_ARGS)  # type: ignore[attr-defined]
        with Progress(given["ANSIBLE_MODULE_ARGS"]["progress_file"]) as progress:
            progress.say("half way")
            while not go.exists():
                time.sleep(0.01)
        print('{"changed": false}')

    running = job(main)
    record = None
    while record is None:
        record = running.look().record
    go.touch()
    assert record["text"] == "half way"
    assert result_of(running) == {"changed": False}
    go.unlink()


def test_a_module_that_breaks_says_why(job: t.Callable[[Main], NearJob]) -> None:
    def main() -> None:
        print("before")
        raise RuntimeError("sesame")

    found = result_of(job(main))
    assert found["failed"] and found["data"] == "before\n" and "RuntimeError: sesame" in found["stderr"]


def test_a_module_that_is_killed(job: t.Callable[[Main], NearJob]) -> None:
    found = result_of(job(lambda: os.kill(os.getpid(), signal.SIGKILL)))
    assert found["reason"] == "module_lost" and "SIGKILL" in found["msg"]


@pytest.mark.parametrize("obeys", [True, False])
def test_its_end_is_that_of_its_children(
    obeys: bool,
    job: t.Callable[[Main], NearJob],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its child does not obey; it may, or not."""
    monkeypatch.setattr(_near_job, "GRACE", 0.2)
    told = tmp_path.parent / f"{tmp_path.name}.pids"

    def main() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen(["sleep", "300"])
        signal.signal(signal.SIGTERM, signal.SIG_DFL if obeys else signal.SIG_IGN)
        told.write_text(f"{os.getpid()} {child.pid} ")
        time.sleep(300)

    running = job(main)
    while not told.exists() or not told.read_text().endswith(" "):
        time.sleep(0.01)
    numbers = [int(word) for word in told.read_text().split()]
    running.end()
    assert all(gone(number) for number in numbers)
    told.unlink()


def test_an_old_system_is_asked_now_and_then(
    job: t.Callable[[Main], NearJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_pid: int) -> int:
        raise OSError(errno.ENOSYS, "no such call")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    running = job(lambda: print('{"changed": true}'))
    assert running.descriptor is None and running._module.wait(60)
    assert result_of(running) == {"changed": True}


def test_nothing_of_ours_is_obeyed_or_changed() -> None:
    """Its signals, its output and its session are its own; without a session, it ends with the terminal."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        running = NearModule(NAME, json.dumps({"ANSIBLE_MODULE_ARGS": {"run_dir": "/none"}}), session=False)
        running.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
    output = running.output()
    running.close()
    assert output["rc"] == 1 and json.loads(output["stdout"])["reason"] == "no_run"


def imports(path: pathlib.Path, seen: set[pathlib.Path]) -> t.Iterator[str]:
    """All that a file imports, and what that imports, wherever it stands."""
    if path in seen:
        return
    seen.add(path)
    for node in ast.walk(ast.parse(path.read_text())):
        names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
        for name in names:
            yield name
            ours = name.removeprefix("ansible_collections.distrogate.ci.").replace(".", "/")
            other = ROOT / f"{ours}.py"
            if other.is_file():
                yield from imports(other, seen)


@pytest.mark.parametrize("name", sorted(_PURE))
def test_it_needs_nothing_but_python(name: str) -> None:
    found = {word.split(".")[0] for word in imports(ROOT / f"plugins/modules/{name}.py", set())}
    assert found - set(sys.stdlib_module_names) == {"ansible", "ansible_collections"}
