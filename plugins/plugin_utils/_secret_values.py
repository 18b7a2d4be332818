# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets among variables: known by their names, by the vault, and wherever their values stand again."""

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleError

from ansible_collections.distrogate.ci.plugins.module_utils._runs._inputs import ABSENT
from ansible_collections.distrogate.ci.plugins.plugin_utils._known_secrets import is_secret

_NAME = re.compile(
    r"(?i)(^|_|-)(pass(wd|word|phrase)?|pw|secrets?|tokens?|credentials?|api_?keys?|private_?keys?)($|_|-)"
)
_FILE = re.compile(r"(?i)_(file|path|folder|dir|home|url)$")
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
_IN_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)(?:([^/@:\s]*):[^/@\s]+|[^/@:\s]{20,})@")
_VAULTED = ("AnsibleVaultEncryptedUnicode", "EncryptedString")
# Mappings in which a host's variables stand again, or that Ansible made.
_NOT_OURS = frozenset(("ansible_facts", "group_names", "groups", "hostvars", "vars"))
_SHORTEST = 6  # characters; a shorter secret only hides a value that is equal to it
_DEEPEST = 32


def secret_name(name: str) -> bool:
    """Whether what has this name is a secret; the name of its file is none."""
    if name.startswith("vault_"):
        return True
    # What a report masks must not stand in run.json.
    return (bool(_NAME.search(name)) or is_secret(name)) and not _FILE.search(name)


def vaulted(value: t.Any) -> bool:
    """Whether a value stands encrypted in the inventory."""
    return type(value).__name__ in _VAULTED


class Secrets:
    """The secret values among a host's variables."""

    def __init__(
        self, variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any] = lambda value: value
    ) -> None:
        self._template = template
        self._values: set[str] = set()
        for name, value in variables.items():
            if name not in _NOT_OURS:
                self._take(str(name), value, secret_name(str(name)))

    def _take(self, name: str, value: t.Any, secret: bool, depth: int = 0) -> None:
        if depth > _DEEPEST:
            return
        if isinstance(value, t.Mapping):
            for key, item in value.items():
                self._take(str(key), item, secret or secret_name(str(key)), depth + 1)
        elif isinstance(value, (list, tuple)):
            for item in value:
                self._take(name, item, secret, depth + 1)
        elif vaulted(value) or (secret and isinstance(value, str)):
            self._values.add(_text(value, self._template))

    def masked(self, name: str, value: t.Any) -> t.Any:
        """The value, with a note in place of each secret."""
        if value not in (None, "", [], {}) and secret_name(name):
            return ABSENT
        if isinstance(value, dict):
            return {key: self.masked(str(key), item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.masked("", item) for item in value]
        if not isinstance(value, str):
            return value
        if value and (_KEY.search(value) or value.strip() in self._values or self._holds(value)):
            return ABSENT
        return _IN_ADDRESS.sub(r"\1\2@", value)

    def _holds(self, value: str) -> bool:
        return any(len(secret) >= _SHORTEST and secret in value for secret in self._values)


def _text(value: t.Any, template: t.Callable[[t.Any], t.Any]) -> str:
    try:
        return str(template(value)).strip()
    except (AnsibleError, ValueError, TypeError):  # no password of that vault: nobody can write what it holds
        return ""
