# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What run.json says of parameters: everything that decides, as it is on the controller, and no secret."""

from __future__ import annotations

import json
import tempfile
import typing as t

import ansible.parsing.vault
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.distrogate.ci.plugins.module_utils._runs._inputs import ABSENT
from ansible_collections.distrogate.ci.plugins.plugin_utils._parameters import collect
from ansible_collections.distrogate.ci.plugins.plugin_utils._secret_values import secret_name

SECRET = "correct horse"


def load(text: str) -> tuple[dict[str, t.Any], DataLoader]:
    """As Ansible reads the variables of a group."""
    loader = DataLoader()
    loader.set_vault_secrets([("default", VaultSecret(b"password"))])
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as stream:
        stream.write(text)
        stream.flush()
        try:
            return dict(loader.load_from_file(stream.name, trusted_as_template=True)), loader
        except TypeError:  # before ansible-core 2.19
            return dict(loader.load_from_file(stream.name)), loader


def parameters(text: str, *stages: t.Any) -> dict[str, t.Any]:
    variables, loader = load(text)
    found = collect({"groups": {}, **variables}, loader, stages)
    json.dumps(found)
    return found


def test_templates_are_resolved_and_what_cannot_be_is_left_out() -> None:
    found = parameters(
        """
distrogate_root: /srv
distrogate_rootfs: "{{ distrogate_root }}/rootfs"
distrogate_later: "{{ not_defined_yet }}/x"
distrogate_nothing: "{{ omit }}"
distrogate_queue: [{project: x}]
other: 1
build_timeout: 60
lint_fail_on: never
""",
        "build",
        ["publish_test"],
    )
    assert found["distrogate_rootfs"] == "/srv/rootfs"
    assert found["build_rootfs"] == "/srv/rootfs/build/current/rootfs"
    assert found["build_timeout"] == 60
    missing = (
        "distrogate_later",
        "distrogate_nothing",
        "distrogate_queue",
        "other",
        "lint_fail_on",
        "build_run_dir",
    )
    assert not set(missing) & set(found)


def test_stages_of_a_site_have_settings_too() -> None:
    assert parameters("smoke_size: 3", "example.site.smoke") == {"smoke_size": 3}


@pytest.mark.parametrize(
    "text",
    [
        f"distrogate_mirror_password: {SECRET}",
        f"distrogate_x: {{registry_token: {SECRET}}}",
        f"distrogate_x: [{{password: {SECRET}}}]",
        f"ansible_become_password: {SECRET}\ndistrogate_x: 'say {SECRET} twice'",
        f'vault_x: {SECRET}\ndistrogate_x: "{{{{ vault_x }}}}"',
        f'my_secret: "{{{{ \'{SECRET}\' }}}}"\ndistrogate_x: "{{{{ my_secret }}}}"',
        f"distrogate_x: https://user:{SECRET.replace(' ', '-')}@host/path",
        f"distrogate_x: HTTPS://user:{SECRET.replace(' ', '-')}@host/path",
        f"distrogate_x: https://{SECRET.replace(' ', '-')}-battery-staple@host/path",
        f"distrogate_x: {{accessToken: {SECRET}}}",
        f"distrogate_x: {{clientSecret: {SECRET}}}",
        f"distrogate_x: {{adminpassword: {SECRET}}}",
        f"distrogate_x: {{access_key: {SECRET}}}",
    ],
)
def test_no_secret_by_name_or_value(text: str) -> None:
    found = json.dumps(parameters(text))
    assert SECRET not in found
    assert SECRET.replace(" ", "-") not in found
    assert ABSENT in found or "@host/path" in found


def _know_the_vault() -> None:
    """As ansible-playbook does since ansible-core 2.19."""
    context = getattr(ansible.parsing.vault, "VaultSecretsContext", None)
    if context is not None and not context.current(optional=True):
        context.initialize(context([("default", VaultSecret(b"password"))]))


def test_no_secret_of_a_vault() -> None:
    _know_the_vault()
    vault = VaultLib([("default", VaultSecret(b"password"))]).encrypt(SECRET).decode()
    inline = "\n".join("  " + row for row in vault.splitlines())
    text = f'plain: !vault |\n{inline}\ndistrogate_a: !vault |\n{inline}\ndistrogate_b: "x {{{{ plain }}}}"\n'
    assert parameters(text) == {"distrogate_a": ABSENT, "distrogate_b": ABSENT}


def test_the_path_of_a_secret_is_none() -> None:
    found = parameters("distrogate_mirror_password_file: /etc/x\ndistrogate_statement_key: /etc/y.pem")
    assert set(found.values()) == {"/etc/x", "/etc/y.pem"}
    key = "-----BEGIN PRIVATE KEY-----\n  x\n"
    assert parameters(f"distrogate_statement_key: |\n  {key}") == {"distrogate_statement_key": ABSENT}


def test_names() -> None:
    for name in (
        "password",
        "db_password",
        "api_key",
        "secrets",
        "x_token",
        "become_pass",
        "private_key",
        "vault_a",
    ):
        assert secret_name(name), name
    for name in ("password_file", "token_path", "compass", "keyring", "signing_key", "passes"):
        assert not secret_name(name), name
