# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a playbook of our own is given by the one that starts it: a contract, see the page on stages.

The inventory's sources, the same options of the command line, and all extra variables in a file that only
the user may read, vaulted values still vaulted. Nothing else: no variable of a play, no host that was added
while the parent ran.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import typing as t

import yaml
from ansible import constants, context
from ansible.parsing.yaml.dumper import AnsibleDumper
from ansible.utils import collection_loader
from ansible.utils.vars import load_extra_vars

_WORDS = {  # option of the command line: how it is written
    "remote_user": "--user",
    "private_key_file": "--private-key",
    "connection": "--connection",
    "timeout": "--timeout",
    "ssh_common_args": "--ssh-common-args",
    "sftp_extra_args": "--sftp-extra-args",
    "scp_extra_args": "--scp-extra-args",
    "ssh_extra_args": "--ssh-extra-args",
    "become_method": "--become-method",
    "become_user": "--become-user",
    "connection_password_file": "--connection-password-file",
    "become_password_file": "--become-password-file",
    "subset": "--limit",
    "forks": "--forks",
}
_FLAGS = {"become": "--become", "check": "--check", "diff": "--diff"}


class ChildCall:
    """The arguments and the environment of children; ``close`` removes its files."""

    def __init__(self, action: t.Any, variables: dict[str, t.Any]) -> None:
        self._action = action
        self._variables = variables
        # Made by Ansible for this playbook alone (0700), and removed by it.
        local: str = constants.DEFAULT_LOCAL_TMP  # type: ignore[attr-defined]
        self._folder = tempfile.mkdtemp(prefix="child-", dir=local)
        self._files: list[str] = []

    def arguments(self, playbook: str, more: dict[str, t.Any], file: str | None = None) -> list[str]:
        """The argument list that runs ``playbook`` with the extra variables, and ``more``; both win over the
        variables in ``file``."""
        argv = [sys.executable, "-m", "ansible", "playbook", playbook]
        for source in self._variables.get("ansible_inventory_sources") or []:
            argv.append(f"--inventory={source}")
        for name, word in _WORDS.items():
            value = context.CLIARGS.get(name)
            if value not in (None, ""):
                argv.append(f"{word}={value}")
        argv += [word for name, word in _FLAGS.items() if context.CLIARGS.get(name)]
        argv += ["-v"] * int(context.CLIARGS.get("verbosity") or 0)
        argv += self._vault() + self._passwords()
        if file:
            argv.append(f"--extra-vars=@{file}")
        extra = {**load_extra_vars(self._action._loader), **more}
        # The dumper keeps what is vaulted as it is.
        text = yaml.dump(extra, Dumper=AnsibleDumper, allow_unicode=True)
        return [*argv, f"--extra-vars=@{self._secret('variables.yml', text)}"]

    def environment(self) -> dict[str, str]:
        """Ours, with the one callback whose lines we can show."""
        known = collection_loader.AnsibleCollectionConfig  # type: ignore[attr-defined]
        # Those of the configuration, and what lies beside the playbook.
        found = [path for path in (*known.collection_paths, *known.playbook_paths) if os.path.isdir(path)]
        return {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(dict.fromkeys(found)),
            "ANSIBLE_STDOUT_CALLBACK": "distrogate.ci.pipeline",
            "ANSIBLE_NOCOLOR": "1",
            "DISTROGATE_OUTPUT_NESTED": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def close(self) -> None:
        """Remove what it wrote."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _secret(self, name: str, text: str | bytes) -> str:
        path = os.path.join(self._folder, f"{len(self._files)}-{name}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode() if isinstance(text, str) else text)
        self._files.append(path)
        return path

    def _vault(self) -> list[str]:
        """The same files and scripts; what a person typed goes into a file."""
        named = [str(name) for name in context.CLIARGS.get("vault_ids") or []]
        files = [str(name) for name in context.CLIARGS.get("vault_password_files") or []]
        clients = [name for name in named if not name.rpartition("@")[2].startswith("prompt")]
        argv = [f"--vault-id={name}" for name in clients]
        argv += [f"--vault-password-file={name}" for name in files]
        if context.CLIARGS.get("ask_vault_pass") or len(clients) < len(named):
            known = {name.rpartition("@")[0] for name in clients}
            for label, secret in self._action._loader._vault.secrets or []:
                if label not in known and secret.bytes:
                    argv.append(f"--vault-id={label}@{self._secret('vault', secret.bytes)}")
        return argv

    def _passwords(self) -> list[str]:
        """What a person typed at the start (-k, -K), each in a file."""
        play, argv = self._action._play_context, []
        for asked, value, word in (
            ("ask_pass", play.password, "--connection-password-file"),
            ("become_ask_pass", play.become_pass, "--become-password-file"),
        ):
            if context.CLIARGS.get(asked) and value:
                argv.append(f"{word}={self._secret('password', str(value))}")
        return argv
