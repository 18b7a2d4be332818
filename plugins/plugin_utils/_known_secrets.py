# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets that the controller knows, by the names of variables and by Ansible Vault."""

from __future__ import annotations

import os
import re
import typing as t

from ansible.errors import AnsibleError

_SECRET = re.compile(
    r"secret|passw|passphrase|token|credential|private_?key|api_?key|access_?key|(?:^|_)(?:pass|pwd|pin)$",
    re.IGNORECASE,
)
# What is named like that and is none: where it lies, how long it holds.
_PLAIN = re.compile(
    r"(?:^|_)(?:files?|path|dir|folder|url|name|user|id|type|length|lifetime|ttl|timeout|policy|prompt|command|seconds|suffix)$",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"""://[^/\s:@"'<>]{0,256}:([^/\s@"'<>]{1,1000})@""")
_NOT_WALKED = frozenset(
    {"hostvars", "groups", "vars", "omit", "environment", "ansible_play_batch", "ansible_facts"}
)
_MOST = 200_000  # values that are looked at
_HOSTS = 100  # with more, only the hosts of this play are asked for their variables
_DEEPEST = 20
_INLINE = ("EncryptedString", "AnsibleVaultEncryptedUnicode")

Template = t.Callable[[t.Any], t.Any]


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return bool(_SECRET.search(name)) and not _PLAIN.search(name)


class SecretValues:
    """Collects values; ``template`` renders one, in whose names variables may be written."""

    def __init__(self) -> None:
        self.values: set[str] = set()
        self._vaulted: dict[str, bool] = {}
        self._left = _MOST

    def environment(self, environment: t.Mapping[str, str]) -> None:
        """Environment variables with such names, and passwords in addresses."""
        for name, value in environment.items():
            if is_secret(name):
                self._add(value)
            self._addresses(value)

    def variables(self, variables: t.Mapping[str, t.Any], template: Template) -> None:
        """The variables of one host."""
        for name, value in variables.items():
            if name not in _NOT_WALKED:
                self._walk(value, is_secret(str(name)), template, 0)

    def hosts(self, variables: t.Mapping[str, t.Any], templates: t.Callable[[t.Any], Template]) -> None:
        """The variables of the other hosts."""
        hostvars: t.Any = variables.get("hostvars") or {}
        named = (
            list(hostvars) if len(hostvars) <= _HOSTS else list(variables.get("ansible_play_hosts_all", []))
        )
        own = variables.get("inventory_hostname")
        for host in named[:_HOSTS]:
            if host != own:
                found = hostvars.raw_get(host)
                self.variables(found, templates(found))

    def _walk(self, value: t.Any, secret: bool, template: Template, depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            return
        if isinstance(value, t.Mapping):
            for key, item in value.items():
                plain = bool(_PLAIN.search(str(key)))
                self._walk(item, not plain and (secret or is_secret(str(key))), template, depth + 1)
        elif isinstance(value, (list, tuple)):
            for item in value:
                self._walk(item, secret, template, depth + 1)
        elif isinstance(value, int) and not isinstance(value, bool):
            if secret and value > 99999:
                self._add(str(value))
        elif isinstance(value, str) or type(value).__name__ in _INLINE:
            self._text(value, secret, template)

    def _text(self, value: t.Any, secret: bool, template: Template) -> None:
        if secret or self._is_vaulted(value):
            try:
                rendered = template(value)
            except AnsibleError:
                return  # one that cannot be rendered was not used
            if isinstance(rendered, (str, int)):
                self._add(str(rendered))
        elif isinstance(value, str) and "://" in value:
            self._addresses(value)

    def _addresses(self, value: str) -> None:
        for password in _PASSWORD.findall(value):
            self._add(password)

    def _add(self, value: str) -> None:
        """A path is where a secret lies, not the secret."""
        if "{{" not in value and not ("\n" not in value and value.startswith(("/", "~/")) and _exists(value)):
            self.values.add(value)

    def _is_vaulted(self, value: t.Any) -> bool:
        """Encrypted itself, or in a file that is encrypted as a whole."""
        if type(value).__name__ in _INLINE:
            return True
        path = str((getattr(value, "ansible_pos", None) and value.ansible_pos[0]) or "")
        for tag in getattr(value, "_ansible_tags_mapping", None) or {}:
            if tag.__name__ in ("VaultedValue", "SourceWasEncrypted"):
                return True
            if tag.__name__ == "Origin":
                path = str(value._ansible_tags_mapping[tag].path or "")
        if path not in self._vaulted:
            self._vaulted[path] = _is_vault_file(path)
        return self._vaulted[path]


def _exists(path: str) -> bool:
    return len(path) < 4096 and "\0" not in path and os.path.exists(os.path.expanduser(path))


def _is_vault_file(path: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return stream.read(14) == b"$ANSIBLE_VAULT"
    except (OSError, ValueError):
        return False
