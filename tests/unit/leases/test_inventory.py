# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lease as an inventory, as ansible-inventory and ansible-playbook see it."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

from ansible_collections.distrogate.ci.plugins.inventory.te import InventoryModule
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._inventory_file import (
    leased_hosts,
    write_inventory,
)

from .keeping import COLLECTIONS, Kept


@pytest.fixture
def kept(tmp_path: pathlib.Path) -> Kept:
    kept = Kept(tmp_path)
    kept.value["tes"] = [
        {
            "name": "te-1",
            "fence": 7,
            "labels": {"size": "big one", "arch": "arm64"},
            "hosts": {
                "ctrl": {"ansible_host": "192.0.2.1", "ansible_port": 2222, "distrogate_fence": 1},
                "box": {
                    "ansible_connection": "distrogate.ci.sandbox",
                    "distrogate_sandbox_directory": "/s/te",
                },
            },
        },
        {"name": "te2", "fence": 9, "labels": {}, "hosts": {"evil": {"x": "{{ lookup('env', 'HOME') }}"}}},
    ]
    kept.grant()
    return kept


def _source(kept: Kept, more: str = "") -> str:
    path = kept.folder / "run" / "lease" / "te.yml"
    write_inventory(str(path), str(kept.file), kept.url)
    path.write_text(path.read_text() + more)
    return str(path)


def _run(kept: Kept, *argv: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{pathlib.Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": os.devnull,
        "ANSIBLE_HOME": str(kept.folder / "home"),
        "ANSIBLE_LOCAL_TEMP": str(kept.folder / "home" / "tmp"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        argv, capture_output=True, text=True, env=environment, cwd=kept.folder, check=False, timeout=120
    )


def _listed(kept: Kept, source: str) -> dict[str, t.Any]:
    done = _run(kept, "ansible-inventory", "-i", source, "--list")
    assert done.returncode == 0, done.stderr
    listed: dict[str, t.Any] = json.loads(done.stdout, object_hook=_plain)
    return listed


def _plain(value: dict[str, t.Any]) -> t.Any:
    """ansible-inventory marks texts that are no templates, so that a script inventory can tell them on."""
    return value.get("__ansible_unsafe", value)


def test_hosts_groups_and_variables(kept: Kept) -> None:
    listed = _listed(kept, _source(kept))
    groups = {name: group["hosts"] for name, group in listed.items() if "hosts" in group}
    assert groups == {
        "te": ["ctrl", "box", "evil"],
        "te_te_1": ["ctrl", "box"],
        "te_te2": ["evil"],
        "label_size_big_one": ["ctrl", "box"],
        "label_arch_arm64": ["ctrl", "box"],
    }
    variables = listed["_meta"]["hostvars"]
    assert variables["ctrl"] == {
        "ansible_host": "192.0.2.1",
        "ansible_port": 2222,
        "distrogate_te": "te-1",
        "distrogate_fence": 7,
        "distrogate_pool": "p",
    }
    assert variables["box"]["distrogate_sandbox_directory"] == "/s/te/7"


def test_groups_and_variables_of_ones_own(kept: Kept) -> None:
    more = (
        "compose: {both: distrogate_te ~ '/' ~ distrogate_fence}\n"
        "groups: {controllers: \"'ctrl' in inventory_hostname\"}\n"
        "keyed_groups: [{prefix: fence, key: distrogate_fence | string}]\n"
    )
    listed = _listed(kept, _source(kept, more))
    assert listed["_meta"]["hostvars"]["ctrl"]["both"] == "te-1/7"
    assert listed["controllers"]["hosts"] == ["ctrl"]
    assert listed["fence_9"]["hosts"] == ["evil"]


def test_values_are_no_templates(kept: Kept) -> None:
    (kept.folder / "p.yml").write_text(
        "- hosts: te_te2\n  gather_facts: false\n  tasks:\n    - ansible.builtin.debug: {var: x}\n"
    )
    done = _run(kept, "ansible-playbook", "-i", _source(kept), "p.yml")
    assert done.returncode == 0 and "{{ lookup('env', 'HOME') }}" in done.stdout


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda kept: kept.end(), "lease_lost"),
        (lambda kept: kept.file.unlink(), "no_lease_file"),
        (lambda kept: kept.file.chmod(0o644), "bad_lease_file"),
        (lambda kept: kept.write_file("other"), "lease_lost"),
        (lambda kept: (kept.folder / "store.db").rename(kept.folder / "away"), "lease_lost"),
    ],
    ids=["ended", "no file", "open to all", "another lease", "no store"],
)
def test_without_a_lease_nothing_succeeds(kept: Kept, spoil: t.Any, reason: str) -> None:
    source = _source(kept)
    spoil(kept)
    (kept.folder / "p.yml").write_text("- hosts: te\n  gather_facts: false\n  tasks: []\n")
    done = _run(kept, "ansible-playbook", "-i", source, "p.yml")
    assert done.returncode != 0 and f"reason: {reason}" in done.stderr, done
    with pytest.raises(DistrogateError) as caught:
        leased_hosts(str(kept.file))
    assert caught.value.reason == reason


def test_the_source_holds_no_secret_and_survives_any_name(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new" / "te.yml"
    name = str(tmp_path / 'a: "b" # {{ c }}\n\u20ac \U0001f600.json')
    write_inventory(str(path), name, "etcd://user:pass@host")
    assert yaml.safe_load(path.read_text()) == {"plugin": "distrogate.ci.te", "lease_file": name}


def test_a_relative_lease_file_begins_at_the_source(kept: Kept) -> None:
    source = kept.folder / "private" / "mine.te.yaml"
    source.write_text("plugin: distrogate.ci.te\nlease_file: lease.json\n")
    assert "te" in _listed(kept, str(source))


@pytest.mark.parametrize(("name", "ours"), [("te.yml", True), ("a.te.yaml", True), ("ate.yml", False)])
def test_the_names_of_sources(tmp_path: pathlib.Path, name: str, ours: bool) -> None:
    (tmp_path / name).write_text("")
    assert InventoryModule().verify_file(str(tmp_path / name)) is ours
