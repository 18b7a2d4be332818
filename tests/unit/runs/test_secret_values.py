# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are secrets, and that those which Ansible Vault encrypted are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultEditor, VaultLib, VaultSecret, VaultSecretsContext

from ansible_collections.distrogate.ci.plugins.plugin_utils._known_secrets import SecretValues, is_secret


def plain(value: Any) -> Any:
    return str(value)


def collected(variables: dict[str, Any], template: Any = plain) -> set[str]:
    found = SecretValues()
    found.variables(variables, template)
    return found.values


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("db_password", True),
        ("ansible_become_pass", True),
        ("REGISTRY_TOKEN", True),
        ("aws_secret_access_key", True),
        ("ssh_private_key", True),
        ("credentials", True),
        ("apikey", True),
        ("ansible_ssh_private_key_file", False),
        ("vault_password_file", False),
        ("token_ttl", False),
        ("distrogate_signing_key", False),
        ("bypass", False),
        ("secret_name", False),
        ("keyboard", False),
    ],
)
def test_names(name: str, secret: bool) -> None:
    assert is_secret(name) == secret


def test_variables_however_deep() -> None:
    found = collected(
        {
            "db": {"password": "deep-one", "user": "root", "hosts": [{"token": ["in-a-list"]}]},
            "credentials": {"registry": {"login": "all-below", "user": "plain-user"}},
            "url": "https://me:in-an-address@host/",
            "secret_port": 8080,
            "secret_number": 12345678,
            "hostvars": {"other": {"password": "not-walked"}},
            "password_known": "/etc/passwd",
        }
    )
    assert found == {"deep-one", "in-a-list", "all-below", "in-an-address", "12345678"}


def test_templates_are_rendered_and_broken_ones_left_out() -> None:
    def template(value: Any) -> Any:
        if "broken" in value:
            raise AnsibleError("undefined")
        return value.replace("{{ x }}", "rendered")

    assert collected({"a_password": "{{ x }}-secret", "b_password": "{{ broken }}"}, template) == {
        "rendered-secret"
    }


def test_what_vault_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = VaultSecret(b"key")
    monkeypatch.setattr(VaultSecretsContext, "_current", VaultSecretsContext([("default", secret)]))
    loader = DataLoader()
    loader.set_vault_secrets([("default", secret)])
    whole = tmp_path / "whole.yml"
    whole.write_text("harmless: from-a-vaulted-file\n")
    vault = VaultLib([("default", secret)])
    VaultEditor(vault).encrypt_file(str(whole), secret)
    inline = tmp_path / "inline.yml"
    text = vault.encrypt("inline-vaulted", secret).decode().replace("\n", "\n  ")
    inline.write_text(f"boring: !vault |\n  {text}\nopen: not-a-secret\n")
    variables = {**loader.load_from_file(str(whole)), **loader.load_from_file(str(inline))}
    assert collected(variables) == {"from-a-vaulted-file", "inline-vaulted"}


def test_the_environment() -> None:
    found = SecretValues()
    found.environment({"MY_TOKEN": "from-the-environment", "STORE": "etcd://u:in-address@h", "PATH": "/bin"})
    assert found.values == {"from-the-environment", "in-address"}


def test_other_hosts() -> None:
    class HostVars(dict):  # type: ignore[type-arg]
        def raw_get(self, name: str) -> Any:
            return self[name]

    hostvars = HostVars(own={"x_token": "own-value"}, te1={"x_token": "other-value"})
    found = SecretValues()
    found.hosts({"inventory_hostname": "own", "hostvars": hostvars}, lambda _variables: plain)
    assert found.values == {"other-value"}
