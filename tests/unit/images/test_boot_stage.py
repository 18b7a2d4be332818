# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The boot test as a stage: which images of a run are booted, and what its record says of which digest."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run, file_artifact
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, stage_record
from ansible_collections.distrogate.ci.plugins.module_utils._images import _boot_stage
from ansible_collections.distrogate.ci.plugins.module_utils._images._boot_images import images_of
from ansible_collections.distrogate.ci.tests.unit.images.boot_samples import (
    ANSWER,
    LOGIN,
    REPOSITORY,
    sector,
)

KEY = "sha256:" + "1" * 64
MODULE = REPOSITORY / "plugins/modules/image_boot.py"


def write(path: str, data: bytes) -> str:
    pathlib.Path(path).write_bytes(data)
    os.chmod(path, 0o644)
    return path


def add(run: Run, data: bytes, *formats: str, facts: dict[str, t.Any] | None = None) -> None:
    """A record of the stage image with files of such formats."""
    with stage_record(Stage(run, "image"), {}) as stage:
        for form in formats:
            path = write(run.file("artifacts", f"sample.{form}"), data)
            stage.artifacts.append(file_artifact(run, path, "image", format=form, key=KEY))
        stage.facts = {"key": KEY, **(facts or {})}


@pytest.fixture
def run(tmp_path: pathlib.Path) -> Run:
    made = Run(str(tmp_path / "run"))
    made.create({"queue": [1]})
    return made


def call(run: Run | None, **options: t.Any) -> dict[str, t.Any]:
    small = {"accelerator": "tcg", "memory": "64M", "timeout": 60}
    arguments = {**small, **({"run_dir": run.path, "reads": ["image"]} if run else {}), **options}
    done = subprocess.run(
        [sys.executable, str(MODULE), json.dumps({"ANSIBLE_MODULE_ARGS": arguments})],
        capture_output=True,
        check=False,
        text=True,
    )
    found: dict[str, t.Any] = json.loads(done.stdout)
    return found


def good() -> bytes:
    return sector(LOGIN, ANSWER).ljust(1 << 20, b"\0")


def test_its_record(run: Run) -> None:
    add(run, good(), "raw", "tar")
    predicted = call(run, _ansible_check_mode=True)
    assert predicted["changed"] and run.stage("image_boot_test") is None
    result = call(run, code="sha256:1")
    assert not result.get("failed"), result
    assert result["changed"] and result["stage"]["verdict"] == "success"
    record = run.stage("image_boot_test")
    assert record is not None
    digest = run.artifacts("image")[0]["sha256"]
    assert record["inputs"] == {"images": {"sample.raw": digest}}
    assert record["results"] == ["results/image_boot_test.xml"]
    assert record["logs"] == ["logs/image_boot_test.log"]
    boot = record["facts"]["boots"][0]
    assert (boot["name"], boot["sha256"], boot["key"], boot["accelerator"]) == (
        "sample.raw",
        digest,
        KEY,
        "tcg",
    )
    again = call(run, code="sha256:1")
    assert again["stage"]["reused"] and again["boots"] == record["facts"]["boots"]
    assert not call(run, code="sha256:1", wait_for="login")["stage"]["reused"]


def test_a_failure(run: Run) -> None:
    add(run, sector("Kernel panic - not syncing: x\r\n").ljust(1 << 20, b"\0"), "raw")
    result = call(run)
    assert result["failed"] and result["reason"] == "boot_failed"
    assert result["console"] == ["Kernel panic - not syncing: x"]
    record = run.stage("image_boot_test")
    assert record is not None and (record["verdict"], record["reason"]) == ("failure", "boot_failed")
    assert "The console's last lines:\nKernel panic" in record["message"]
    assert 'type="boot_failed"' in pathlib.Path(run.file("results", "image_boot_test.xml")).read_text()


def test_an_image_that_somebody_changed(run: Run) -> None:
    add(run, good(), "raw")
    write(run.file("artifacts", "sample.raw"), good() + bytes(512))
    assert call(run)["reason"] == "artifact_differs"


def test_a_file_without_a_run(tmp_path: pathlib.Path) -> None:
    path = write(str(tmp_path / "a.raw"), good())
    result = call(None, path=path, format="raw")
    assert result["boots"][0]["name"] == "a.raw" and len(result["boots"][0]["sha256"]) == 64
    assert "sample login:" in result["log"] and "<testcase" in result["junit"]
    bad = call(None, path=path, format="qcow2")
    assert bad["reason"] == "bad_image" and "<failure" in bad["junit"]


@pytest.mark.parametrize(
    "options",
    [
        {"memory": "much"},
        {"user": "-oProxyCommand=x"},
        {"commands": [[]]},
        {"fail_on": ["("]},
        {"tests": "tests"},
        {"tests": "../tests", "rootfs": "/"},
        {"tests": "out/tests", "rootfs": "/"},
    ],
)
def test_bad_options(run: Run, options: dict[str, t.Any]) -> None:
    os.symlink("/etc", run.file("workspace", "out"))
    given = {"commands": [], "fail_on": [], "wait_for": "", "tests": "", "rootfs": None, "user": "root"}
    given.update({"memory": "1G", "writes": "1G", "timeout": 1, "accelerator": "tcg"}, **options)
    with pytest.raises(DistrogateError) as caught:
        _boot_stage._terms(given, run.file("workspace"))
    assert caught.value.reason in ("bad_options", "bad_pattern", "bad_name")


def test_tests_of_a_project(run: Run, tmp_path: pathlib.Path) -> None:
    os.makedirs(run.file("workspace", "a", "tests"))
    write(run.file("workspace", "a", "tests", "test_a.py"), b"x")
    given = {"tests": "a/tests", "rootfs": "/"}
    path = _boot_stage._tests(given, run.file("workspace"))
    assert path == run.file("workspace", "a", "tests")
    before = _boot_stage._read(_boot_stage.Checks(tests=path, rootfs="/"))
    write(run.file("workspace", "a", "tests", "test_a.py"), b"y")
    assert _boot_stage._read(_boot_stage.Checks(tests=path, rootfs="/")) != before


def test_which_images(run: Run, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    said = {"boot": {"kernel": "a.vmlinuz", "initrd": "", "append": "root=/dev/vda quiet"}}
    (folder / "image.json").write_text(json.dumps(said))
    add(run, good(), "raw", "qcow2", "tar", facts={"image": str(folder)})
    raw, other = images_of(run)
    assert [raw.name, other.name] == ["sample.raw", "sample.qcow2"]
    assert (raw.kernel, raw.initrd) == (str(folder / "a.vmlinuz"), "")
    assert raw.append == "root=/dev/vda quiet" and raw.key == KEY
    assert [image.name for image in images_of(run, ["sample.qcow2"])] == ["sample.qcow2"]
    add(run, good(), "raw", "vmlinuz", "initrd", facts={"image": "/gone"})
    assert images_of(run)[0].kernel == run.file("artifacts", "sample.vmlinuz")
    assert images_of(run)[0].initrd == run.file("artifacts", "sample.initrd")


def test_another_kernel_is_another_boot(run: Run, tmp_path: pathlib.Path) -> None:
    """What was booted is the disk with its kernel: neither may differ from what is recorded."""
    said = {"boot": {"kernel": "", "initrd": "", "append": "quiet"}}
    (tmp_path / "image.json").write_text(json.dumps(said))
    add(run, good(), "raw", "vmlinuz", "initrd", facts={"image": str(tmp_path)})
    digests = {one["format"]: one["sha256"] for one in run.artifacts("image")}
    result = call(run, code="sha256:1")
    assert not result.get("failed"), result
    beside = {"kernel": digests["vmlinuz"], "initrd": digests["initrd"]}
    assert result["boots"][0]["beside"] == beside
    record = run.stage("image_boot_test")
    assert record is not None
    assert record["inputs"]["beside"] == {"sample.raw": {**beside, "append": "quiet"}}
    assert call(run, code="sha256:1")["stage"]["reused"]
    (tmp_path / "image.json").write_text(json.dumps({"boot": {**said["boot"], "append": "other"}}))
    assert not call(run, code="sha256:1")["stage"]["reused"]
    write(run.file("artifacts", "sample.vmlinuz"), b"another kernel")
    changed = call(run, code="sha256:2")
    assert changed["reason"] == "artifact_differs" and "sample.vmlinuz" in changed["msg"]


def test_a_kernel_in_the_folder_of_the_image(run: Run, tmp_path: pathlib.Path) -> None:
    """One that is no artifact of the run counts as it is."""
    (tmp_path / "image.json").write_text(json.dumps({"boot": {"kernel": "a.vmlinuz"}}))
    (tmp_path / "a.vmlinuz").write_text("one")
    add(run, good(), "raw", facts={"image": str(tmp_path)})
    assert call(run, code="sha256:1")["changed"] and call(run, code="sha256:1")["stage"]["reused"]
    (tmp_path / "a.vmlinuz").write_text("two")
    assert not call(run, code="sha256:1")["stage"]["reused"]


@pytest.mark.parametrize("names", [["other"], []])
def test_no_image(run: Run, names: list[str]) -> None:
    add(run, b"x", "tar")
    with pytest.raises(DistrogateError, check=lambda error: error.reason == "no_image"):
        images_of(run, names)


def test_a_kernel_outside(run: Run, tmp_path: pathlib.Path) -> None:
    (tmp_path / "image.json").write_text(json.dumps({"boot": {"kernel": "../../etc/shadow"}}))
    add(run, good(), "raw", facts={"image": str(tmp_path)})
    with pytest.raises(DistrogateError, check=lambda error: error.reason == "bad_name"):
        images_of(run)
