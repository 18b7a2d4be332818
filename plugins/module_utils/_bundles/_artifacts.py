# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The artifacts of a bundle: what each type has, and what is refused."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._artifacts_elsewhere import (
    ELSEWHERE,
    ArtifactError,
    completed,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._values import fault_of, text_fault
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside

Json = dict[str, t.Any]

_HEX = re.compile(r"[0-9a-f]{64}")
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_STAGE = _TYPE
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LARGEST = (1 << 53) - 1  # the last integer that every reader of JSON reads alike
_FACTS = ("package", "package_version", "architecture", "taken")


def is_file(artifact: Json) -> bool:
    """Whether it is a file of the run directory; the others lie in a registry, or are a record alone."""
    return artifact["type"] not in ELSEWHERE


def check_artifact(artifact: Json, name: str) -> None:
    """Refuse an artifact (of bundle.json, version 2) that promotion could not trust."""
    try:
        _check(artifact)
    except (ArtifactError, DistrogateError) as error:
        raise _refused(name, str(error), artifact) from error


def sealed_artifact(raw: t.Any, stage: str, changes: t.Mapping[str, str]) -> Json:
    """A stage's artifact as the bundle records it; ``changes`` names each project's change."""
    try:
        fault = fault_of(raw)
        if fault or not isinstance(raw, dict):
            raise ArtifactError(fault or "it is not an object")
        origin = raw.get("origin", {})
        if not isinstance(origin, dict):
            raise ArtifactError("its origin is not an object")
        project = origin.get("project")
        known = {"change": changes[project]} if isinstance(project, str) and project in changes else {}
        artifact = {**completed(raw), "origin": {**known, **origin, "stage": stage}}
        _check(artifact)
    except (ArtifactError, DistrogateError) as error:
        raise _refused(f"The stage {stage}", str(error), raw) from error
    return artifact


def same(one: Json, other: Json) -> bool:
    """Whether two artifacts of one type and name are the same content in the same place."""
    places = ("registry", "repository", "url", "commit")
    return one["sha256"] == other["sha256"] and all(one.get(key) == other.get(key) for key in places)


def check_old_artifact(artifact: Json, name: str) -> None:
    """Refuse an artifact of bundle.json, version 1, that promotion could not trust: all are files."""
    whole = (
        isinstance(artifact.get("name"), str)
        and isinstance(artifact.get("path"), str)
        and isinstance(artifact.get("size"), int)
        and _HEX.fullmatch(str(artifact.get("sha256")))
        and _TYPE.fullmatch(str(artifact.get("type")))
        and "/" not in artifact["name"]
    )
    fault = fault_of(artifact) or text_fault(artifact)
    if fault or not whole:
        raise _refused(name, fault or "it has no usable type, name, path, size or sha256", artifact)
    inside("/", artifact["name"])
    inside("/", artifact["path"])


def _refused(name: str, fault: str, artifact: t.Any) -> DistrogateError:
    shown = artifact if isinstance(artifact, dict) else {}
    what = f"{str(shown.get('type'))[:80]!r} {str(shown.get('name'))[:80]!r}"
    return DistrogateError(
        "bad_artifact",
        f"{name} has an artifact {what} that no bundle may have: {fault}. Record it again, whole.",
        # What cannot be shown as it is would spoil the result, too.
        artifact=None if fault_of(artifact) or text_fault(artifact) else artifact,
    )


def _check(artifact: t.Any) -> None:
    if not isinstance(artifact, dict):
        raise ArtifactError("it is not an object")
    fault = fault_of(artifact) or text_fault(artifact)
    if fault:
        raise ArtifactError(fault)
    kind, name, size = artifact.get("type"), artifact.get("name"), artifact.get("size")
    if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
        raise ArtifactError("its type is not a word of a-z, 0-9 and _")
    if not isinstance(name, str) or name.startswith("-"):
        raise ArtifactError("its name is not text, or begins with -")
    inside("/", name)
    if not isinstance(artifact.get("sha256"), str) or not _HEX.fullmatch(artifact["sha256"]):
        raise ArtifactError("its sha256 is not 64 hexadecimal digits")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _LARGEST:
        raise ArtifactError("its size is not a number of bytes")
    if not all(isinstance(artifact.get(fact, ""), str) for fact in _FACTS):
        raise ArtifactError(f"one of {', '.join(_FACTS)} is not text")
    _check_origin(artifact.get("origin"))
    ELSEWHERE.get(kind, _check_file)(artifact)


def _check_origin(origin: t.Any) -> None:
    if not isinstance(origin, dict) or not all(isinstance(value, str) for value in origin.values()):
        raise ArtifactError("its origin is not an object of texts")
    if not _STAGE.fullmatch(origin.get("stage", "")):
        raise ArtifactError("its origin names no stage")
    if "commit" in origin and not _COMMIT.fullmatch(origin["commit"]):
        raise ArtifactError("its origin's commit is no commit")


def _check_file(artifact: Json) -> None:
    if "/" in artifact["name"]:
        raise ArtifactError("a file's name has no /")
    if not isinstance(artifact.get("path"), str):
        raise ArtifactError("it has no path")
    inside("/", artifact["path"])
