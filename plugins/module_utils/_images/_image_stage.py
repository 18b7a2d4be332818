# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image stage: an image in the store becomes artifacts of a run."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _under_way
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import clone_file, sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import SUCCESS, Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import (
    Stage,
    short,
    stage_record,
    terms,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._disk_image import (
    BUILT,
    REUSED,
    Say,
    Taken,
    asked,
    take,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_files import (
    IMAGE,
    PACKAGES,
    ROOT,
    read_sums,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._make import Outcome
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Image, Store

TYPE = "image"  # of artifacts: a disk among them needs the verdict of a boot test
_FOLDER = "images"

Json = dict[str, t.Any]


def add_artifacts(run: Run, image: Image, origin: str) -> list[Json]:
    """Give the run names of the image's files; those of a root directory it does not get.

    Each has the image's ``key`` and its ``format``: beside those of the disk ``vmlinuz``, ``initrd``,
    ``manifest`` (image.json) and ``packages``. What comes from where it is published says so: ``taken``
    has the channel or version, and no promotion publishes it again.
    """
    taken = {} if origin in (BUILT, REUSED) else {"taken": origin}
    name, boot = image.facts["name"], image.facts["boot"]
    folder = run.file("artifacts", _FOLDER, name)
    os.makedirs(folder, exist_ok=True)
    digests = read_sums(image.path)
    own = {one["name"]: one["format"] for one in image.facts["files"] if one["format"] != ROOT}
    own.update({boot["kernel"]: "vmlinuz", boot["initrd"]: "initrd", IMAGE: "manifest", PACKAGES: "packages"})
    found = []
    for file, kind in own.items():
        if file in digests:
            target = os.path.join(folder, file if file.startswith(f"{name}.") else f"{name}.{file}")
            _link(os.path.join(image.path, file), target)
            found.append({**_artifact(run, image, target, kind, digests[file]), **taken})
    return found


def _artifact(run: Run, image: Image, path: str, kind: str, sha256: str) -> Json:
    return {
        "type": TYPE,
        "name": os.path.basename(path),
        "path": run.relative(path),
        "sha256": sha256,
        "size": os.path.getsize(path),
        "format": kind,
        "image": image.facts["name"],
        "key": image.key,
    }


def _link(source: str, target: str) -> None:
    """A second name of the file, where that is possible; else a copy. Nobody writes to either."""
    if os.path.lexists(target):
        if not os.path.islink(target) and os.path.samefile(source, target):
            return
        os.unlink(target)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        clone_file(source, target, mode=0o444)


def image_stage(call: Call, run: Run, say: Say) -> None:
    """The stage in the run: its record, its artifacts, and the module's result."""
    params = call.params
    if not run.exists():
        raise DistrogateError("no_run", f"{run.path} is no run directory. Run the stage freeze first.")
    stage = Stage(run, params["stage"], dataclasses.replace(terms(params), shared=None))
    stage.look()
    store = Store(params["output"], params["name"], read_only=call.check_mode)
    record = _earlier(call, stage, store, say)
    if record is not None:
        call.result["stage"] = short(run, record, "this_run")
        call.result["msg"] = call.result["stage"]["msg"]
        return
    if call.check_mode:
        taken = take(call, run, "", say)
        call.difference.add("image", *taken.change(store))
        call.result.update(taken.result(store))
        return
    with stage_record(stage, call.result):
        taken = take(call, run, stage.log, say)
        image = taken.outcome.image
        if image is None:
            raise DistrogateError("damaged_image", f"{params['name']} vanished. Run it again.")
        stage.inputs = dict(image.facts["inputs"])
        stage.artifacts = add_artifacts(run, image, taken.origin)
        result = taken.result(store)
        names = ("key", "image", "changed_inputs", "reused", "from")
        stage.facts = {"name": params["name"], "boot": image.facts["boot"], **{n: result[n] for n in names}}
    call.difference.add("image", *taken.change(store))
    call.result.update(result)


def _earlier(call: Call, stage: Stage, store: Store, say: Say) -> Json | None:
    """The stage's own earlier success in this run, when the image and its inputs are as they were.

    What the distribution has become since does not count: a run keeps the image that it tested.
    """
    record = stage.run.stage(stage.name)
    if not stage.key or stage.terms.force or record is None or record["verdict"] != SUCCESS:
        return None
    if record.get("key") != stage.key or _under_way.note(stage.run, stage.name) is not None:
        return None
    facts = record["facts"]
    image = _whole(stage.run, store, record, call.params["verify"] == "full")
    if image is None or not store.use(image.path):
        return None
    if facts["from"] in (BUILT, REUSED):
        mark = "distribution:"
        inputs = image.facts["inputs"].items()
        pins = {name[len(mark) :]: value for name, value in inputs if name.startswith(mark)}
        if asked(call, stage.run, "", say, pins).key(store) != image.key:
            return None
    taken = Taken(Outcome(image.key, image, True, facts["changed_inputs"]), facts["from"])
    call.result.update(taken.result(store))
    return record


def _whole(run: Run, store: Store, record: Json, full: bool) -> Image | None:
    """The image of a record; None when it, or one of the artifacts, is not what it was."""
    folder = str(record["facts"].get("image", ""))
    if not folder.startswith(store.home + "/"):
        return None
    with contextlib.suppress(DistrogateError, OSError):
        image = store.at(folder, str(record["facts"].get("key")), full)
        if image is not None and all(_is_same(run, image, one) for one in record["artifacts"]):
            return image
    return None


def _is_same(run: Run, image: Image, artifact: Json) -> bool:
    """A second name of the image's own file, or a copy that was not touched."""
    path = run.file(*artifact["path"].split("/"))
    name = artifact["name"]
    own = name if os.path.lexists(os.path.join(image.path, name)) else name[len(image.facts["name"]) + 1 :]
    if os.path.islink(path):
        return False
    return os.path.samefile(path, os.path.join(image.path, own)) or sha256_file(path) == artifact["sha256"]
