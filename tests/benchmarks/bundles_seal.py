# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bundle of 2,000 packages and 50 images: what sealing and verifying it cost in CPU seconds."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.tests.benchmarks import costs, report
from ansible_collections.distrogate.ci.tests.demo.site import REPOSITORY, say

TITLE = "Sealing and verifying a bundle"
VERDICTS = ["lint", "install_test", "system_test", "upgrade_test"]
# By name: the module, and its options beside those that all have.
TASKS: dict[str, tuple[str, dict[str, object]]] = {
    "nothing": ("ansible.builtin.stat", {"path": "/"}),
    "seal and sign": ("distrogate.ci.bundle", {}),
    "seal again": ("distrogate.ci.bundle", {}),
    "add a verdict": (
        "distrogate.ci.bundle",
        {"state": "stated", "add": [{"predicate_type": "verdict", "name": "soak", "result": "PASSED"}]},
    ),
    "verify": ("distrogate.ci.bundle_promote", {"channel": "latest", "policy": {"verdicts": VERDICTS}}),
}
CHANGED = {"seal and sign", "add a verdict", "verify"}  # a refused promotion would change nothing
BARS = {"seal and sign": 2.0, "verify": 1.0}


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much is sealed."""

    packages: int = 2000
    images: int = 50
    package_bytes: int = 4096


def make_run(root: Path, sizes: Sizes) -> None:
    """A run directory as stages leave it."""
    rng = random.Random(1)
    run = root / "run"
    for name in ("artifacts", "stages", "statements"):
        (run / name).mkdir(parents=True)
    packages, listed = [], []
    for number in range(sizes.packages):
        data = rng.randbytes(sizes.package_bytes)
        facts = {"package": f"package-{number:04}", "package_version": "1.0-1", "architecture": "amd64"}
        name = f"{facts['package']}_1.0-1_amd64.deb"
        (run / "artifacts" / name).write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        origin = {"project": f"openstack/project-{number % 100}", "commit": "1" * 40, "tree": "2" * 40}
        place = {"path": f"artifacts/{name}", "sha256": sha256, "size": len(data)}
        packages.append({"type": "deb", "name": name, **place, **facts, "origin": origin})
        facts["name"] = facts.pop("package")
        listed.append({**facts, "sha256": sha256})
    image = {"registry": "https://registry.example.org", "tag": "gate-1", "size": 200 << 20}
    image["media_type"] = "application/vnd.oci.image.manifest.v1+json"
    images = [
        {"type": "oci_image", "name": name, "repository": name, **image, "sha256": rng.randbytes(32).hex()}
        for name in (f"kolla/image-{number}" for number in range(sizes.images))
    ]
    state = {"type": "apt_state", "name": "bookworm", "packages": listed}
    change = {"project": "openstack/project-1", "branch": "main", "commit": "1" * 40, "change_id": "7"}
    _write(run / "run.json", {"created": "2026-01-01T00:00:00Z", "pipeline": "gate", "queue": [change]})
    _stage(run, "workspace", 0, facts={"projects": {"openstack/project-1": {"tree": "3" * 40}}})
    _stage(run, "build", 1, artifacts=packages)
    _stage(run, "images", 2, artifacts=images)
    _stage(run, "publish_test", 3, artifacts=[state])
    for number, name in enumerate(VERDICTS):
        _stage(run, name, 4 + number)


def _write(path: Path, value: dict[str, object]) -> None:
    path.write_text(json.dumps({"version": 1, **value}))


def _stage(run: Path, name: str, number: int, **more: object) -> None:
    record = {"stage": name, "verdict": "success", "started": "2026-01-01T00:00:00.000Z"}
    record.update(started_ns=number, seconds=1.5, inputs={}, artifacts=[], facts={}, logs=[])
    _write(run / "stages" / f"{name}.json", {**record, "message": "", "reason": "", **more})


def make_key(path: Path) -> None:
    """A key that signs."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(*form))


def cpu_of_task(root: Path, name: str) -> float:
    """CPU seconds of ansible-playbook, with all its children, for one task on this machine."""
    playbook = root / "play.json"
    module, options = TASKS[name]
    if name != "nothing":
        common = {"store": f"sqlite://{root}/store.db", "run_dir": f"{root}/run"}
        options = {**common, "signing_key": f"{root}/ci.pem", **options}
    task = {module: options, "check_mode": name == "verify"}
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    bin_folder = REPOSITORY / ".venv/bin"
    environment = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / ".venv/collections"),
    }
    argv = [str(bin_folder / "ansible-playbook"), "-i", "localhost,", "-c", "local", str(playbook)]
    argv += ["-e", f"ansible_python_interpreter={bin_folder / 'python'}"]
    began = costs.now()[1]
    done = subprocess.run(
        argv, env=environment, cwd=root, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    used = costs.now()[1] - began
    if done.returncode or f"changed={int(name in CHANGED)} " not in done.stdout:
        raise RuntimeError(f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return used


def hashing(root: Path) -> float:
    """CPU seconds of reading and digesting every file once, which is not part of the bars."""
    began = costs.now()[1]
    for path in (root / "run/artifacts").iterdir():
        sha256_file(str(path))
    return costs.now()[1] - began


def measure(root: Path, sizes: Sizes, rounds: int) -> dict[str, float]:
    """Medians of what each task costs beyond one that does nothing, and beyond hashing."""
    found: dict[str, list[float]] = {name: [] for name in (*TASKS, "hashing")}
    make_key(root / "ci.pem")
    cpu_of_task(root, "nothing")  # Python compiles what it imports
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        folder = root / str(number)  # each round seals anew
        folder.mkdir()
        (folder / "ci.pem").write_bytes((root / "ci.pem").read_bytes())
        make_run(folder, sizes)
        found["hashing"].append(hashing(folder))
        for name in TASKS:
            found[name].append(cpu_of_task(folder, name))
    medians = {name: statistics.median(values) for name, values in found.items()}
    hashed = {"seal and sign", "seal again", "verify"}
    return {
        name: value - medians["nothing"] - (medians["hashing"] if name in hashed else 0)
        if name in TASKS and name != "nothing"
        else value
        for name, value in medians.items()
    }


def missed(figures: dict[str, float]) -> list[str]:
    """The bars that are missed."""
    return [name for name, limit in BARS.items() if figures[name] > limit]


def shown(figures: dict[str, float], sizes: Sizes, rounds: int) -> str:
    """The table, with what it means."""
    over = missed(figures)
    verdict = f"over the bar: {', '.join(over)}" if over else "no bar is missed"
    head = f"""\
CPU seconds, of user and system, of ansible-playbook and all its children, for one task: beyond one that
does nothing, and beyond digesting each file once. The bundle has {sizes.packages:,} packages of
{sizes.package_bytes} bytes, the state of the repository with these, and {sizes.images} images; it is signed
with Ed25519, one statement for each of {4 + len(VERDICTS)} stages and one of provenance. "Seal again" finds
nothing to do, "add a verdict" reads no artifact, and "verify" is a promotion in check mode: every artifact,
signature and rule. Medians of {rounds} rounds; {verdict}. {report.machine()}. Again:
`python tests/benchmarks/bundles_seal.py`."""
    rows = [
        [name, f"{figures[name]:.2f}", *report.limit(figures[name], BARS.get(name))]
        for name in TASKS
        if name != "nothing"
    ]
    rows += [["a task that does nothing", f"{figures['nothing']:.2f}", *report.limit(0, None)]]
    rows += [["digesting each file", f"{figures['hashing']:.2f}", *report.limit(0, None)]]
    table = report.table(("what", "CPU s", "bar", "met"), rows)
    return f"{textwrap.fill(head.replace(chr(10), ' '), 110)}\n\n{table}"


def main() -> None:
    """Measure, print, and with --write keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--quick", action="store_true", help="only try, with a small bundle")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args()
    if options.rounds < 1:
        sys.exit("--rounds must be at least 1")
    sizes = Sizes(20, 5) if options.quick else Sizes()
    rounds = 1 if options.quick else options.rounds
    with tempfile.TemporaryDirectory(prefix="dg-seal-") as folder:
        figures = measure(Path(folder), sizes, rounds)
    text = shown(figures, sizes, rounds)
    say("Result")
    print(text)
    if options.write and not options.quick:
        report.write_section(TITLE, text)
    if missed(figures):
        sys.exit(f"over the bar: {', '.join(missed(figures))}")


if __name__ == "__main__":
    main()
