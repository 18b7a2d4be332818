# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the index keeps of a bundle's contents: enough to find it, to list it and to compare it."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._bundle import trees_hex

IMAGES = ("helm_chart", "oci_image")
STATES = {"apt_state": "deb", "rpm_state": "rpm"}
_HEX_PREFIX = re.compile(r"[0-9a-f]{7,64}")
_DIGITS = 15  # hexadecimal digits of a name that fit into SQLite's integer

Json = dict[str, t.Any]


def contents(bundle: Json) -> Json:
    """The compact form: lists of lists, sorted, each entry once.

    ``packages``: [kind, name, architecture, version, sha256]; ``images``: [type, name, sha256, address];
    ``commits``: [project, branch, commit, subject, change]; ``bases``: {project: commit};
    ``files``: [type, name, sha256, size].
    """
    packages: set[tuple[str, ...]] = set()
    listed: set[tuple[str, ...]] = set()
    images: set[tuple[str, ...]] = set()
    files: list[list[t.Any]] = []
    made: list[Json] = []
    for artifact in bundle["artifacts"]:
        kind, sha256 = artifact["type"], artifact["sha256"]
        if kind in STATES:
            listed.update(_package(STATES[kind], one, "name") for one in _dicts(artifact.get("packages")))
        elif kind == "git_commit":
            made.append(artifact)
        elif kind in IMAGES:
            images.add((kind, artifact["name"], sha256, _address(artifact)))
        elif artifact.get("package"):
            packages.add(_package(kind, artifact, "package"))
        else:
            files.append([kind, artifact["name"], sha256, artifact["size"]])
    # A package that was built takes the place of those of its name in the repository, as for who installs it.
    built = {row[:3] for row in packages}
    packages.update(row for row in listed if row[:3] not in built)
    inputs = bundle["inputs"]
    return {
        "packages": sorted(packages),
        "images": sorted(images),
        "commits": _commits(inputs, made),
        "bases": _bases(inputs),
        "files": files,
    }


def _dicts(value: t.Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: t.Any) -> str:
    return "" if value is None else str(value)


def _package(kind: str, raw: Json, name: str) -> tuple[str, ...]:
    words = (name, "architecture", "package_version", "sha256")
    return (kind, *(_text(raw.get(word)) for word in words))


def _address(artifact: Json) -> str:
    registry = _text(artifact.get("registry")).partition("://")[2]
    return f"{registry}/{_text(artifact.get('repository'))}@sha256:{artifact['sha256']}"


def _commits(inputs: Json, made: list[Json]) -> list[list[str]]:
    """The commits of the queue, oldest first, and those that are artifacts; with subjects, where known."""
    subjects = {_text(one.get("commit")): _text(one.get("subject")) for one in made}
    found: dict[str, list[str]] = {}
    for entry in _dicts(inputs.get("queue")):
        commit = _text(entry.get("commit"))
        subject = _text(entry.get("subject")) or subjects.get(commit, "")
        change = _text(entry.get("change_id"))
        found[f"{entry.get('project')} {commit}"] = [
            _text(entry.get("project")),
            _text(entry.get("branch")),
            commit,
            subject,
            change,
        ]
    known = {row[2] for row in found.values()}
    for one in made:
        commit = _text(one.get("commit"))
        if commit not in known:
            origin = one["origin"] if isinstance(one.get("origin"), dict) else {}
            project = _text(origin.get("project")) or one["name"]
            found[f"{project} {commit}"] = [
                project,
                "",
                commit,
                subjects[commit],
                _text(origin.get("change")),
            ]
    return list(found.values())


def _bases(inputs: Json) -> dict[str, str]:
    """The commit that each project was at before the queue was merged."""
    projects = inputs.get("projects")
    if not isinstance(projects, dict):
        return {}
    bases = {name: _text(one.get("base_commit")) for name, one in projects.items() if isinstance(one, dict)}
    return {name: commit for name, commit in sorted(bases.items()) if commit}


def package_names(compact: Json) -> list[str]:
    """``name=version`` of every package, sorted."""
    return sorted({f"{row[1]}={row[3]}" for row in compact["packages"]})


def word_term(word: str) -> int:
    """The number under which the index finds a package, name=version or the name of an image."""
    return int.from_bytes(hashlib.sha256(word.encode("utf-8")).digest()[:8], "big", signed=True)


def hex_term(name: str) -> int:
    """The number of a commit or a digest, in the order of their names."""
    return int(name[:_DIGITS].ljust(_DIGITS, "0"), 16)


def hex_range(wanted: str) -> tuple[int, int] | None:
    """The first and the last number of what begins with ``wanted``; None when that is no such name."""
    digits = wanted.partition("sha256:")[2] if wanted.startswith("sha256:") else wanted
    if not _HEX_PREFIX.fullmatch(digits):
        return None
    return hex_term(digits), int(digits[:_DIGITS].ljust(_DIGITS, "f"), 16)


def terms(bundle: Json, compact: Json) -> tuple[set[int], set[int]]:
    """The numbers by which a bundle is found: those of words, those of commits and digests."""
    words: set[str] = set()
    for _kind, name, _architecture, version, _sha256 in compact["packages"]:
        words.update((name, f"{name}={version}"))
    for _kind, name, _sha256, address in compact["images"]:
        place = address.partition("@")[0]
        words.update((name, address, place, place.partition("/")[2]))
    words.update(row[1] for row in compact["files"])
    if bundle["inputs"].get("trees"):
        words.add("trees " + trees_hex(bundle["inputs"]["trees"]))
    names = {row[2] for row in compact["commits"]} | set(compact["bases"].values())
    names.update(row[4] for row in compact["packages"])
    names.update(artifact["sha256"] for artifact in bundle["artifacts"])
    for artifact in bundle["artifacts"]:
        if isinstance(artifact.get("origin"), dict):
            names.add(_text(artifact["origin"].get("commit")))
    numbers = {hex_term(name) for name in names if _HEX_PREFIX.fullmatch(name)}
    return {word_term(word) for word in words if word}, numbers
