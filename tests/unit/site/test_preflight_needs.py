# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role preflight looks for is what the stages of the pipeline need, and no more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROLE = Path(__file__).resolve().parents[3] / "roles/preflight"
NAMES = ("programs_stages", "folders", "files", "free_space", "problems")
IMAGES = ["workspace", "project_test", "image", "image_boot_test", "system_test"]
TESTED = {"waitress": {"project_test": [["true"]]}}
SITES: dict[str, dict[str, Any]] = {
    "packages": {
        "preflight_stages": ["workspace", "build", "lint", "project_test", "system_test"],
        "distrogate_projects": {"hello": {"url": "x"}},
        "distrogate_te_of_image": True,
        "image_when_unchanged": "use latest",
        "image_published": "http://images",
    },
    "dib": {
        "preflight_stages": IMAGES,
        "distrogate_projects": TESTED,
        "distrogate_te_of_image": True,
        "image_formats": ["qcow2", "root"],
        "image_when_unchanged": "use 3.0.0",
        "image_published": "http://images",
        "image_published_key": "/keys/public.asc",
        "image_boot_test_tests": "web-appliance/tests",
    },
    "mmdebstrap": {
        "preflight_stages": IMAGES,
        "distrogate_projects": TESTED,
        "distrogate_te_of_image": True,
        "distrogate_images": "/images",
        "image_builder": "mmdebstrap",
        "image_free_space": "20G",
        "image_when_unchanged": "use latest",
        "image_published": "HTTPS://images",
    },
}


@pytest.fixture(scope="module")
def needs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """For each site, what the role would look for."""
    folder = tmp_path_factory.mktemp("needs")
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    here |= {"distrogate_rootfs": "/rootfs", "distrogate_root": "/root"}
    inventory = folder / "hosts.json"
    hosts = {name: {**here, **site} for name, site in SITES.items()}
    inventory.write_text(json.dumps({"repository_hosts": {"hosts": hosts}}))
    found = ", ".join(f"'{name}': preflight_{name}" for name in NAMES)
    copy = {"content": "{{ {" + found + "} | to_json }}", "dest": f"{folder}/{{{{ inventory_hostname }}}}"}
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(ROLE / "defaults/main.yml"), str(ROLE / "vars/main.yml")],
        "tasks": [{"ansible.builtin.copy": copy}],
    }
    (folder / "play.yml").write_text(json.dumps([play]))
    argv = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(inventory)]
    done = subprocess.run([*argv, str(folder / "play.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return {name: json.loads((folder / name).read_text()) for name in SITES}


def test_packages_need_nothing_of_images(needs: dict[str, dict[str, Any]]) -> None:
    found = needs["packages"]
    assert (
        found["programs_stages"] == {"rpmsign": "rpm"} and found["files"] == {} and found["free_space"] == {}
    )
    assert list(found["folders"]) == ["/rootfs/build/current/rootfs"] and found["problems"] == []


def test_images_of_elements(needs: dict[str, dict[str, Any]]) -> None:
    found = needs["dib"]
    assert {"disk-image-create", "debootstrap", "qemu-img", "qemu-system-x86_64", "ssh"} < set(
        found["programs_stages"]
    )
    assert list(found["folders"]) == [
        "/rootfs/project-test/current/rootfs",
        "/rootfs/image-test/current/rootfs",
    ]
    assert list(found["files"]) == ["/keys/public.asc"] and found["free_space"] == {"/root/images": "2G"}
    assert found["problems"] == []


def test_images_of_packages(needs: dict[str, dict[str, Any]]) -> None:
    found = needs["mmdebstrap"]
    programs = {"mmdebstrap", "mkfs.ext4", "qemu-img", "qemu-system-x86_64"}
    assert set(found["programs_stages"]) == programs and found["free_space"] == {"/images": "20G"}
    unsigned, no_root = found["problems"]
    assert "image_published_key is empty" in unsigned and "image_formats has no root" in no_root
