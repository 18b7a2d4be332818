# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bundle: the artifacts built and tested together, and the inputs they came from."""

from __future__ import annotations

import json
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._artifacts import (
    check_artifact,
    check_old_artifact,
    same,
    sealed_artifact,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._values import check_value
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json, parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._seal import bundle_digest

FORMAT = 2
READ = (1, 2)
SEAL = "seal"  # the stage that seals: its own record cannot be part of what it seals

# Sections of run.json that say what was built from what. Everything else there (times, the
# run's name, the machine) may differ between two runs of one queue and stays outside.
INPUTS = (
    "collection",
    "images",
    "parameters",
    "pipeline",
    "profile",
    "projects",
    "queue",
    "repositories",
    "tools",
)
# A run.json that is whole (it names the code) tells more of these than what was built depends on: what
# a site decided, and what else its machines have. Two sites make one bundle of the same inputs.
_TOOLS = ("git", "gpg", "mmdebstrap", "python", "rpm")
_VOLATILE = frozenset(
    (
        "created",
        "finished",
        "log",
        "logs",
        "run_dir",
        "seconds",
        "started",
        "started_ns",
    )
)
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_LIMIT = 16 << 20  # what is larger would not be read from a run directory again

Json = dict[str, t.Any]


def digest_hex(digest: str) -> str:
    """The hexadecimal part of a bundle's digest, which may be given with or without ``sha256:``."""
    found = _DIGEST.fullmatch(digest)
    if not found:
        raise DistrogateError(
            "bad_digest", f"{digest!r} is not a bundle's digest (sha256: and 64 hexadecimal digits)."
        )
    return found.group(1)


def _stable(value: t.Any, run_dir: str) -> t.Any:
    """``value`` without what differs between two runs of one queue."""
    if isinstance(value, dict):
        return {key: _stable(item, run_dir) for key, item in value.items() if key not in _VOLATILE}
    if isinstance(value, list):
        return [_stable(item, run_dir) for item in value]
    if isinstance(value, str) and len(run_dir) > 1:
        return value.replace(run_dir, "run:")
    return value


def merged_trees(frozen: Json, stages: dict[str, Json]) -> dict[str, str]:
    """The git tree of each project as it was merged: what the stage ``workspace`` found, else run.json's."""
    facts = stages.get("workspace", {}).get("facts", {})
    trees = facts.get("trees") or frozen.get("trees")
    if not trees:
        projects = facts.get("projects", {})
        trees = {name: project["tree"] for name, project in projects.items() if "tree" in project}
    if not isinstance(trees, dict) or not all(isinstance(tree, str) for tree in trees.values()):
        raise DistrogateError(
            "bad_bundle", "The trees of the workspace are not a mapping of project to tree id."
        )
    return dict(sorted(trees.items()))


def trees_hex(trees: dict[str, str]) -> str:
    """One name for a set of merged trees."""
    return digest_json(trees)[len("sha256:") :]


def _changes(frozen: Json) -> dict[str, str]:
    """The newest change of each project in the queue, as ``number,patch set``."""
    queue = frozen.get("queue")
    entries = [entry for entry in queue if isinstance(entry, dict)] if isinstance(queue, list) else []
    return {
        str(entry["project"]): ",".join(str(entry[k]) for k in ("change_id", "patch_set") if entry.get(k))
        for entry in entries
        if entry.get("project") and entry.get("change_id")
    }


def _taken(raw: t.Any, stage: str, changes: dict[str, str], version: int) -> Json:
    """A stage's artifact as a bundle of that version records it."""
    if version == FORMAT:
        artifact = sealed_artifact(raw, stage, changes)
    else:
        artifact = raw if isinstance(raw, dict) else {}
        check_old_artifact(artifact, f"The stage {stage}")
    facts: Json = _stable({key: value for key, value in artifact.items() if key != "path"}, "")
    return {**facts, "path": artifact["path"]} if "path" in artifact else facts


def collect_artifacts(
    stages: dict[str, Json], changes: dict[str, str] | None = None, version: int = FORMAT
) -> list[Json]:
    """The artifacts of all successful stages, sorted, each once; one name for two contents is refused."""
    found: dict[tuple[str, str], Json] = {}
    for name, stage in stages.items():
        if stage.get("verdict") != "success" or name == SEAL:
            continue
        for raw in stage.get("artifacts", []):
            artifact = _taken(raw, name, changes or {}, version)
            other = found.setdefault((artifact["type"], artifact["name"]), artifact)
            if not same(other, artifact):
                raise DistrogateError(
                    "artifact_conflict",
                    f"Two stages made different artifacts named {artifact['name']}"
                    f" ({other['sha256']} and {artifact['sha256']}, the second by stage {name})."
                    " Run the stages again from the first of them.",
                )
    return [found[key] for key in sorted(found)]


def _inputs(frozen: Json, run_dir: str) -> Json:
    """What a bundle covers of run.json."""
    covered = {key: frozen[key] for key in INPUTS if frozen.get(key) is not None}
    if frozen.get("code"):
        tools = covered.get("tools")
        covered.update(parameters={}, repositories={})
        if isinstance(tools, dict):
            covered["tools"] = {name: tools[name] for name in _TOOLS if name in tools}
    return {key: _stable(value, run_dir) for key, value in covered.items()}


def make_bundle(frozen: Json, stages: dict[str, Json], run_dir: str, version: int = FORMAT) -> Json:
    """The bundle of a run, with its digest."""
    check_value(frozen, "bad_bundle", "run.json")
    for name, stage in stages.items():
        check_value({**stage, "artifacts": []}, "bad_stage", f"stages/{name}.json")
    artifacts = collect_artifacts(stages, _changes(frozen), version)
    if not artifacts:
        raise DistrogateError(
            "empty_bundle", f"No successful stage of {run_dir} made an artifact: there is nothing to seal."
        )
    inputs = _inputs(frozen, run_dir)
    inputs["trees"] = merged_trees(frozen, stages)
    bundle = {"version": version, "artifacts": artifacts, "inputs": inputs}
    return {**bundle, "digest": bundle_digest(bundle)}


def bundle_text(bundle: Json) -> str:
    """The one spelling of bundle.json, for people to read."""
    return json.dumps(bundle, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parse_bundle(text: str, name: str = "bundle.json") -> Json:
    """Read bundle.json as a stranger's: any other spelling, order or digest than ours is refused."""
    bundle = parse_json(text, name, _LIMIT)
    try:
        _check_form(bundle, text, name)
        digest = bundle_digest(bundle)
        if digest != bundle["digest"]:
            raise DistrogateError(
                "bad_bundle",
                f"{name} says that its digest is {bundle['digest']}, but its contents have {digest}.",
            )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DistrogateError(
            "bad_bundle", f"{name} does not have the form of a bundle: {error!r}"
        ) from error
    return t.cast(Json, bundle)


def _check_form(bundle: Json, text: str, name: str) -> None:
    version = bundle["version"]
    if not isinstance(version, int) or isinstance(version, bool) or version not in READ:
        raise DistrogateError(
            "bad_bundle", f"{name} has version {version!r}; this code reads {' and '.join(map(str, READ))}."
        )
    check_value(bundle, "bad_bundle", name)
    check = check_artifact if version == FORMAT else check_old_artifact
    for artifact in bundle["artifacts"]:
        check(artifact, name)
    keys = [(artifact["type"], artifact["name"]) for artifact in bundle["artifacts"]]
    whole = (
        set(bundle) == {"version", "artifacts", "inputs", "digest"}
        and isinstance(bundle["inputs"], dict)
        and isinstance(bundle["inputs"].get("trees"), dict)
        and keys == sorted(set(keys))
        and bundle_text(bundle) == text
    )
    if not whole:
        raise DistrogateError("bad_bundle", f"{name} is not spelled as sealing spells it: it was edited.")


def packages(bundle: Json) -> list[str]:
    """``name=version`` of every package in the bundle, sorted."""
    return sorted(
        {
            f"{artifact['package']}={artifact.get('package_version', '')}"
            for artifact in bundle["artifacts"]
            if artifact.get("package")
        }
    )


def contains(known: t.Iterable[str], wanted: str) -> bool:
    """Whether ``wanted`` (a name, or name=version) is among packages written ``name=version``."""
    return any(wanted in (package, package.partition("=")[0]) for package in known)


def artifact_path(run_dir: str, artifact: Json) -> str:
    """Where an artifact lies on the host of its run directory."""
    return os.path.join(run_dir, artifact["path"])
