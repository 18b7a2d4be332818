# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local profile on this machine: its folder, its servers, and the playbooks run with it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import remove_folder
from ansible_collections.distrogate.ci.tests.demo import services
from ansible_collections.distrogate.ci.tests.tools.ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]


class Site:
    """Everything below ``root``; ``rootfs``, or DISTROGATE_ROOTFS, may be shared with other sites here."""

    def __init__(self, root: Path, rootfs: Path | None = None) -> None:
        self.root = root
        self.rootfs = rootfs or Path(os.environ.get("DISTROGATE_ROOTFS") or root / "rootfs").resolve()
        self.ports = [free_port(), free_port()]
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
            "DISTROGATE_ROOT": str(root),
            "DISTROGATE_ROOTFS": str(self.rootfs),
            "DISTROGATE_MIRROR1_PORT": str(self.ports[0]),
            "DISTROGATE_MIRROR2_PORT": str(self.ports[1]),
            "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "distrogate.ci.pipeline",
        }

    def playbook(
        self, name: str, *options: str, inventory: Path = REPOSITORY / "inventories/local", **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the collection and show what it says; the output is kept, too."""
        path = self.root / "variables.json"
        path.write_text(json.dumps(variables))
        argv = [str(REPOSITORY / ".venv/bin/ansible-playbook"), "-i", str(inventory)]
        argv += [f"distrogate.ci.{name}", "-e", f"@{path}", *options]
        process = subprocess.Popen(
            argv,
            env=self.environment,
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        lines = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
        return subprocess.CompletedProcess(argv, process.wait(), "".join(lines))

    def runs(self) -> list[Path]:
        """All run directories, oldest first."""
        folder = self.root / "runs"
        found = folder.iterdir() if folder.is_dir() else ()
        return sorted(
            (path for path in found if (path / "run.json").exists()), key=lambda p: p.stat().st_mtime_ns
        )

    @contextlib.contextmanager
    def mirrors(self) -> Any:
        """The two rsync daemons, while the body runs."""
        with contextlib.ExitStack() as stack:
            for number, port in enumerate(self.ports, 1):
                folder = self.root / "mirrors"
                daemon = services.rsync_daemon(
                    folder / f"mirror{number}.conf", port, folder / f"mirror{number}.log"
                )
                stack.enter_context(daemon)
            yield

    def mirror(self, number: int) -> Path:
        """The folder of a mirror."""
        return self.root / "mirrors" / f"mirror{number}"

    def remove(self) -> None:
        """Leave nothing behind."""
        for name in ("proof-apt", "proof-dnf", "te", "rootfs", "runs"):
            if (self.root / name).is_dir():
                for folder in [*(self.root / name).rglob("upper")] if name in ("te", "runs") else []:
                    remove_folder(str(folder.parent))
                remove_folder(str(self.root / name))
        if (self.root / "keys/gnupg").is_dir():
            subprocess.run(
                ["gpgconf", "--homedir", str(self.root / "keys/gnupg"), "--kill", "all"], check=False
            )
        remove_folder(str(self.root))


def shared_rootfs() -> Path:
    """Root filesystems for what brings none of its own: those named, or the demo's, or the tests'."""
    named, demo = os.environ.get("DISTROGATE_ROOTFS"), REPOSITORY / ".demo/rootfs"
    return Path(named) if named else demo if demo.is_dir() else REPOSITORY / ".cache/rootfs"


def stage_rows(run: Path) -> list[dict[str, Any]]:
    """What the stages of a run wrote, in order."""
    records = [json.loads(path.read_text()) for path in (run / "stages").glob("*.json")]
    return sorted(records, key=lambda record: record["started_ns"])


def say(text: str) -> None:
    """A heading."""
    print(f"\n# {text}", flush=True)


def timed(title: str, call: Any, *arguments: Any) -> Any:
    """Do something that is no stage, with a line of its own."""
    began = time.monotonic()
    result = call(*arguments)
    print(f"done     {title:40} {time.monotonic() - began:7.1f} s", flush=True)
    return result


def must(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """End with the playbook's status unless it was 0."""
    if done.returncode:
        sys.exit(done.returncode)
    return done
