# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run as its stages leave it, and what sealing makes of it."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _statements

Json = dict[str, t.Any]
CONTENTS = {"artifacts/hello_1.0_all.deb": b"a package", "artifacts/hello-1.0.noarch.rpm": b"another"}


def stage(name: str, verdict: str = "success", **more: t.Any) -> Json:
    """A stage's record."""
    return {
        "version": 1,
        "stage": name,
        "verdict": verdict,
        "started": "2026-01-01T00:00:00.000Z",
        "started_ns": 1,
        "seconds": 1.5,
        "inputs": {},
        "artifacts": [],
        "facts": {},
        "logs": [],
        "message": "",
        "reason": "",
        **more,
    }


def artifact(path: str, data: bytes, **facts: t.Any) -> Json:
    """An artifact of a stage."""
    name = path.rpartition("/")[2]
    sha256 = hashlib.sha256(data).hexdigest()
    return {"type": name[-3:], "name": name, "path": path, "sha256": sha256, "size": len(data), **facts}


FROZEN: Json = {
    "version": 1,
    "id": "42",
    "collection": "0.1.0",
    "created": "2026-01-01T00:00:00Z",
    "pipeline": "gate",
    "queue": [{"project": "hello", "branch": "main", "commit": "1" * 40, "change_id": "7", "patch_set": "1"}],
    "projects": {"hello": {"url": "https://git.example.org/hello", "base_commit": "2" * 40}},
    "repositories": [{"name": "base", "url": "file:///runs/42/repositories/base"}],
}


def stages() -> dict[str, Json]:
    """What the stages of a run left."""
    artifacts = [
        artifact(path, data, package="hello", package_version="1.0", architecture="all")
        for path, data in CONTENTS.items()
    ]
    return {
        "workspace": stage("workspace", facts={"projects": {"hello": {"tree": "3" * 40}}}),
        "build": stage("build", artifacts=artifacts),
        "install_test": stage("install_test", started_ns=2),
    }


def signed(
    bundle: Json, key: _statements.SigningKey, records: dict[str, Json] | None = None
) -> dict[str, str]:
    """The statements that sealing writes, by file name."""
    sha256 = hashlib.sha256(_bundle.bundle_text(bundle).encode()).hexdigest()
    provenance = _statements.provenance_statement(bundle, sha256, FROZEN, "builder", "2026-01-01T00:00:00Z")
    found = {"provenance.json": provenance}
    for record in (records or stages()).values():
        stated = _statements.stage_statement(bundle["digest"], record)
        if stated:
            found[stated[0]] = stated[1]
    return {name: _statements.sign(value, key) for name, value in found.items()}


def elsewhere() -> list[Json]:
    """One artifact of each type that is no file, as a stage records it."""
    sha256 = hashlib.sha256(b"manifest").hexdigest()
    image = {
        "name": "kolla/hello",
        "sha256": sha256,
        "size": 200 << 20,
        "registry": "https://registry.example.org:5000",
        "repository": "kolla/hello",
        "tag": "gate-42",
        "media_type": "application/vnd.oci.image.manifest.v1+json",
        "origin": {"project": "hello"},
    }
    packages = [
        {"name": "zebra", "package_version": "1:2.0-1", "architecture": "amd64", "sha256": "b" * 64},
        {"name": "hello", "package_version": "1.0", "architecture": "all", "sha256": "a" * 64},
    ]
    return [
        {**image, "type": "oci_image"},
        {**image, "type": "helm_chart", "name": "hello"},
        {
            "type": "git_commit",
            "name": "openstack/hello",
            "url": "https://git.example.org/openstack/hello",
            "commit": "1" * 40,
            "tree": "2" * 40,
            "subject": "Say hello",
        },
        {"type": "apt_state", "name": "bookworm", "packages": packages},
        {"type": "rpm_state", "name": "el9", "packages": packages[:1]},
    ]


def all_types() -> dict[str, Json]:
    """What the stages of a run left that made artifacts of all types."""
    return {**stages(), "publish": stage("publish", started_ns=3, artifacts=elsewhere())}
