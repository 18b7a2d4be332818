# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role janitor, as a whole, on folders of its own."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

from ansible_collections.distrogate.ci.plugins.module_utils._core._pins import Pins
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, open_store

_TREE = pathlib.Path(__file__).parents[3]
HAS, HAD, OTHER = ("sha256:" + letter * 64 for letter in "abc")


def clean(folder: pathlib.Path) -> None:
    """Run the role, which keeps nothing for its age."""
    variables = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "distrogate_store": f"sqlite://{folder}/store.db",
        "distrogate_root": str(folder),
        "distrogate_repositories": str(folder / "repositories"),
        "distrogate_leases": str(folder / "leases"),
        "distrogate_gnupg_home": str(folder / "gnupg"),
        "janitor_keep_days": 0,
    }
    hosts = {"builders": {"hosts": {"here": {}}}, "repository_hosts": {"hosts": {"here": {}}}}
    (folder / "hosts.json").write_text(json.dumps({"all": {"children": hosts, "vars": variables}}))
    play = {"hosts": "here", "gather_facts": False, "roles": ["distrogate.ci.janitor"]}
    (folder / "play.json").write_text(json.dumps([play]))
    command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), "-i", "hosts.json", "play.json"]
    folders = {f"ANSIBLE_{kind}_TEMP": str(folder / kind) for kind in ("LOCAL", "REMOTE")}
    environment = {**os.environ, **folders, "ANSIBLE_CONFIG": str(_TREE / "ansible.cfg"), "HOME": os.devnull}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def test_what_a_channel_had_before_stays(tmp_path: pathlib.Path) -> None:
    """So that it can be rolled back; only the pin says so. What is being promoted stays, too."""
    names = ("has", "had", "comes", "other", "unknown")
    runs = {name: tmp_path / "runs" / name for name in names}
    for run in runs.values():
        run.mkdir(parents=True)
        (run / "run.json").write_text("{}")
    with open_store(f"sqlite://{tmp_path}/store.db") as store:
        for digest, name in ((HAS, "has"), (HAD, "had"), (OTHER, "other")):
            facts = {"host": "here", "run_dir": str(runs[name]), "pipeline": "gate", "sealed": "2026"}
            store.transact({}, [Put(f"bundle/{digest[7:]}", {**facts, "packages": []})])
        store.transact({}, [Put("channel/latest", {"digest": HAS})])
        Pins(store, "run").add(str(runs["had"]), "channel/latest", {"bundle": HAD, "host": "here"})
        origin = {"host": "here", "run_dir": str(runs["comes"])}
        store.transact({}, [Put("journal/promotion/stable", {"digest": OTHER, "origin": origin})])
    clean(tmp_path)
    assert {name for name, run in runs.items() if run.exists()} == {"has", "had", "comes"}
