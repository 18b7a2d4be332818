# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An archive of many bundles, and the store that belongs to it, as sealing and promotion leave them."""

from __future__ import annotations

import concurrent.futures
import datetime
import hashlib
import os
import pathlib
import typing as t

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import trees_hex
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._seal import bundle_digest
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Put, open_store

IMAGES = 40  # of the artifacts of a bundle; the others are packages
TESTS = ("lint", "unit_test", "install_test", "system_test")
PROMOTED = 10  # every so many bundles are promoted
_START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
_REGISTRY = "https://registry.example.org"

Json = dict[str, t.Any]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def commit(number: int) -> str:
    return hashlib.sha1(f"commit {number}".encode()).hexdigest()


def at(number: int) -> datetime.datetime:
    """When a bundle was sealed: one an hour."""
    return _START + datetime.timedelta(hours=number)


def _artifact(number: int, index: int) -> Json:
    origin = {"stage": "build", "project": f"project{index % 20}", "commit": commit(number)}
    sha256 = sha(f"{number} {index}")
    if index < IMAGES:
        return {
            "type": "oci_image",
            "name": f"image{index:03}",
            "registry": _REGISTRY,
            "repository": f"cloud/image{index:03}",
            "media_type": "application/vnd.oci.image.manifest.v1+json",
            "sha256": sha256,
            "size": 200 << 20,
            "origin": origin,
        }
    name, version = f"package{index:03}", f"{1 + number // 100}.{number}.{index}-1"
    file = f"{name}_{version}_amd64.deb"
    return {
        "type": "deb",
        "name": file,
        "path": f"artifacts/{file}",
        "sha256": sha256,
        "size": 20000 + index,
        "package": name,
        "package_version": version,
        "architecture": "amd64",
        "origin": origin,
    }


def bundle(number: int, artifacts: int) -> Json:
    """One bundle; no artifact is in two of them, which is the most that an index has to hold."""
    made = sorted((_artifact(number, i) for i in range(artifacts)), key=lambda a: (a["type"], a["name"]))
    project = f"project{number % 20}"
    queue = [
        {
            "project": project,
            "branch": "main",
            "commit": commit(number),
            "change_id": str(number),
            "patch_set": "2",
        }
    ]
    inputs = {
        "pipeline": ("gate", "check", "periodic")[number % 3],
        "queue": queue,
        "projects": {
            project: {"url": f"https://git.example.org/{project}", "base_commit": commit(number - 20)}
        },
        "trees": {project: commit(number + 10**6)},
    }
    value = {"version": _bundle.FORMAT, "artifacts": made, "inputs": inputs}
    return {**value, "digest": bundle_digest(value)}


def said(value: Json, text: str, number: int, key: _statements.SigningKey) -> dict[str, str]:
    """Provenance, a verdict of each test, and of some bundles a promotion, a waiver or a hold."""
    digest, when = value["digest"], at(number)
    at_ns = int(when.timestamp()) * 10**9
    sealed = when.isoformat().replace("+00:00", "Z")
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    found = {"provenance": _statements.provenance_statement(value, sha256, {"id": str(number)}, "b", sealed)}
    for index, test in enumerate(TESTS):
        result = "FAILED" if (number * 7 + index) % 23 == 0 else "PASSED"
        found[f"stage-{test}"] = _statements.verdict_statement(digest, test, result, at_ns + index, {})
    if number % 50 == 0:
        about = {"rule": "minimum_age", "author": "ann", "reason": "a fix", "expires": "2027-01-01T00:00:00Z"}
        found["waiver"] = _statements.statement(digest, _statements.WAIVER, {**about, "at_ns": at_ns + 9})
    if number % 75 == 0:
        about = {"name": "security", "author": "ann", "reason": "is looked into"}
        found["hold"] = _statements.statement(digest, _statements.HOLD, {**about, "at_ns": at_ns + 9})
    if number % PROMOTED == 0:
        about = {"channel": "latest", "version": f"{number // PROMOTED + 1}.0.0", "at": sealed, "by": "ci"}
        found["promotion"] = _statements.statement(digest, _statements.PROMOTION, {**about, "previous": None})
    return {f"{name}.json": _statements.sign(statement, key) for name, statement in found.items()}


def new_key(folder: pathlib.Path) -> _statements.SigningKey:
    """A key that signs, in a file."""
    path = folder / "ci.pem"
    if not path.exists():
        private = ed25519.Ed25519PrivateKey.generate()
        kinds = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(private.private_bytes(*kinds))
    return _statements.load_signing_key(str(path), None, {})


def _write(root: pathlib.Path, numbers: range, artifacts: int) -> list[tuple[int, str, Json, list[str]]]:
    """Write some of the bundles; what the store has of them. Without the checks of the archive."""
    key = new_key(root)
    archive = Archive(str(root / "archive"))
    found = []
    for number in numbers:
        value = bundle(number, artifacts)
        text = _bundle.bundle_text(value)
        folder = pathlib.Path(archive.folder(value["digest"]))
        (folder / "statements").mkdir(parents=True)
        (folder / "bundle.json").write_text(text)
        for name, envelope in said(value, text, number, key).items():
            (folder / "statements" / name).write_text(envelope)
        found.append((number, value["digest"], value["inputs"]["trees"], _bundle.packages(value)))
    return found


def make(root: pathlib.Path, bundles: int, artifacts: int) -> list[str]:
    """The archive ``root``/archive and the store ``root``/store.db; returns the digests, oldest first."""
    root.mkdir(parents=True, exist_ok=True)
    key = new_key(root)
    workers = os.cpu_count() or 1
    parts = [range(start, bundles, workers) for start in range(workers)]
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        made = sorted(
            row for rows in pool.map(_write, [root] * workers, parts, [artifacts] * workers) for row in rows
        )
    with open_store(f"sqlite://{root}/store.db") as store:
        store.transact({}, [Put(f"key/{key.public.keyid}", key.public.pem)])
        for start in range(0, bundles, 500):
            puts = [put for row in made[start : start + 500] for put in _noted(*row)]
            store.transact({}, puts)
    return [row[1] for row in made]


def _noted(number: int, digest: str, trees: dict[str, str], packages: list[str]) -> list[Put]:
    """What the store has of a bundle, and of its promotion."""
    sealed = at(number).isoformat().replace("+00:00", "Z")
    pipeline = ("gate", "check", "periodic")[number % 3]
    facts = {
        "run_dir": f"/srv/runs/{number}",
        "host": "builder",
        "pipeline": pipeline,
        "sealed": sealed,
        "packages": packages,
    }
    puts = [
        Put(f"bundle/{digest[7:]}", facts),
        Put(f"tree/{trees_hex(trees)}/{pipeline}", digest),
    ]
    if number % PROMOTED == 0:
        serial = number // PROMOTED + 1
        pointer = {"digest": digest, "version": f"{serial}.0.0", "serial": serial, "at": sealed, "by": "ci"}
        statement = digest_json(pointer) * 20  # as long as an envelope
        states = [{"host": "r", "plugin": "apt_publish", "state_digest": digest}]
        puts += [
            Put("channel/latest", {**pointer, "previous": None}),
            Put(f"channel/{serial}.0.0", {**pointer, "previous": None, "channel": "latest"}),
            Put(
                f"history/latest/{serial:012d}",
                {**pointer, "from": None, "states": states, "statement": statement},
            ),
        ]
    return puts
