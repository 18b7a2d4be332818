# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bundles of all kinds of artifacts in an archive, with what was said of them."""

from __future__ import annotations

import hashlib
import os
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle_info import Finder
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, Store

Json = dict[str, t.Any]
DAY = 86400 * 10**9
START = 1767225600 * 10**9  # the first of January 2026


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def commit(text: str) -> str:
    return sha(text)[:40]


def deb(package: str, version: str, **more: t.Any) -> Json:
    """A package in a file."""
    name = f"{sha(package + version)[:8]}_amd64.deb"
    facts = {"package": package, "package_version": version, "architecture": "amd64", **more}
    sha256 = sha(f"{package} {version} {more}")
    return {"type": "deb", "name": name, "path": f"artifacts/{name}", "sha256": sha256, "size": 1, **facts}


def image(name: str, contents: str) -> Json:
    """An image in a registry."""
    return {
        "type": "oci_image",
        "name": name,
        "registry": "https://registry.example.org",
        "repository": f"cloud/{name}",
        "media_type": "application/vnd.oci.image.manifest.v1+json",
        "sha256": sha(contents),
        "size": 9,
    }


def state(*packages: tuple[str, str]) -> Json:
    """What an apt repository has."""
    rows = [
        {"name": name, "package_version": version, "architecture": "all", "sha256": sha(f"{name} {version}")}
        for name, version in packages
    ]
    return {"type": "apt_state", "name": "base", "packages": rows}


def git(name: str, subject: str) -> Json:
    """A commit."""
    url = f"https://git.example.org/{name}"
    return {
        "type": "git_commit",
        "name": name,
        "url": url,
        "commit": commit(subject),
        "tree": commit(name),
        "subject": subject,
        "origin": {"project": name},
    }


def make(
    artifacts: list[Json], number: int = 1, pipeline: str = "gate", project: str = "nova", **more: t.Any
) -> Json:
    """A bundle of these artifacts, made from one change."""
    from bundle_samples import stage

    frozen = {
        "version": 1,
        "id": str(number),
        "pipeline": pipeline,
        "queue": [
            {
                "project": project,
                "branch": "main",
                "commit": commit(f"change {number}"),
                "change_id": str(number),
            }
        ],
        "projects": {project: {"url": f"https://git.example.org/{project}", "base_commit": commit("base")}},
        **more,
    }
    trees = {"projects": {project: {"tree": commit(f"tree {number}")}}}
    stages = {"workspace": stage("workspace", facts=trees), "build": stage("build", artifacts=artifacts)}
    return _bundle.make_bundle(frozen, stages, "/runs/1")


def provenance(bundle: Json, number: int) -> Json:
    sha256 = sha(_bundle.bundle_text(bundle))
    return _statements.provenance_statement(
        bundle, sha256, {"id": "1"}, "builder", f"2026-01-{number:02}T00:00:00Z"
    )


def unreadable(monkeypatch: pytest.MonkeyPatch, word: str, number: int) -> None:
    """Files with that word in their names cannot be opened; the tests' user may be root, who can."""
    opened = os.open

    def refused(path: t.Any, *arguments: t.Any, **more: t.Any) -> int:
        if word in str(path):
            raise OSError(number, os.strerror(number), path)
        return opened(path, *arguments, **more)

    monkeypatch.setattr(os, "open", refused)


class World:
    """An archive, a store, and a key that signs."""

    def __init__(self, folder: pathlib.Path, store: Store, key: _statements.SigningKey) -> None:
        self.archive = Archive(str(folder / "archive"))
        self.store = store
        self.key = key
        self.lines: list[str] = []
        store.transact({}, [Put(f"key/{key.public.keyid}", key.public.pem)])

    def say(self, bundle: Json, kind: str, key: _statements.SigningKey | None = None, **said: t.Any) -> str:
        """Add a statement; returns its file's name."""
        value = _statements.statement(bundle["digest"], kind, said)
        name = f"said-{sha(str(value))[:16]}.json"
        self.archive.add(bundle["digest"], None, {name: _statements.sign(value, key or self.key)})
        return name

    def verdict(self, bundle: Json, test: str, result: str, number: int = 1, **more: t.Any) -> str:
        said = {"result": result, "stage": test, "at_ns": START + number * DAY, **more}
        return self.say(bundle, _statements.TEST_RESULT, **said)

    def seal(self, artifacts: list[Json], number: int = 1, **more: t.Any) -> Json:
        """Put a bundle into the archive, and note it in the store as sealing does."""
        bundle = make(artifacts, number, **more)
        signed = _statements.sign(provenance(bundle, number), self.key)
        self.archive.add(bundle["digest"], _bundle.bundle_text(bundle), {"provenance.json": signed})
        facts = {
            "run_dir": f"/runs/{number}",
            "host": "builder",
            "pipeline": "gate",
            "sealed": "",
            "packages": [],
        }
        self.store.transact({}, [Put(f"bundle/{bundle['digest'][7:]}", facts)])
        return bundle

    def promote(
        self, bundle: Json, channel: str, serial: int, before: Json | None = None, **more: t.Any
    ) -> None:
        """What a promotion leaves in the store."""
        previous = before["digest"] if before else None
        row = {"digest": bundle["digest"], "version": f"{serial}.0.0", "at": f"2026-02-{serial:02}T00:00:00Z"}
        states = [{"host": "r", "plugin": "apt_publish", "state_digest": "x", "arguments": {"root": "/r"}}]
        row.update({"by": "ann", "serial": serial, **more})
        pointer = {**row, "previous": previous}
        self.store.transact(
            {},
            [
                Put(f"channel/{channel}", pointer),
                Put(f"channel/{serial}.0.0", {**pointer, "channel": channel}),
                Put(f"history/{channel}/{serial:012d}", {**row, "from": previous, "states": states}),
            ],
        )

    def keys(self, *signers: str) -> KnownKeys:
        return KnownKeys(self.store, signers)

    def finder(self, *signers: str, archive: bool = True) -> Finder:
        return Finder(self.store, self.archive if archive else None, self.keys(*signers), self.lines.append)

    def digests(self, **wanted: t.Any) -> list[str]:
        """The bundles that are found, newest first."""
        return [bundle["digest"] for bundle in self.finder().find(wanted).bundles]
