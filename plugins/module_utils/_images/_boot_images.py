# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of a run that a machine can boot, each with the kernel that it may need."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, read_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import sha256_file_or_none
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._images._boot import Image

TYPE = "image"
DISKS = ("qcow2", "raw")
_LIMIT = 8 << 20

Json = dict[str, t.Any]


def images_of(run: Run, names: t.Collection[str] = ()) -> list[Image]:
    """All disks among the artifacts of the type image, or those with such names. Error ``no_image``."""
    found = []
    for stage in run.stages().values():
        artifacts = [
            one for one in stage["artifacts"] if one["type"] == TYPE and stage["verdict"] == "success"
        ]
        for artifact in artifacts:
            if artifact.get("format") in DISKS and (not names or artifact["name"] in names):
                found.append(_image(run, artifact, artifacts, stage.get("facts", {})))
    missing = sorted(set(names) - {image.name for image in found})
    if missing or not found:
        what = f"no disk image {', '.join(missing)}" if missing else "no disk image"
        raise DistrogateError(
            "no_image",
            f"The run {run.path} has {what}. Run the stage image before, with the format qcow2 or raw.",
        )
    return found


def _image(run: Run, artifact: Json, others: list[Json], facts: Json) -> Image:
    """An artifact as it is booted; its kernel is an artifact of its key, or lies in the image's folder."""
    key = artifact.get("key", "")
    parts = {one.get("format"): one for one in others if key and one.get("key") == key}
    paths = {name: _path(run, parts[name]) for name in ("vmlinuz", "initrd") if name in parts}
    said, folder = _said(facts, key)
    for name, word in (("vmlinuz", "kernel"), ("initrd", "initrd")):
        if name not in paths and isinstance(said.get(word), str) and said[word] and folder:
            paths[name] = inside(folder, said[word])
    beside = {
        word: parts[name]["sha256"] if name in parts else sha256_file_or_none(paths[name]) or ""
        for name, word in (("vmlinuz", "kernel"), ("initrd", "initrd"))
        if name in paths
    }
    return Image(
        name=artifact["name"],
        path=_path(run, artifact),
        format=artifact["format"],
        sha256=artifact["sha256"],
        key=key,
        kernel=paths.get("vmlinuz", ""),
        initrd=paths.get("initrd", ""),
        append=str(said.get("append") or "root=/dev/vda ro"),
        beside=beside,
    )


def _path(run: Run, artifact: Json) -> str:
    return run.file(*artifact["path"].split("/"))


def _said(facts: Json, key: str) -> tuple[Json, str]:
    """What image.json says of booting, and its folder: that which the stage image names, for this key."""
    folder = facts.get("image")
    if not isinstance(folder, str) or facts.get("key", key) != key:
        return {}, ""
    try:
        found = read_json(os.path.join(folder, "image.json"), limit=_LIMIT)
    except DistrogateError:
        found = {}  # such as in a run that was copied here
    said = found.get("boot") if isinstance(found, dict) else None
    said = said or facts.get("boot")
    return (said if isinstance(said, dict) else {}), folder


def checked(image: Image) -> Image:
    """The image; disk, kernel and initrd have the digests that are recorded. Error ``artifact_differs``."""
    beside = [(path, image.beside.get(word, "")) for word, path in _beside(image) if path]
    for path, wanted in [(image.path, image.sha256), *beside]:
        found = sha256_file_or_none(path)
        if found is None or (wanted and found != wanted):
            raise DistrogateError(
                "artifact_differs",
                f"{path} has the sha256 {found or 'of no file'}, and not {wanted or 'one'} as its record"
                " says. Somebody changed it: run the stage image again.",
            )
    return image


def _beside(image: Image) -> tuple[tuple[str, str], ...]:
    return ("kernel", image.kernel), ("initrd", image.initrd)
