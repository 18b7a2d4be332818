# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site that promotes bundles of all types for real: hosts, keys, a registry, a git repository, a store.

There are two bundles, first and second. first is promoted; second follows, or
first is rolled back to.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import end_descendants
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, open_store
from ansible_collections.distrogate.ci.tests.faults.promotion_readers import RUNS, Readers, git
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_images import HELM, Pusher

_TREE = pathlib.Path(__file__).parents[2]
_FIXTURE = _TREE / "tests/integration/targets/bundle/files/fixture.sh"
_CALLBACKS = pathlib.Path(__file__).parent / "callbacks"
Json = dict[str, t.Any]


def _states(version: str) -> t.Iterator[Json]:
    """What the repositories had that the packages were built and tested with."""
    row = {"name": "libc6", "package_version": version, "architecture": "amd64"}
    for kind in ("apt_state", "rpm_state"):
        sha256 = hashlib.sha256(f"{kind} {version}".encode()).hexdigest()
        yield {"type": kind, "name": "base", "packages": [{**row, "sha256": sha256}]}


class Promotions(Readers):
    """The site. ``store`` is the address of its store."""

    def __init__(self, folder: pathlib.Path, store: str) -> None:
        self.folder = folder
        self.store = store
        self.registry = Registry(folder / "registry")
        self.digests = {}

    def __enter__(self) -> Promotions:
        self.registry.start()
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.registry.stop()
        end = ["gpgconf", "--homedir", str(self.folder / "gnupg"), "--kill", "all"]
        subprocess.run(end, check=False, capture_output=True)

    def _make(self) -> None:
        made = subprocess.run([str(_FIXTURE), str(self.folder)], check=True, capture_output=True, text=True)
        self.fingerprint = made.stdout.splitlines()[-1]
        self.pusher = Pusher(self.registry.url)
        for run, version in RUNS.items():
            self._add_artifacts(run, version)
        done = self.finish(self.play([self._seal(run) for run in RUNS]))
        assert done == 0, (self.folder / "log").read_text()
        for run in RUNS:
            self.digests[json.loads((self.folder / run / "bundle.json").read_text())["digest"]] = run

    def _add_artifacts(self, run: str, version: str) -> None:
        """A file, two images, a chart, a commit and states of repositories, beside the packages."""
        folder = self.folder / run
        record = json.loads((folder / "stages/build.json").read_text())
        image = folder / "artifacts/cloud.qcow2"
        image.write_bytes(run.encode() * 1000)
        sha256 = subprocess.check_output(["sha256sum", str(image)], text=True).split()[0]
        size = image.stat().st_size
        file = {
            "type": "qcow2",
            "name": image.name,
            "path": "artifacts/cloud.qcow2",
            "sha256": sha256,
            "size": size,
        }
        images = [
            self.pusher.image(f"cloud/{name}", None, f"{run} {name}".encode()) for name in ("nova", "glance")
        ]
        images.append(self.pusher.image("cloud/chart", None, f"{run} chart".encode(), config=HELM))
        record["artifacts"] += [file, self._commit(version), *_states(version)]
        record["artifacts"] += [{key: one[key] for key in one if key != "origin"} for one in images]
        (folder / "stages/build.json").write_text(json.dumps(record))

    def _commit(self, version: str) -> Json:
        bare, work = self.folder / "hello.git", self.folder / "hello"
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        if not bare.exists():
            git("init", "--quiet", "--bare", str(bare))
            git("clone", "--quiet", str(bare), str(work))
        git("-C", str(work), *who, "commit", "--quiet", "--allow-empty", "-m", f"Hello {version}")
        git("-C", str(work), "push", "--quiet", "origin", "HEAD")
        commit, tree = (git("-C", str(work), "rev-parse", name) for name in ("HEAD", "HEAD^{tree}"))
        return {
            "type": "git_commit",
            "name": "hello",
            "url": f"file://{bare}",
            "commit": commit,
            "tree": tree,
            "subject": f"Hello {version}",
        }

    def _environment(self) -> dict[str, str]:
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": os.devnull}
        ansible = {
            "ANSIBLE_CONFIG": str(_TREE / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "tmp/local"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "tmp/remote"),
        }
        return {**os.environ, **quiet, **ansible}

    def _seal(self, run: str) -> Json:
        options = {"run_dir": str(self.folder / run), "store": self.store}
        return {"distrogate.ci.bundle": {**options, "signing_key": str(self.folder / "ci.pem")}}

    def targets(self) -> list[Json]:
        """One of each kind."""
        signing = {"signing_key": self.fingerprint, "gnupg_home": str(self.folder / "gnupg")}
        release = self.folder / "release"

        def target(plugin: str, types: list[str], arguments: Json) -> Json:
            return {"host": "localhost", "plugin": plugin, "artifact_types": types, "arguments": arguments}

        folders = {"root": str(release / "tags"), "protocols": ["file"]}
        state = {"registry": self.registry.url, "state_folder": str(self.folder / "oci")}
        return [
            target("apt_publish", ["deb"], {**signing, "root": str(release / "apt"), "suite": "bookworm"}),
            target("rpm_publish", ["rpm"], {**signing, "root": str(release / "rpm")}),
            target("file_publish", ["qcow2"], {"root": str(release / "files"), "name": "cloud"}),
            target("oci_publish", ["oci_image", "helm_chart"], state),
            target("git_publish", ["git_commit"], folders),
        ]

    def promote(self, run: str | None, **more: t.Any) -> Json:
        """A task that promotes a run's bundle; without one it rolls back."""
        options = {
            "channel": "latest",
            "store": self.store,
            "signing_key": str(self.folder / "release.pem"),
            "policy": {"verdicts": ["install_test"], "signers": [str(self.folder / "ci.pub")]},
            "archive": str(self.folder / "archive"),
            "targets": self.targets(),
            "timeout": 60,
            **({"state": "rolled_back"} if run is None else {"run_dir": str(self.folder / run)}),
            **more,
        }
        return {"distrogate.ci.bundle_promote": options, "register": "promoted"}

    def play(
        self, tasks: list[Json], log: str = "log", death: tuple[str, int] | None = None
    ) -> subprocess.Popen[bytes]:
        """Ansible at work; with ``death`` all of it dies before or after the n-th step of the journal."""
        playbook = self.folder / f"{log}.yml"
        variables = {"ansible_python_interpreter": "/usr/bin/python3"}
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables}
        playbook.write_text(json.dumps([{**play, "tasks": tasks}]))
        command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-v", str(playbook)]
        with open(self.folder / log, "wb") as output:
            return subprocess.Popen(
                command,
                cwd=_TREE,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self._environment(), **self._dying(death)},
            )

    def _dying(self, death: tuple[str, int] | None) -> dict[str, str]:
        if death is None:
            return {}
        when = {"DISTROGATE_TEST_DEATH": f"{death[0]} {death[1]}"}
        here = {"ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "dying"}
        (self.folder / "steps").write_text("")
        return {**when, **here, "DISTROGATE_TEST_STEPS": str(self.folder / "steps")}

    def steps(self) -> list[str]:
        """The steps of the last promotion that was to die."""
        return (self.folder / "steps").read_text().splitlines()

    @contextlib.contextmanager
    def asleep(self, process: subprocess.Popen[bytes]) -> t.Iterator[int]:
        """Wait until a promotion that is to be late sleeps; the id of what sleeps. Nothing is left of it."""
        try:
            while not (rows := [row for row in self.steps() if row.startswith("asleep ")]):
                assert process.poll() is None, "it ended, and did not sleep"
                time.sleep(0.1)
            yield int(rows[0].partition(" ")[2])
        finally:
            if process.poll() is None:
                end_descendants(process.pid)
                process.kill()
                process.wait()

    def forget_dead(self) -> None:
        """Take away the lock of a process that was killed, which would end by itself some seconds later."""
        with open_store(self.store) as store:
            store.transact({}, [Delete("promotion/latest/lock")])

    def finish(self, process: subprocess.Popen[bytes]) -> int:
        return process.wait(300)

    def kill(self, process: subprocess.Popen[bytes], after: float) -> bool:
        """End it and all that it started, all at once; False when it had ended."""
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            pass
        else:
            return False
        process.send_signal(signal.SIGSTOP)  # who is stopped starts nobody
        end_descendants(process.pid)
        process.kill()
        process.wait()
        return True
