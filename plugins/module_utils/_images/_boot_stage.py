# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot test as a stage of a run, or of a single file."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import typing as t

from ansible.module_utils.common.text.formatters import human_to_bytes

from ansible_collections.distrogate.ci.plugins.module_utils._core._command import tail_of
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY, inside, sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._core._junit import Suite, to_xml, write_results
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call
from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import (
    remember,
    reused,
    sha256_file_or_none,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, stage_record, terms
from ansible_collections.distrogate.ci.plugins.module_utils._images import _boot, _boot_images
from ansible_collections.distrogate.ci.plugins.module_utils._images._checks import Checks
from ansible_collections.distrogate.ci.plugins.module_utils._images._console import pattern

_USER = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
_RETURNED = 4 << 20

Say = t.Callable[[str], None]


def boot_run(call: Call, say: Say) -> None:
    """Boot the images of a run; its file says what was seen of which digest."""
    run = Run(call.params["run_dir"])
    asked = _terms(call.params, run.file("workspace"))
    images = [] if call.check_mode else _boot_images.images_of(run, call.params["images"])
    call.difference.add("boots", None, [image.name for image in images] or call.params["images"] or "images")
    if call.check_mode:
        call.result["boots"] = []
        return
    digests = {image.name: image.sha256 for image in images}
    beside = {image.name: image.said() for image in images if image.beside}
    given = terms(call.params, image=digests, beside=beside, tests=_read(asked.checks))
    stage = Stage(run, call.params["stage"], given)
    record = reused(stage, call.result)
    if record is not None:
        call.result["boots"] = record["facts"].get("boots", [])
        return
    suite = Suite(stage.name)
    scratch = call.params["scratch"] or run.file("scratch", stage.name)
    with stage_record(stage, call.result), contextlib.ExitStack() as stack:
        stage.inputs = {"images": digests, **({"beside": beside} if beside else {})}
        stack.callback(write_results, run.path, stage.name, [suite])
        call.result["boots"] = []
        for image in images:
            os.makedirs(run.file("results"), exist_ok=True)
            place = _boot.Place(
                scratch, stage.log, suite, say, run.file("results", f"{stage.name}-{image.name}.xml")
            )
            call.result["boots"].append(_booted(_boot_images.checked(image), asked, place))
        stage.facts = {"boots": call.result["boots"]}
    remember(stage)


def boot_file(call: Call, say: Say) -> None:
    """Boot one file, and return what a run would keep."""
    params, suite = call.params, Suite(call.params["stage"])
    asked = _terms(params, "")
    call.difference.add("boots", None, [os.path.basename(params["path"])])
    call.result["boots"] = []
    if call.check_mode:
        return
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        log, results = os.path.join(folder, "boot.log"), os.path.join(folder, "tests.xml")
        place = _boot.Place(params["scratch"] or folder, log, suite, say, results)
        try:
            image = _boot.Image(
                name=os.path.basename(params["path"]),
                path=params["path"],
                format=params["format"],
                sha256=sha256_file(params["path"]),
                kernel=params["kernel"] or "",
                initrd=params["initrd"] or "",
                append=params["append"],
            )
            call.result["boots"] = [_booted(image, asked, place)]
        except DistrogateError as error:
            error.details.pop("log", None)
            raise
        finally:
            if os.path.exists(log):
                call.result["log"] = tail_of(log, size=_RETURNED).decode("utf-8", "replace")
            call.result["junit"] = to_xml([suite])


def _booted(image: _boot.Image, asked: _boot.Terms, place: _boot.Place) -> dict[str, t.Any]:
    found = _boot.boot(image, asked, place)
    said = {"beside": image.beside} if image.beside else {}
    return {"name": image.name, "sha256": image.sha256, "key": image.key, **said, **found}


def _terms(params: dict[str, t.Any], workspace: str) -> _boot.Terms:
    """The options, checked before anything begins."""
    if not _USER.fullmatch(params["user"]):
        raise DistrogateError("bad_options", f"{params['user']!r} is not the name of a user.")
    if not all(params["commands"]):
        raise DistrogateError("bad_options", "One of the commands is empty.")
    pattern([*params["fail_on"], params["wait_for"]])
    return _boot.Terms(
        wait_for=params["wait_for"],
        fail_on=tuple(params["fail_on"]),
        checks=Checks(
            commands=tuple(tuple(str(word) for word in argv) for argv in params["commands"]),
            tests=_tests(params, workspace),
            rootfs=params["rootfs"] or "",
            user=params["user"],
            timeout=params["timeout"],
        ),
        accelerator=params["accelerator"],
        memory=_bytes(params["memory"], "memory"),
        writes=_bytes(params["writes"], "writes"),
        timeout=params["timeout"],
    )


def _tests(params: dict[str, t.Any], workspace: str) -> str:
    tests: str = params["tests"]
    if not tests:
        return ""
    if not params["rootfs"]:
        raise DistrogateError(
            "bad_options",
            "Tests run in a sandbox: give a rootfs, a root filesystem that has python3-testinfra and"
            " openssh-client.",
        )
    if os.path.isabs(tests):
        return tests.rstrip("/") or "/"
    if not workspace:
        raise DistrogateError("bad_options", f"{tests!r} is not an absolute path, and there is no run.")
    path, real = inside(workspace, tests.rstrip("/")), os.path.realpath(workspace)
    if not os.path.realpath(path).startswith(real + "/"):
        raise DistrogateError("bad_name", f"{path} is a link that leaves the workspace.")
    return path


def _read(checks: Checks) -> dict[str, str]:
    """What the tests are, and where they run: a result of other ones is not reused."""
    found = {"rootfs": os.path.realpath(checks.rootfs)} if checks.tests else {}
    for folder, folders, names in os.walk(checks.tests) if os.path.isdir(checks.tests) else ():
        folders.sort()
        paths = (os.path.join(folder, name) for name in sorted(names))
        found.update({os.path.relpath(path, checks.tests): sha256_file_or_none(path) or "" for path in paths})
    if os.path.isfile(checks.tests):
        found[os.path.basename(checks.tests)] = sha256_file_or_none(checks.tests) or ""
    return found


def _bytes(text: str, name: str) -> int:
    try:
        return int(human_to_bytes(text))
    except ValueError as error:
        raise DistrogateError("bad_options", f"{name} is {text!r}; say it as 512M or 2G.") from error
