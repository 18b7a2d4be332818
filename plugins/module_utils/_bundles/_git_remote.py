# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""git against a stranger's repository, from a scratch repository of our own.

Nothing is checked out. The scratch repository has the commits that are tagged, and the tags that
are pushed.
"""

from __future__ import annotations

import errno
import os
import re

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_access import Access
from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)

_ROOM = 64 << 10  # bytes: with less than that free, git's own words may be lost
_REF = re.compile(r"^([0-9a-f]{40,64})\t(refs/tags/\S+)$", re.MULTILINE)


class Scratch:
    """A repository of our own, in a folder that is ours; all outputs go to one log beside it."""

    def __init__(self, folder: str, access: Access) -> None:
        self.folder = folder
        self.access = access

    def _call(self, *arguments: str, stdin: bytes = b"") -> _command.Completed:
        os.makedirs(self.folder, exist_ok=True)
        log = os.path.join(self.folder, "log")  # whatever a stranger sends, memory is bounded
        return _command.run(
            ["git", "-C", self.folder, f"--git-dir={self.folder}/git", *arguments],
            environment=self.access.environment(),
            timeout=self.access.timeout,
            stdin=stdin,
            check=False,
            log=log,
            announce=False,
        )

    def call(self, url: str, what: str, *arguments: str, stdin: bytes = b"") -> str:
        """Run git; an error says what was being done, with which remote, and what git said."""
        done = self._call(*arguments, stdin=stdin)
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
            if self._call("config", "core.hooksPath").text.strip() != os.devnull:
                raise DistrogateError(
                    "missing_tool",
                    "git on this host is too old to be told its settings: it needs 2.31.",
                    tool="git",
                )

    def fetch(self, url: str, commit: str) -> None:
        """Bring a commit, without its contents where the server can; ``tree`` tells whether it came."""
        self.make(url, commit)
        if self._has(commit):
            return
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--filter=tree:0")
        done = self._call("fetch", *options, "--depth=1", "--end-of-options", url, commit)
        if done.status and not self._has(commit):
            # Some servers give out nothing but what a ref names: then all branches, without contents.
            heads = "+refs/heads/*:refs/remotes/heads/*"
            self.call(url, "fetch", "fetch", *options, "--end-of-options", url, heads)

    def _has(self, commit: str) -> bool:
        return self._call("cat-file", "-e", f"{commit}^{{commit}}").status == 0

    def tree(self, commit: str) -> str:
        """The tree of a commit that was fetched; "" when it is no commit, or is not there."""
        done = self._call("log", "--no-walk", "--format=%H %T", "--end-of-options", commit)
        found = re.search(rf"^{commit} ([0-9a-f]{{40,64}})$", done.text, re.MULTILINE)
        return found[1] if found and done.status == 0 else ""

    def write_tag(self, url: str, text: str) -> str:
        """Write a tag object; the same text always gets the same name."""
        data = text.encode("utf-8")
        return self.call(url, "write a tag", "hash-object", "-t", "tag", "-w", "--stdin", stdin=data).strip()

    def remote_tag(self, url: str, tag: str) -> tuple[str, str]:
        """The object that a tag on the remote names, and the commit that it leads to; "" for none."""
        ref = f"refs/tags/{tag}"
        text = self.call(url, "list tags", "ls-remote", "--end-of-options", url, ref, f"{ref}^{{}}")
        names = {name: value for value, name in _REF.findall(text)}
        return names.get(ref, ""), names.get(f"{ref}^{{}}", "")

    def push(self, url: str, tag: str, new: str, old: str) -> _command.Completed:
        """Let a tag of ``old`` ("" for none) be of ``new`` ("" to remove it); the caller looks again."""
        ref = f"refs/tags/{tag}"
        options = (
            "--quiet",
            "--no-verify",
            "--no-follow-tags",
            "--no-thin",
            f"--force-with-lease={ref}:{old}",
        )
        return self._call("push", *options, "--end-of-options", url, f"{new}:{ref}")
