# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A long module: what a person sees meanwhile, and that it ends with its playbook."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest

from ansible_collections.distrogate.ci.tests.unit.core.people import gone

TARGET = pathlib.Path(__file__).resolve().parents[2] / "integration/targets/long_action"
COLLECTIONS = TARGET.parents[3] / ".venv/collections"
_LATE = 120  # seconds until a test gives up; nothing is measured


class Playbook:
    """One that calls the module once, on this machine."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_LIBRARY": str(TARGET / "library"),
            "ANSIBLE_ACTION_PLUGINS": str(TARGET / "action_plugins"),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_ASYNC_DIR": str(folder / "async"),
        }

        (folder / "ansible.cfg").touch()

    def start(self, *options: str, **arguments: t.Any) -> subprocess.Popen[str]:
        task = {"name": "work", "long_fake": arguments}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}
        (self.folder / "play.yml").write_text(json.dumps([play]))
        argv = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), str(self.folder / "play.yml")]
        return subprocess.Popen(
            [*argv, *options],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *options: str, **arguments: t.Any) -> list[str]:
        """The lines of the module."""
        with self.start(*options, **arguments) as process:
            output = process.communicate(timeout=_LATE)[0]
        assert process.returncode == 0, output
        return [line for line in output.splitlines() if line.startswith("[localhost] long_fake: ")]

    def left(self) -> list[str]:
        folders = [self.folder / name for name in ("remote", "async")]
        return [name for folder in folders if folder.exists() for name in os.listdir(folder)]


@pytest.fixture
def playbook(tmp_path: pathlib.Path) -> Playbook:
    return Playbook(tmp_path)


def test_lines_are_shown_while_it_works(playbook: Playbook) -> None:
    says = ["first sesame\x1b[2J", "second", "third"]
    lines = playbook.run(says=says, seconds=9, password="sesame")
    # Not more than one in five seconds, and the last one.
    assert lines[0] == "[localhost] long_fake: first ********?[2J: 1 of 3 (33 %)"
    assert lines[-1] == "[localhost] long_fake: third: 3 of 3 (100 %)"
    assert len(lines) <= 3 and playbook.left() == []


def test_what_is_over_at_once_says_nothing_in_check_mode(playbook: Playbook) -> None:
    assert playbook.run("--check", says=["first"], seconds=1) == []
    assert playbook.left() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_with_its_playbook(playbook: Playbook, number: signal.Signals) -> None:
    pids = playbook.folder / "pids"
    with playbook.start(pids=str(pids), timeout=_LATE) as process:
        numbers: list[int] = []
        try:
            end = time.monotonic() + _LATE
            while time.monotonic() < end and process.poll() is None and len(numbers) < 2:
                time.sleep(0.05)
                numbers = [int(word) for word in pids.read_text().split()] if pids.exists() else []
            assert len(numbers) == 2
            process.send_signal(number)
            assert all(gone(pid, _LATE) for pid in numbers)
        finally:
            for pid in numbers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=_LATE)
    end = time.monotonic() + _LATE
    while playbook.left() and time.monotonic() < end:
        time.sleep(0.05)
    assert playbook.left() == []
