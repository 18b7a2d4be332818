# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Artifacts that are no files of a run directory: images and charts, git commits, states of repositories."""

from __future__ import annotations

import base64
import hashlib
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._git_address import GIT_ADDRESS

Json = dict[str, t.Any]

# Loopback is the only place where plain HTTP cannot be listened to.
_REGISTRY = re.compile(
    r"https://(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,45}\])(?::[0-9]{1,5})?"
    r"|http://(?:127(?:\.[0-9]{1,3}){3}|localhost|\[::1\])(?::[0-9]{1,5})?"
)
# As in the OCI distribution specification.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_MEDIA_TYPES = frozenset(
    (
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    )
)
_LONGEST_MANIFEST = (4 << 20) // 3 * 4  # characters: no registry takes a manifest beyond 4 MiB
_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WORD = re.compile(r"[!-.0-~]{1,255}")  # no space, no /, nothing beyond ASCII
_HEX = re.compile(r"[0-9a-f]{64}")
_PACKAGE = ("name", "package_version", "architecture", "sha256")


class ArtifactError(Exception):
    """What is wrong with an artifact."""


def _must(artifact: Json, key: str, form: re.Pattern[str], what: str) -> None:
    value = artifact.get(key)
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ArtifactError(f"its {key} is not {what}")


def _no_path(artifact: Json) -> None:
    if "path" in artifact:
        raise ArtifactError("it has a path, and is no file of the run directory")


def _check_oci(artifact: Json) -> None:
    _no_path(artifact)
    _must(artifact, "registry", _REGISTRY, "https://host[:port] (http:// only on loopback)")
    _must(artifact, "repository", _REPOSITORY, "the name of a repository in a registry")
    if len(artifact["repository"]) > 255:
        raise ArtifactError("its repository has more than 255 characters")
    if artifact.get("media_type") not in _MEDIA_TYPES:
        raise ArtifactError("its media_type is not that of an image's manifest or index")
    if "tag" in artifact:
        _must(artifact, "tag", _TAG, "a tag (letters, digits and ._-)")
    if "manifest" in artifact and _digits_of_base64(artifact["manifest"]) != artifact["sha256"]:
        raise ArtifactError("its manifest is not lines of base64 of what has its sha256")


def _digits_of_base64(lines: t.Any) -> str:
    # Lines, because no text of an artifact is longer than 4,096 characters.
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        return ""
    try:
        text = "".join(lines)
        data = base64.b64decode(text, validate=True) if len(text) <= _LONGEST_MANIFEST else b""
        return hashlib.sha256(data).hexdigest()
    except ValueError:
        return ""


def _check_git(artifact: Json) -> None:
    _no_path(artifact)
    _must(artifact, "url", GIT_ADDRESS, "the address of a git repository without a password")
    _must(artifact, "commit", _OBJECT, "the name of a commit")
    _must(artifact, "tree", _OBJECT, "the name of a tree")
    if not isinstance(artifact.get("subject"), str):
        raise ArtifactError("it has no subject")
    if artifact["size"] != 0 or artifact["sha256"] != _record_sha256(artifact):
        raise ArtifactError("its size is not 0, or its sha256 is not that of its commit and tree")


def _check_state(artifact: Json) -> None:
    _no_path(artifact)
    listed = artifact.get("packages")
    if not isinstance(listed, list) or not all(map(_is_package, listed)):
        raise ArtifactError(f"its packages are not a list of objects with {', '.join(_PACKAGE)}")
    rows = [_row(package) for package in listed]
    if rows != sorted(set(rows)):
        raise ArtifactError("its packages are not sorted, or one is there twice")
    if artifact["sha256"] != _hex(listed):
        raise ArtifactError("its sha256 is not that of its packages")


def _is_package(package: t.Any) -> bool:
    if not isinstance(package, dict) or len(package) != len(_PACKAGE):
        return False
    if not all(isinstance(package.get(key), str) for key in _PACKAGE):
        return False
    words = all(_WORD.fullmatch(package[key]) for key in _PACKAGE)
    return words and _HEX.fullmatch(package["sha256"]) is not None


def _row(package: Json) -> tuple[str, ...]:
    return tuple(package[key] for key in _PACKAGE)


def _hex(value: t.Any) -> str:
    return digest_json(value)[len("sha256:") :]


def _record_sha256(artifact: Json) -> str:
    # Git's names may be of another kind (sha1), so the commit gets one like all the others.
    return _hex({"commit": artifact.get("commit"), "tree": artifact.get("tree")})


# A type that is not here is one of files.
ELSEWHERE: dict[str, t.Callable[[Json], None]] = {
    "oci_image": _check_oci,
    "helm_chart": _check_oci,
    "git_commit": _check_git,
    "apt_state": _check_state,
    "rpm_state": _check_state,
}


def completed(raw: Json) -> Json:
    """``raw`` with what follows from the rest of it, where a stage did not say it."""
    if raw.get("type") == "git_commit":
        return {"size": 0, "sha256": _record_sha256(raw), **raw}
    if raw.get("type") in ("apt_state", "rpm_state"):
        listed = raw.get("packages")
        if not isinstance(listed, list) or not all(map(_is_package, listed)):
            return raw  # the check says what is wrong
        ordered = sorted(listed, key=_row)
        return {"size": 0, "sha256": _hex(ordered), **raw, "packages": ordered}
    return raw
