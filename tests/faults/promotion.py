# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site that promotes bundles of all types for real: hosts, keys, a registry, a git repository, a store.

There are two bundles, first and second. first is promoted; second follows, or
first is rolled back to. What readers of the channel find is looked at in each
place by itself, and not by what promotion says.
"""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._statements import verify
from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import end_descendants
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Delete, open_store
from ansible_collections.distrogate.ci.tests.faults.reading import read_apt, read_rpm
from ansible_collections.distrogate.ci.tests.tools.registry import Registry
from ansible_collections.distrogate.ci.tests.tools.registry_images import HELM, INDEX, Pusher

_TREE = pathlib.Path(__file__).parents[2]
_FIXTURE = _TREE / "tests/integration/targets/bundle/files/fixture.sh"
_CALLBACKS = pathlib.Path(__file__).parent / "callbacks"
RUNS = {"first": "1.0", "second": "2.0"}
REPOSITORIES = ("cloud/nova", "cloud/glance", "cloud/chart")
Json = dict[str, t.Any]


def _states(version: str) -> t.Iterator[Json]:
    """What the repositories had that the packages were built and tested with."""
    row = {"name": "libc6", "package_version": version, "architecture": "amd64"}
    for kind in ("apt_state", "rpm_state"):
        sha256 = hashlib.sha256(f"{kind} {version}".encode()).hexdigest()
        yield {"type": kind, "name": "base", "packages": [{**row, "sha256": sha256}]}


class Promotions:
    """The site. ``store`` is the address of its store."""

    def __init__(self, folder: pathlib.Path, store: str) -> None:
        self.folder = folder
        self.store = store
        self.registry = Registry(folder / "registry")
        self.digests: dict[str, str] = {}

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
            self._git("init", "--quiet", "--bare", str(bare))
            self._git("clone", "--quiet", str(bare), str(work))
        self._git("-C", str(work), *who, "commit", "--quiet", "--allow-empty", "-m", f"Hello {version}")
        self._git("-C", str(work), "push", "--quiet", "origin", "HEAD")
        commit, tree = (self._git("-C", str(work), "rev-parse", name) for name in ("HEAD", "HEAD^{tree}"))
        return {
            "type": "git_commit",
            "name": "hello",
            "url": f"file://{bare}",
            "commit": commit,
            "tree": tree,
            "subject": f"Hello {version}",
        }

    def _git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], check=True, capture_output=True, text=True, env=self._environment()
        ).stdout.strip()

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

    def digest(self, run: str) -> str:
        """That of the bundle of a run."""
        return next(digest for digest, name in self.digests.items() if name == run)

    def has(self) -> str | None:
        """The run whose bundle the channel points to."""
        with open_store(self.store) as store:
            pointer = store.get("channel/latest")
            return None if pointer is None else self.digests[pointer.value["digest"]]

    def found(self) -> dict[str, str]:
        """The run whose artifacts a reader finds in each place."""
        versions = {version: run for run, version in RUNS.items()}
        places = {
            "apt": read_apt(self._fetch("apt"), "bookworm"),
            "rpm": read_rpm(self._fetch("rpm")),
        }
        found = {
            kind: versions[max(label.partition("=")[2].partition("-")[0] for label in labels)]
            for kind, labels in places.items()
        }
        for repository in REPOSITORIES:
            found[repository] = self._image(repository)
        image = self.folder / "release/files/cloud/latest/cloud.qcow2"
        found["file"] = next(run for run in RUNS if image.read_bytes().startswith(run.encode()))
        return found

    def _fetch(self, kind: str) -> t.Callable[[str], bytes]:
        return lambda name: (self.folder / "release" / kind / name).read_bytes()

    def _image(self, repository: str) -> str:
        tag = self.pusher.tagged(repository, "latest")
        for run in RUNS:
            bundle = json.loads((self.folder / run / "bundle.json").read_text())
            for artifact in bundle["artifacts"]:
                if artifact.get("repository") == repository and f"sha256:{artifact['sha256']}" == tag:
                    return run
        raise AssertionError(f"{repository}:latest is {tag}, which is of no bundle")

    def _attached(self, repository: str) -> list[str]:
        """The promotions that are attached to what a reader of the channel gets, in their order."""
        tag = str(self.pusher.tagged(repository, "latest")).replace(":", "-")
        status, _headers, said = self.pusher.ask("GET", f"/v2/{repository}/manifests/{tag}", Accept=INDEX)
        assert status == 200, f"nothing is attached to {repository}: {said!r}"
        rows = json.loads(said)["manifests"]
        names = [str(row["annotations"]["org.opencontainers.image.title"]) for row in rows]
        assert len(names) == len(set(names)), "nothing is attached twice"
        return sorted(name for name in names if name.startswith("promotion-"))

    def check(self) -> str:
        """One bundle everywhere, nothing left; returns its run."""
        run = self.has()
        found = self.found()
        assert run is not None
        assert set(found.values()) == {run}, f"the channel has {run}, readers find {found}"
        with open_store(self.store) as store:
            assert store.list("journal/") == []
            assert [entry for entry in store.list("promotion/") if "/parts/" in entry.key] == []
            rows = [entry.value for entry in store.list("history/latest/")]
            tags = {entry.key.rpartition("/")[2]: entry.value for entry in store.list("tag/git_publish/")}
            verify("the promotion", rows[-1]["statement"], KnownKeys(store).keys())
        assert [row["serial"] for row in rows] == list(range(1, len(rows) + 1))
        for repository in REPOSITORIES:
            assert self._attached(repository)[-1].startswith(f"promotion-latest-{len(rows):06d}-")
        for version, tag in tags.items():
            commit = self._git("-C", str(self.folder / "hello.git"), "rev-parse", f"{version}^{{commit}}")
            assert commit, tag
        return run
