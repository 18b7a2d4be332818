# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""git_publish as a function, and remotes in folders."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_publish import (
    GIT_SPEC,
    GitPublisher,
)
from ansible_collections.distrogate.ci.tests.faults.tags import git, make_remote
from ansible_collections.distrogate.ci.tests.unit.publishing.file_helpers import FakeCall, Json


class Tags:
    """A root, and two remotes with three commits each, the oldest first."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.remotes = [folder / "remotes" / name for name in ("one", "two")]
        self.one, self.two = (make_remote(path, "first", "second", "third") for path in self.remotes)
        self.changed = False
        self.difference: Json = {}

    def __call__(self, *artifacts: t.Any, check: bool = False, **options: t.Any) -> Json:
        defaults = {name: one.get("default") for name, one in GIT_SPEC.items()}
        params = {
            **defaults,
            "root": str(self.root),
            "artifacts": list(artifacts),
            "version": "1.0.0",
            "protocols": ["file"],
            "timeout": 20,
            **options,
        }
        call = FakeCall(params, check)
        try:
            return GitPublisher(t.cast(t.Any, call)).run()
        finally:
            self.changed = not call.difference.empty
            self.difference = call.difference.as_result()

    def there(self, number: int = 0) -> dict[str, str]:
        """The annotated tags of a remote, and their commits."""
        listed = "--format=%(refname:short) %(objecttype) %(*objectname)"
        rows = [
            one.split() for one in git(self.remotes[number], "for-each-ref", listed, "refs/tags").splitlines()
        ]
        assert all(row[1] == "tag" for row in rows), rows
        return {row[0]: row[2] for row in rows}

    def refuse(self, number: int, refusing: bool = True) -> None:
        """Let a remote refuse every push."""
        hook = self.remotes[number] / "hooks/pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'not today' >&2\nexit 1\n")
        hook.chmod(0o755 if refusing else 0o644)
