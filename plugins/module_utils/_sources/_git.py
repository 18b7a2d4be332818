# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""git as a pure function of its arguments: no configuration, hooks, filters or prompts of anybody's."""

from __future__ import annotations

import re

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

IDENTITY = "distrogate.ci"
MAIL = "distrogate.ci@localhost"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_REF = re.compile(r"refs(/[A-Za-z0-9_+#@-][A-Za-z0-9._+#@-]*)+")
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.protectNTFS=true",
    "core.autocrlf=false",
    "transfer.fsckObjects=true",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "gc.auto=0",
    "advice.detachedHead=false",
)


class Git:
    """git in one repository; ``date`` (seconds since the epoch) makes its commits repeatable."""

    def __init__(self, directory: str, log: str | None = None, timeout: float = 600) -> None:
        self.directory = directory
        self.log = log
        self.timeout = timeout

    def call(
        self, *arguments: str, check: bool = True, date: int | None = None, stdin: bytes = b""
    ) -> _command.Completed:
        """Run one git command; its output is in ``text``."""
        environment = _command.base_environment(
            GIT_CONFIG_NOSYSTEM="1",
            GIT_CONFIG_GLOBAL="/dev/null",
            GIT_TERMINAL_PROMPT="0",
            GIT_SSH_COMMAND="ssh -o BatchMode=yes",
            GIT_AUTHOR_NAME=IDENTITY,
            GIT_AUTHOR_EMAIL=MAIL,
            GIT_COMMITTER_NAME=IDENTITY,
            GIT_COMMITTER_EMAIL=MAIL,
        )
        if date is not None:
            environment.update(GIT_AUTHOR_DATE=f"@{date} +0000", GIT_COMMITTER_DATE=f"@{date} +0000")
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        argv = ["git", *settings, "-C", self.directory, *arguments]
        done = _command.run(argv, environment=environment, timeout=self.timeout, check=False, stdin=stdin)
        if self.log is not None:
            with open(self.log, "ab") as stream:
                stream.write(f"$ git {' '.join(arguments)}\n".encode("utf-8", "replace") + done.stderr)
        if check and done.status:
            raise _command.failed(["git", *arguments], done, self.log)
        return done

    def value(self, *arguments: str) -> str:
        """One line of output."""
        return self.call(*arguments).text.strip()

    def tree(self, commit: str) -> str:
        return self.value("rev-parse", "--verify", f"{commit}^{{tree}}")

    def date(self, commit: str) -> int:
        """The committer's date, in seconds since the epoch."""
        return int(self.value("show", "--no-patch", "--format=%ct", commit))

    def contains(self, commit: str, ancestor: str) -> bool:
        return self.call("merge-base", "--is-ancestor", ancestor, commit, check=False).status == 0


def well_formed(name: str) -> bool:
    """What git-check-ref-format(1) asks of the parts of a branch or ref, beyond their letters."""
    return ".." not in name and all(
        part and not part.startswith(".") and not part.endswith((".", ".lock")) for part in name.split("/")
    )


def checked_commit(value: str) -> str:
    """A full commit id, or an error with reason ``bad_commit``."""
    if not _COMMIT.fullmatch(value):
        raise DistrogateError("bad_commit", f"{value[:200]!r} is not a full commit id.")
    return value


def checked_ref(value: str) -> str:
    """A full ref name (``refs/…``), or an error with reason ``bad_ref``."""
    if not _REF.fullmatch(value) or not well_formed(value):
        raise DistrogateError(
            "bad_ref", f"{value[:200]!r} is not a full ref name such as refs/changes/34/1234/2."
        )
    return value
