# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""file_publish as a function: options in, result out, and what a reader of the tree finds."""

from __future__ import annotations

import hashlib
import os
import pathlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._file_publish import FilePublisher
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference

NAME = "image"
Json = dict[str, t.Any]


class FakeCall:
    """What a module's call has."""

    def __init__(self, params: Json, check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.difference = Difference()


class Files:
    """A root, and an incoming folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.root = folder / "root"
        self.incoming = folder / "incoming"
        self.incoming.mkdir(parents=True)
        self.base = self.root / NAME
        self.changed = False
        self.difference: Json = {}

    def artifact(self, name: str, text: str, **more: t.Any) -> Json:
        """A file that came in, as a bundle names it."""
        path = self.incoming / name
        path.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        origin = {"stage": "build"}
        return {"type": "qcow2", "name": name, "sha256": digest, "path": name, "origin": origin, **more}

    def __call__(self, *artifacts: Json, check: bool = False, **options: t.Any) -> Json:
        params = {
            "root": str(self.root),
            "name": NAME,
            "artifacts": list(artifacts),
            "incoming": str(self.incoming),
            "channel": "latest",
            "version": None,
            "url": None,
            "key": None,
            "signing_key": None,
            "gnupg_home": None,
            "keep": 5,
            "keep_seconds": 0,
            "keep_versions": 0,
            "pinned": [],
            "state": "present",
            "transaction": None,
            "ttl": 3600,
            "timeout": 0,
            **options,
        }
        call = FakeCall(params, check)
        result = FilePublisher(t.cast(t.Any, call)).run()
        self.changed = not call.difference.empty
        self.difference = call.difference.as_result()
        return result

    def read(self, link: str = "latest", named: str = "") -> dict[str, str]:
        """Files by name, as one finds them who resolves a link once; every digest is compared."""
        folder = self.base / os.readlink(self.base / link)
        sums = (folder / "SHA256SUMS").read_bytes()
        assert (named or hashlib.sha256(sums).hexdigest()) == folder.name
        found = {}
        for line in sums.decode().splitlines():
            digest, name = line.split("  ", 1)
            data = (folder / name).read_bytes()
            assert hashlib.sha256(data).hexdigest() == digest
            found[name] = data.decode()
        return found

    def links(self) -> list[str]:
        return sorted(one for one in os.listdir(self.base) if (self.base / one).is_symlink())

    def sets(self) -> list[str]:
        """The first file of each set that is there."""
        folders = [path for path in self.base.iterdir() if len(path.name) == 64]
        return sorted((sorted(set(os.listdir(one)) - {"SHA256SUMS"}) or [""])[0] for one in folders)
