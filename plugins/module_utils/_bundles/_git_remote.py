# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""git against a stranger's repository: fixed settings, no configuration, hooks, helpers or prompts of anybody's.

Nothing is checked out. The scratch repository has one commit of each remote, and the tags that are
pushed. Secrets reach git by its environment alone.
"""

from __future__ import annotations

import base64
import dataclasses
import errno
import os
import re
import shlex
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)

PROTOCOLS = ("https", "ssh", "http", "git", "file")
_ROOM = 64 << 10  # bytes: with less than that free, git's own words may be lost
_SCP = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9.-]*:(?!/)[A-Za-z0-9._~/+@-]+")
_PATH = re.compile(r"[A-Za-z0-9_./:@+,~=-]+")
_SSH_OPTION = re.compile(r"[A-Za-z][A-Za-z0-9]*=[A-Za-z0-9_./:@%+,~-]+")
_REF = re.compile(r"^([0-9a-f]{40,64})\t(refs/tags/\S+)$", re.MULTILINE)
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
    ca_file: str | None = None

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

    def environment(self, url: str) -> dict[str, str]:
        """What git is told besides its arguments."""
        settings = dict(_SETTINGS)
        if self.password is not None and url.startswith(("https://", "http://")):
            pair = f"{self.username or 'git'}:{self.password}".encode()
            # For this remote alone: another one in the same bundle may be a stranger's.
            settings[f"http.{url}.extraHeader"] = "Authorization: Basic " + base64.b64encode(pair).decode()
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


class Scratch:
    """A repository of our own, in a folder that is ours; all outputs go to one log beside it."""

    def __init__(self, folder: str, access: Access) -> None:
        self.folder = folder
        self.access = access

    def _call(self, url: str, *arguments: str, stdin: bytes = b"") -> _command.Completed:
        os.makedirs(self.folder, exist_ok=True)
        log = os.path.join(self.folder, "log")  # whatever a stranger sends, memory is bounded
        return _command.run(
            ["git", "-C", self.folder, f"--git-dir={self.folder}/git", *arguments],
            environment=self.access.environment(url),
            timeout=self.access.timeout,
            stdin=stdin,
            check=False,
            log=log,
            announce=False,
        )

    def call(self, url: str, what: str, *arguments: str, stdin: bytes = b"") -> str:
        """Run git; an error says what was being done, with which remote, and what git said."""
        done = self._call(url, *arguments, stdin=stdin)
        if done.status:
            raise self.failed(url, what, done)
        return done.text

    def failed(self, url: str, what: str, done: _command.Completed) -> DistrogateError:
        """The error for what git could not do; a full disk has a reason of its own."""
        status = os.statvfs(self.folder)
        if "No space left" in done.text or status.f_bavail * status.f_frsize < _ROOM or not status.f_favail:
            return from_os_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.folder))
        said = "\n".join(line for line in done.tail(8).splitlines() if not line.startswith("hint:"))
        return DistrogateError(
            "git_failed", f"git could not {what} ({url}), status {done.status}:\n{said}", url=url
        )

    def make(self, url: str, commit: str) -> None:
        """Make the repository, of the kind of this commit's name, if it is not there."""
        if not os.path.isdir(os.path.join(self.folder, "git")):
            kind = "sha256" if len(commit) == 64 else "sha1"
            self.call(url, "make a repository", "init", "--quiet", "--bare", f"--object-format={kind}")

    def fetch(self, url: str, commit: str) -> None:
        """Bring a commit, without its contents where the server can; whether it came is for ``tree`` to say."""
        self.make(url, commit)
        if self._has(url, commit):
            return
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--filter=tree:0")
        done = self._call(url, "fetch", *options, "--depth=1", "--end-of-options", url, commit)
        if done.status and not self._has(url, commit):
            # Some servers give out nothing but what a ref names: then all branches, without contents.
            heads = "+refs/heads/*:refs/remotes/heads/*"
            self.call(url, "fetch", "fetch", *options, "--end-of-options", url, heads)

    def _has(self, url: str, commit: str) -> bool:
        return self._call(url, "cat-file", "-e", f"{commit}^{{commit}}").status == 0

    def tree(self, url: str, commit: str) -> str:
        """The tree of a commit that was fetched; "" when it is no commit, or is not there."""
        done = self._call(url, "log", "--no-walk", "--format=%H %T", "--end-of-options", commit)
        found = re.search(rf"^{commit} ([0-9a-f]{{40,64}})$", done.text, re.MULTILINE)
        return found[1] if found and done.status == 0 else ""

    def write_tag(self, url: str, text: str) -> str:
        """Write a tag object; the same text always gets the same name."""
        data = text.encode("utf-8")
        return self.call(url, "write a tag", "hash-object", "-t", "tag", "-w", "--stdin", stdin=data).strip()

    def remote_tag(self, url: str, tag: str) -> tuple[str, str]:
        """The object that a tag on the remote names, and the commit that it leads to; "" when there is none."""
        ref = f"refs/tags/{tag}"
        text = self.call(url, "list tags", "ls-remote", "--end-of-options", url, ref, f"{ref}^{{}}")
        names = {name: value for value, name in _REF.findall(text)}
        return names.get(ref, ""), names.get(f"{ref}^{{}}", "")

    def push(self, url: str, tag: str, new: str, old: str) -> _command.Completed:
        """Let a tag that names ``old`` ("" for none) name ``new`` ("" to remove it); the caller looks again."""
        ref = f"refs/tags/{tag}"
        options = (
            "--quiet",
            "--no-verify",
            "--no-follow-tags",
            "--no-thin",
            f"--force-with-lease={ref}:{old}",
        )
        return self._call(url, "push", *options, "--end-of-options", url, f"{new}:{ref}")
