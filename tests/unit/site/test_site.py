# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The profiles, and the playbook that writes a site's own repository from one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

TREE = Path(__file__).resolve().parents[3]
FILES = TREE / "playbooks/files"
PROFILES = sorted(path.name for path in (FILES / "profiles").iterdir())
VARIABLE = re.compile(r"\bdistrogate_[a-z_]+\b")
# What a run is given, and what its connection to a sandbox is told: not decided by a profile.
NOT_OF_A_SITE = {
    "distrogate_queue",
    "distrogate_run_dir",
    "distrogate_sandbox_directory",
    "distrogate_sandbox_network",
    "distrogate_sandbox_rootfs",
}


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection as somebody may have installed it: without inventories and docs."""
    folder = tmp_path_factory.mktemp("collections")
    ci = folder / "ansible_collections/distrogate/ci"
    for name in ("meta", "playbooks", "roles"):
        shutil.copytree(TREE / name, ci / name, symlinks=True)
    (ci / "plugins").mkdir()
    (folder / "ansible.cfg").touch()
    return folder


def run(collections: Path, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CONFIG": str(collections / "ansible.cfg"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "true",
    }
    argv = [str(Path(sys.executable).parent / program), *words]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, cwd=collections)


def init(collections: Path, dest: Path, *options: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    given = json.dumps({"dest": str(dest), **variables})
    return run(collections, "ansible-playbook", "distrogate.ci.init", "-e", given, *options)


def contents(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_init_writes_a_site_and_keeps_what_it_changed(collections: Path, tmp_path: Path) -> None:
    dest = tmp_path / "site"
    first = init(collections, dest)
    assert first.returncode == 0, first.stdout
    assert "Skipped '" not in first.stderr  # what is to be written is not missed
    profile = {f"inventory/{k}": v for k, v in contents(FILES / "profiles/packages").items()}
    assert contents(dest) == {**contents(FILES / "common"), **profile}
    assert "changed=0" in init(collections, dest).stdout

    (dest / "inventory/hosts.yml").write_text("# ours\n")
    edited = contents(dest)
    refused = init(collections, dest)
    assert refused.returncode != 0
    assert f"-e force=true to overwrite them: {dest}/inventory/hosts.yml." in refused.stdout
    predicted = init(collections, dest, "--check", "--diff", force=True)
    assert predicted.returncode == 0 and "\n-# ours\n" in predicted.stdout
    assert contents(dest) == edited

    assert init(collections, dest, force=True).returncode == 0
    assert contents(dest) == {**contents(FILES / "common"), **profile}

    mine = tmp_path / "mine/host_vars/one.yml"
    mine.parent.mkdir(parents=True)
    mine.write_text("a: '{{ never_evaluated }}'\n")
    assert init(collections, dest, inventory_source=str(tmp_path / "mine")).returncode == 0
    assert (dest / "inventory/host_vars/one.yml").read_text() == mine.read_text()


def test_of_somebodys_folder_only_files_are_taken(collections: Path, tmp_path: Path) -> None:
    mine, dest = tmp_path / "mine", tmp_path / "site"
    mine.mkdir()
    for name in (".password", "hosts.yml"):
        (mine / name).write_text("mine\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/other.yml").write_text("other\n")
    (mine / "link").symlink_to(tmp_path / "elsewhere")
    assert init(collections, dest, inventory_source=str(mine)).returncode == 0
    assert contents(dest) == {**contents(FILES / "common"), "inventory/hosts.yml": "mine\n"}


def test_unknown_profile_names_the_known_ones(collections: Path, tmp_path: Path) -> None:
    done = init(collections, tmp_path / "site", profile="nosuch")
    assert done.returncode != 0
    assert f"There is no profile nosuch: choose one of {', '.join(PROFILES)}." in done.stdout
    assert not (tmp_path / "site").exists()


def test_every_playbook_has_a_wrapper() -> None:
    not_wrapped = {"init.yml", "builders.yml", "clean_te.yml"}
    playbooks = {path.name for path in (TREE / "playbooks").glob("*.yml")} - not_wrapped
    wrappers = {
        p.name: p.read_text() for p in (FILES / "common").glob("*.yml") if p.name != "requirements.yml"
    }
    assert set(wrappers) == playbooks
    for name, text in wrappers.items():
        assert text.endswith(f"  ansible.builtin.import_playbook: distrogate.ci.{name[:-4]}\n")


@pytest.mark.parametrize("profile", PROFILES)
def test_profile_loads(collections: Path, profile: str) -> None:
    links = [path for path in (TREE / "inventories" / profile).rglob("*") if not path.is_dir()]
    real = [path for path in (FILES / "profiles" / profile).rglob("*") if path.is_file()]
    assert sorted(path.resolve() for path in links) == sorted(real), "make a link for each file of a profile"
    inventory = str(TREE / "inventories" / profile)
    listed = run(collections, "ansible-inventory", "-i", inventory, "--list")
    groups = json.loads(listed.stdout)
    assert {"builders", "repository_hosts", "te_hosts"} <= set(groups), listed.stderr
    checked = run(collections, "ansible-playbook", "-i", inventory, "distrogate.ci.check", "--syntax-check")
    assert checked.returncode == 0, checked.stderr


# Named to a reader, and not read.
TOLD = {("distrogate_root_filesystems", "preflight")}


def readers() -> dict[str, set[str]]:
    """The roles, and the playbooks, that name each variable."""
    found: dict[str, set[str]] = {}
    for path in [*(TREE / "roles").rglob("*.yml"), *(TREE / "playbooks").glob("*.yml")]:
        parts = path.relative_to(TREE).parts
        who = parts[1] if parts[0] == "roles" else f"playbook {path.stem}"
        for name in VARIABLE.findall(path.read_text()):
            found.setdefault(name, set()).update({who} if (name, who) not in TOLD else ())
    return found


def test_who_reads_a_variable_is_documented() -> None:
    guide = (TREE / "docs/docsite/rst/variables.rst").read_text().partition("Variables of a run")[0]
    rows = guide.split("   * - ``")[1:]
    said = {}
    for row in rows:
        cell = " ".join(row.rpartition("\n     - ")[2].partition("\n\n")[0].split())
        roles, _, playbooks = cell.rpartition("; ") if "playbook" in cell else (cell, "", "")
        books = playbooks.partition(" ")[2].split(", ") if playbooks else []
        said[row.partition("``")[0]] = {
            *filter(None, roles.split(", ")),
            *(f"playbook {one}" for one in books),
        }
    known = readers()
    assert said == {name: known[name] for name in said}


def test_variables_are_documented() -> None:
    """What roles and playbooks read stands in the guide, and in the profile for a real site, commented."""
    used = {
        name
        for folder in ("roles", "playbooks")
        for path in (TREE / folder).rglob("*.yml")
        if FILES not in path.parents
        for name in VARIABLE.findall(path.read_text())
    }
    guide = (TREE / "docs/docsite/rst/variables.rst").read_text()
    assert {name for name in VARIABLE.findall(guide) if f"``{name}``" in guide} == used | NOT_OF_A_SITE
    profile = (FILES / "profiles/packages/group_vars/all.yml").read_text()
    assert set(VARIABLE.findall(profile)) == (used - NOT_OF_A_SITE) | {"distrogate_queue"}


def test_targets_of_the_appliance() -> None:
    """Also with the comment taken away: each target is a module of ours, and has options that it knows."""
    text = (FILES / "profiles/appliance/group_vars/all.yml").read_text()
    site = yaml.safe_load(re.sub(r"(?m)^  # (- host:|  +\S)", r"  \1", text))
    plugins = {target["plugin"]: target["arguments"] for target in site["distrogate_promote_targets"]}
    assert list(plugins) == ["file_publish", "glance_publish"]
    for plugin, arguments in plugins.items():
        source = (TREE / "plugins/modules" / f"{plugin}.py").read_text()
        documented = yaml.safe_load(source.partition('DOCUMENTATION = r"""')[2].partition('"""')[0])
        assert set(arguments) <= set(documented["options"])
        assert arguments["name"] == "{{ image_name }}"
    hosts = (FILES / "profiles/appliance/group_vars/repository_hosts.yml").read_text()
    assert yaml.safe_load(re.sub(r"(?m)^# (\w+:)", r"\1", hosts))["repository_host_packages"]
