# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The profile ``appliance`` on this machine, and its projects: waitress, the appliance, a client."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.distrogate.ci.tests.demo.site import Site, must
from ansible_collections.distrogate.ci.tests.demo.upstream import Project

FILES = Path(__file__).parent / "appliance_projects"
SERVICE, APPLIANCE, CLIENT = "waitress", "web-appliance", "web-client"
VERSION = "3.0.2"
PROGRAM = """\
#!/usr/bin/python3
\"\"\"Ask an appliance for its page.\"\"\"

import sys
import urllib.request

with urllib.request.urlopen(sys.argv[1], timeout=10) as page:
    print(page.read().decode())
"""


def released(folder: Path) -> Path:
    """Upstream's source distribution, by pip from its configured index."""
    tree = folder / "released" / f"{SERVICE}-{VERSION}"
    if not tree.is_dir():
        tree.parent.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", str(tree.parent), f"{SERVICE}=={VERSION}"], check=True)
        tar = [
            "tar",
            "--extract",
            "--no-same-owner",
            f"--directory={tree.parent}",
        ]  # refuses names that leave
        subprocess.run([*tar, f"--file={tree.parent / f'{SERVICE}-{VERSION}.tar.gz'}"], check=True)
        shutil.copytree(FILES / SERVICE, tree, dirs_exist_ok=True)
    return tree


def make_projects(site: Site) -> dict[str, Project]:
    """The three projects, made anew."""
    folder = site.root / "upstream"
    trees = {SERVICE: released(folder), APPLIANCE: FILES / APPLIANCE, CLIENT: None}
    made = {}
    for name, tree in trees.items():
        project = made[name] = Project(folder, name)
        for path in (project.bare, project.work):
            shutil.rmtree(path, ignore_errors=True)
        project.create({"web_client.py": PROGRAM} if tree is None else {}, tree)
    return made


def write_inventory(site: Site) -> Path:
    """The site that the playbook ``init`` writes of the profile, with this machine as its only host."""
    target = site.root / "site"
    shutil.rmtree(target, ignore_errors=True)
    must(site.playbook("init", dest=str(target), profile="appliance", inventory=Path("localhost,")))
    profile = yaml.safe_load((target / "inventory/group_vars/all.yml").read_text())
    here = {"hosts": {"localhost": _machine(site, profile)}}
    groups = dict.fromkeys(("builders", "repository_hosts", "te_hosts"), here)
    (target / "inventory/hosts.yml").write_text(json.dumps({"all": {"children": groups}}, indent=2))
    return target / "inventory"


def _machine(site: Site, profile: dict[str, Any]) -> dict[str, Any]:
    """What is otherwise here than at a site of several machines."""
    root = site.root
    fingerprint = f"lookup('file', '{root}/keys/fingerprint', errors='ignore')"
    urls = {name: {"url": str(root / "upstream" / f"{name}.git")} for name in profile["distrogate_projects"]}
    projects = {name: {**said, **urls[name]} for name, said in profile["distrogate_projects"].items()}
    targets = [{**target, "host": "localhost"} for target in profile["distrogate_promote_targets"]]
    return {
        "ansible_connection": "local",
        "ansible_user": "{{ lookup('pipe', 'id -un') }}",
        "distrogate_root": str(root),
        "distrogate_rootfs": str(site.rootfs),
        "distrogate_install": False,
        "repository_host_install": False,
        "distrogate_make_keys": True,
        "distrogate_signing_key": f"{{{{ {fingerprint} or 'none' }}}}",
        "distrogate_gnupg_home": str(root / "keys/gnupg"),
        "distrogate_statement_key": str(root / "keys/statement.pem"),
        "distrogate_store": f"sqlite://{root}/store/store.db",
        "distrogate_archive": str(root / "archive"),
        "distrogate_leases": str(root / "leases"),
        "distrogate_repositories": str(root / "repositories"),
        "distrogate_repositories_url": f"file://{root}/repositories",
        "distrogate_projects": projects,
        "distrogate_promote_targets": targets,
    }
