# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stages side by side, with real playbooks and stages of a site's own: at once, cancelled, well informed."""

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

from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.plugin_utils._group_checks import reads_of, refusal
from ansible_collections.distrogate.ci.plugins.plugin_utils._screen_output import BEGUN
from ansible_collections.distrogate.ci.plugins.plugin_utils._side_by_side import Child, run_all
from ansible_collections.distrogate.ci.tests.unit.core.people import gone

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
_LATE = 120  # seconds until a test gives up; nothing is measured
BEGIN = (
    "{name: Begin, distrogate.ci.stage: {run_dir: '{{ distrogate_run_dir }}', stage: NAME, state: started}}"
)
END = "{name: End, distrogate.ci.stage: {run_dir: '{{ distrogate_run_dir }}', stage: NAME, state: success}}"
# Each waits until the other one has come, which it never would if they ran one after the other.
WAIT = "{name: Wait, ansible.builtin.wait_for: {path: '{{ distrogate_run_dir }}/PATH', timeout: 300}}"
COPY = (
    "{name: Come, ansible.builtin.copy: {dest: '{{ distrogate_run_dir }}/PATH', content: '', mode: '0600'}}"
)
TOUCH = COPY.replace("PATH", "at-NAME")
MEET = WAIT.replace("PATH", "at-OTHER")
ROLES: dict[str, list[t.Any]] = {
    "left": [BEGIN, TOUCH, MEET.replace("OTHER", "right"), END],
    "right": [BEGIN, TOUCH, MEET.replace("OTHER", "left"), END],
    "fails": [
        BEGIN,
        WAIT.replace("PATH", "pid"),
        "{name: Fail, ansible.builtin.fail: {msg: It is broken.}}",
    ],
    "sleeps": [
        BEGIN,
        {
            "name": "Sleep",
            "ansible.builtin.command": {
                "argv": ["sh", "-c", "echo $$ > pid.new; mv pid.new pid; exec sleep 600"],
                "chdir": "{{ distrogate_run_dir }}",
            },
        },
        END,
    ],
    "tells": [
        BEGIN,
        {
            "name": "Tell",
            "ansible.builtin.copy": {
                "dest": "{{ distrogate_run_dir }}/told",
                "mode": "0600",
                "content": "{{ [given, secret, hostvars.elsewhere.x] | to_json }}",
            },
        },
        END,
    ],
}


class World:
    """A site with a collection of its own, a run directory, and a playbook with one group."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        roles = folder / "collections/ansible_collections/acme/site/roles"
        for name, tasks in ROLES.items():
            (roles / name / "tasks").mkdir(parents=True)
            words = [task if isinstance(task, str) else json.dumps(task) for task in tasks]
            text = "".join(f"- {word}\n" for word in words).replace("NAME", name)
            (roles / name / "tasks/main.yml").write_text(f"---\n{text}")
        python = f"ansible_python_interpreter={sys.executable}"
        hosts = f"[builders]\nlocalhost ansible_connection=local {python}\n[others]\nelsewhere x=7\n"
        (folder / "hosts").write_text(hosts)
        (folder / "ansible.cfg").touch()
        self.run = Run(str(folder / "run"))
        self.run.create({"queue": [{"project": "a"}]})
        collections = [folder / "collections", REPOSITORY / ".venv/collections"]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, collections)),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
            "ANSIBLE_NOCOLOR": "1",
        }

    def start(self, *stages: str, options: t.Sequence[str] = (), **more: t.Any) -> subprocess.Popen[str]:
        group = {"run_dir": self.run.path, "stages": [f"acme.site.{stage}" for stage in stages], **more}
        task = {"name": "Group", "distrogate.ci.stage_group": group}
        play = {"hosts": "builders", "gather_facts": False, "tasks": [task]}
        (self.folder / "play.yml").write_text(json.dumps([play]))
        program = str(pathlib.Path(sys.executable).parent / "ansible-playbook")
        return subprocess.Popen(
            [program, "-i", str(self.folder / "hosts"), str(self.folder / "play.yml"), *options],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def verdicts(self) -> dict[str, tuple[str, str]]:
        return {name: (stage["verdict"], stage["cancelled_by"]) for name, stage in self.run.stages().items()}

    def secrets(self) -> list[pathlib.Path]:
        """Walked by os, which does not mind that a folder is gone meanwhile."""
        found = [
            pathlib.Path(top, name)
            for top, _folders, names in os.walk(self.folder / "local")
            for name in names
        ]
        return [path for path in found if path.name.endswith("variables.yml")]


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    return World(tmp_path)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        output = process.communicate(timeout=_LATE)[0]
    return process.returncode, output


def test_at_once(world: World) -> None:
    status, output = ended(world.start("left", "right"))
    assert status == 0, output
    assert world.verdicts() == {"left": ("success", ""), "right": ("success", "")}
    assert "[acme.site.left] " in output and "[acme.site.right] " in output
    assert world.secrets() == []


def test_the_first_failure_ends_the_others(world: World) -> None:
    status, output = ended(world.start("sleeps", "fails"))
    assert status == 2, output
    assert world.verdicts() == {"fails": ("failure", ""), "sleeps": ("cancelled", "fails")}
    assert gone(int((world.folder / "run/pid").read_text()), _LATE)
    assert "Stage fails failed: It is broken." in output and "sleeps was cancelled by fails" in output
    assert os.listdir(world.folder / "run/under_way") == [".lock"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_all_end_with_the_playbook(world: World, number: signal.Signals) -> None:
    process = world.start("sleeps", "tells", options=["-e", "given=1", "-e", "secret=2"])
    pid = world.folder / "run/pid"
    end = time.monotonic() + _LATE
    while not pid.exists() and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(number)
    ended(process)
    assert gone(int(pid.read_text()), _LATE)
    while world.run.stage("sleeps") is None and time.monotonic() < end:
        time.sleep(0.05)
    assert world.verdicts()["sleeps"] == ("cancelled", "signal")


def test_what_a_child_is_given(world: World) -> None:
    """Extra variables of every form, a vaulted one, the inventory; nothing of it on a command line."""
    vault = world.folder / "vault"
    vault.write_text("key\n")
    program = pathlib.Path(sys.executable).parent / "ansible-vault"
    argv = [str(program), "encrypt_string", "--vault-id", f"v@{vault}", "hidden treasure", "--name", "secret"]
    done = subprocess.run(argv, env=world.environment, check=True, capture_output=True, text=True)
    (world.folder / "secret.yml").write_text(done.stdout)
    options = [
        "--vault-id",
        f"v@{vault}",
        "-e",
        f"@{world.folder}/secret.yml",
        "-e",
        '{"given": ["a b", {"c": 1}]}',
    ]
    process = world.start("tells", options=options)
    lines: set[str] = set()
    found: set[int] = set()
    while process.poll() is None:
        for path in world.secrets():
            with contextlib.suppress(FileNotFoundError):  # it may be gone meanwhile
                found |= {path.stat().st_mode & 0o7777, path.parent.stat().st_mode & 0o7777}
                assert "hidden treasure" not in path.read_text()
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.add(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        time.sleep(0.02)
    status, output = ended(process)
    assert status == 0, output
    assert json.loads((world.folder / "run/told").read_text()) == [["a b", {"c": 1}], "hidden treasure", 7]
    assert found == {0o600, 0o700}
    children = [line for line in lines if "distrogate.ci.stage" in line]
    assert children and not any("a b" in line for line in children)
    assert not any("hidden treasure" in line for line in lines if "encrypt_string" not in line)
    assert world.secrets() == []


def test_variables_stay_until_all_have_read_them(tmp_path: pathlib.Path) -> None:
    """A child that warns of something first has not read them yet."""
    go = tmp_path / "go"
    code = f"""if True:
        import os, time
        print('[WARNING]: early', flush=True)
        while not os.path.exists({str(go)!r}):
            time.sleep(0.02)
        print({BEGUN!r}, flush=True)
        print('late', flush=True)
    """
    shown: list[str] = []
    looks, gone_when = [], []

    def wait(_seconds: float) -> bool:
        time.sleep(0.02)
        if shown:
            looks.append(len(gone_when))
            if len(looks) == 3:
                go.touch()
        return False

    argv = [sys.executable, "-c", code]
    child = Child("one", argv, dict(os.environ), lambda _name, text: shown.append(text))
    run_all([child], wait, lambda: gone_when.append(go.exists()))
    assert shown == ["[WARNING]: early", "late"]
    assert looks[:3] == [0, 0, 0] and gone_when in ([], [True])  # it may have ended by then


def test_what_a_replay_took_over(world: World) -> None:
    """It is no template, wins over the inventory, and extra variables win over it."""
    path = world.folder / "taken.yml"
    path.write_text("given: !unsafe '{{ 1 + 1 }}'\nsecret: of then\n")
    status, output = ended(world.start("tells", options=["-e", "secret=2"], variables_file=str(path)))
    assert status == 0, output
    assert json.loads((world.folder / "run/told").read_text()) == ["{{ 1 + 1 }}", "2", 7]


def test_who_may_stand_in_a_group() -> None:
    assert "publish_test" in reads_of("install_test")
    assert refusal(["install_test", "system_test"]) == ""
    assert "Put publish_test before it" in refusal(["publish_test", "install_test"])
    assert "each stage once" in refusal(["lint", "lint"]) and "at least one" in refusal([])
    assert reads_of("../../roles/lint") == [] and reads_of("acme.site.lint") == []
