# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How git reaches a remote: without anybody's configuration, hooks, helpers or prompts."""

from __future__ import annotations

import base64
import dataclasses
import os
import re
import shlex
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

PROTOCOLS = ("https", "ssh", "http", "git", "file")
_SCP = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!/)[A-Za-z0-9._~/+@-]+")
_PATH = re.compile(r"[A-Za-z0-9_./:@+,~=-]+")
_SSH_OPTION = re.compile(r"[A-Za-z][A-Za-z0-9]*=[A-Za-z0-9_./:@%+,~-]+")
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "credential.helper": "",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",  # a password is for one host
    "init.templateDir": "",
    "maintenance.auto": "false",
    "push.followTags": "false",
    "push.gpgSign": "false",
    "push.negotiate": "true",  # so that nothing but the tag is sent
    "push.recurseSubmodules": "no",
    "protocol.version": "2",
    "submodule.recurse": "false",
    "tag.gpgSign": "false",
}


def checked_url(url: t.Any, protocols: t.Sequence[str]) -> str:
    """An address that git may be given: of an allowed protocol, without a password in it."""
    if not isinstance(url, str) or not url.isprintable() or " " in url or len(url) > 2000:
        raise DistrogateError("bad_url", f"{str(url)[:200]!r} is not an address of a git repository.")
    if _SCP.fullmatch(url):
        scheme, secret = "ssh", None
    else:
        try:
            parts = urllib.parse.urlsplit(url)
            scheme, secret = parts.scheme, parts.password
            host = parts.hostname or ""
        except ValueError:
            scheme, secret, host = "", None, ""
        if host.startswith("-") or (scheme != "file" and not host):
            scheme = ""
    if secret is not None:
        raise DistrogateError(
            "bad_url", "An address has a password in it, which logs would show. Use username and password."
        )
    if scheme not in protocols:
        raise DistrogateError(
            "bad_url",
            f"{url} is not of an allowed protocol ({', '.join(protocols)}). A file or http address has to be"
            " allowed by protocols.",
        )
    return url


@dataclasses.dataclass(frozen=True)
class Access:
    """How remotes are reached; ``timeout`` is in seconds, for each command."""

    protocols: tuple[str, ...]
    timeout: float
    ssh_key: str | None = None
    known_hosts: str | None = None
    ssh_options: tuple[str, ...] = ()
    username: str | None = None
    password: str | None = None
    password_urls: tuple[str, ...] = ()
    ca_file: str | None = None

    def check(self) -> None:
        """Refuse options that cannot be."""
        self.ssh()
        if self.password is not None and not self.password_urls:
            raise DistrogateError(
                "bad_option", "A password is given, but password_urls does not say which remotes get it."
            )

    def ssh(self) -> str:
        """The command for ssh; git splits it as a shell does, so each word is quoted."""
        for path in (self.ssh_key, self.known_hosts):
            if path and not _PATH.fullmatch(path):
                raise DistrogateError(
                    "bad_option", f"ssh cannot be given the path {path!r}. Use a plain one."
                )
        given = [f"UserKnownHostsFile={self.known_hosts}"] if self.known_hosts else []
        for option in self.ssh_options:
            if not _SSH_OPTION.fullmatch(option):
                raise DistrogateError(
                    "bad_option",
                    f"{option!r} in ssh_options is not NAME=VALUE of letters, digits and _./:@%+,~-",
                )
        fixed = ["BatchMode=yes", "ClearAllForwardings=yes", "PermitLocalCommand=no", "ConnectTimeout=30"]
        key = ["IdentitiesOnly=yes", f"IdentityFile={self.ssh_key}"] if self.ssh_key else []
        words = [word for one in (*fixed, *key, *given, *self.ssh_options) for word in ("-o", one)]
        return shlex.join(["ssh", *words])

    def environment(self) -> dict[str, str]:
        """What git is told besides its arguments: settings and secrets, which no command line shows."""
        settings = dict(_SETTINGS)
        if self.password is not None:
            pair = f"{self.username or 'git'}:{self.password}".encode()
            header = "Authorization: Basic " + base64.b64encode(pair).decode()
            # For these remotes alone: another one in the same bundle may be a stranger's.
            settings.update({f"http.{url}.extraHeader": header for url in self.password_urls})
        pairs = [(f"KEY_{number}", name) for number, name in enumerate(settings)]
        pairs += [(f"VALUE_{number}", value) for number, value in enumerate(settings.values())]
        more = {"GIT_SSL_CAINFO": self.ca_file} if self.ca_file else {}
        if "SSH_AUTH_SOCK" in os.environ and not self.ssh_key:
            more["SSH_AUTH_SOCK"] = os.environ["SSH_AUTH_SOCK"]
        return _command.base_environment(
            HOME=os.devnull,
            GIT_CONFIG_NOSYSTEM="1",
            GIT_CONFIG_GLOBAL=os.devnull,
            GIT_CONFIG_COUNT=str(len(settings)),
            **{f"GIT_CONFIG_{name}": value for name, value in pairs},
            GIT_ATTR_NOSYSTEM="1",
            GIT_TERMINAL_PROMPT="0",
            GIT_ASKPASS="/bin/false",
            SSH_ASKPASS="/bin/false",
            GIT_ALLOW_PROTOCOL=":".join(self.protocols),
            GIT_SSH_COMMAND=self.ssh(),
            GIT_SSH_VARIANT="ssh",
            **more,
        )
