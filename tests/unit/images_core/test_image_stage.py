# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage: what it takes from a run, what it leaves there, and when it need not run."""

from __future__ import annotations

import json
import os
import pathlib
import types
import typing as t

import jsonschema
import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Call
from ansible_collections.distrogate.ci.plugins.module_utils._core._run import Run
from ansible_collections.distrogate.ci.plugins.module_utils._core._stage import Stage, stage_record
from ansible_collections.distrogate.ci.plugins.module_utils._images import _disk_image
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_stage import image_stage

if t.TYPE_CHECKING:
    from image_world import World

SCHEMA = pathlib.Path(__file__).parents[3] / "docs/schemas/image.schema.json"


class Site:
    """Runs of changes to a project, and the module called in them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.warnings: list[str] = []
        self.number = 0

    def run(self, *projects: str) -> Run:
        self.number += 1
        run = Run(str(self.world.path / f"run{self.number}"))
        run.create({"id": f"check-{self.number}", "queue": [{"project": one} for one in projects or ["app"]]})
        path, commit = self.world.checkout(f"run{self.number}")
        with stage_record(Stage(run, "workspace"), {}) as stage:
            stage.facts = {"projects": {"app": {"path": "workspace/app", "commit": commit}}}
        os.makedirs(os.path.join(run.path, "workspace"), exist_ok=True)
        os.rename(path, os.path.join(run.path, "workspace/app"))
        elements = pathlib.Path(run.path, "workspace/app/elements/service")
        elements.mkdir(parents=True)
        (elements / "file").write_text("x")
        return run

    def call(self, run: Run | None, check: bool = False, **options: t.Any) -> Call:
        params = {name: one.get("default") for name, one in _disk_image.IMAGE_OPTIONS.items()}
        params.update(
            name="appliance",
            builder="dib",
            suite="bookworm",
            elements=["service"],
            element_path=["app/elements"] if run else [str(self.world.path / "elements")],
            mirror=self.world.mirror,
            architecture="amd64",
            output=self.world.output,
            free_space="1M",
            run_dir=run.path if run else None,
            reads=["workspace"],
            code="sha256:1",
        )
        params.update(options)
        module = types.SimpleNamespace(
            params=params, check_mode=check, _diff=False, warn=self.warnings.append
        )
        call = Call(t.cast(t.Any, module))
        if run is not None:
            image_stage(call, run, self.world.said.append)
        else:
            _disk_image.image_alone(call, self.world.said.append)
        return call

    def published(self, key: str) -> str:
        folder = self.world.path / "published/appliance/latest"
        folder.mkdir(parents=True)
        image = self.world.store().find(key)
        assert image is not None
        for own in ("appliance.qcow2", "image.json", "packages.json", "appliance.vmlinuz"):
            name = own if own.startswith("appliance.") else f"appliance.{own}"
            os.link(os.path.join(image.path, own), folder / name)
        os.system(f"cd {folder} && sha256sum * > SHA256SUMS")
        return str(self.world.path / "published")


@pytest.fixture
def site(world: World, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(_disk_image, "builder_of", lambda _name: world.builder)
    return Site(world)


def artifacts(run: Run) -> dict[str, dict[str, t.Any]]:
    return {one["name"]: one for one in run.artifacts("image")}


def test_artifacts(site: Site) -> None:
    run = site.run()
    call = site.call(run, sources=["app"])
    assert call.exit_arguments()["changed"] and call.result["from"] == "built"
    found = artifacts(run)
    assert {name: one["format"] for name, one in found.items()} == {
        "appliance.qcow2": "qcow2",
        "appliance.vmlinuz": "vmlinuz",
        "appliance.image.json": "manifest",
        "appliance.packages.json": "packages",
    }
    for one in found.values():
        assert one["key"] == call.result["key"] and one["path"] == f"artifacts/images/appliance/{one['name']}"
        assert os.path.getsize(run.file(one["path"])) == one["size"]
    facts = t.cast("dict[str, t.Any]", run.stage("image"))["facts"]
    assert facts["image"] == call.result["image"] and facts["boot"]["kernel"] == "appliance.vmlinuz"
    manifest = json.loads(pathlib.Path(run.file(found["appliance.image.json"]["path"])).read_text())
    assert list(manifest["commits"]) == ["app"]
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(manifest)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate({**manifest, "key": "x"})


def test_another_run_reuses_it(site: Site) -> None:
    first = site.call(site.run())
    run = site.run()
    again = site.call(run)
    assert not again.exit_arguments()["changed"] and again.result["reused"]
    assert again.result["image"] == first.result["image"] and site.world.builder.builds == 1
    assert len(artifacts(run)) == 4


def test_the_stage_again(site: Site) -> None:
    """In the same run it is not run again, whatever the distribution has become."""
    run = site.run()
    site.call(run)
    before = t.cast("dict[str, t.Any]", run.stage("image"))
    site.world.release("bookworm", "moved")
    again = site.call(run)
    assert again.result["stage"]["reused"] == "this_run" and again.result["reused"]
    assert run.stage("image") == before and site.world.builder.builds == 1
    pathlib.Path(run.path, "workspace/app/elements/service/file").write_text("y")
    changed = site.call(run)
    assert changed.result["changed_inputs"] == ["distribution:bookworm", "element:service"]
    path = run.file(artifacts(run)["appliance.qcow2"]["path"])
    os.unlink(path)
    assert site.call(run).result["stage"]["reused"] == "" and os.path.exists(path)


def test_an_artifact_that_was_changed(site: Site) -> None:
    run = site.run()
    site.call(run)
    path = pathlib.Path(run.file(artifacts(run)["appliance.qcow2"]["path"]))
    path.unlink()
    path.write_text("mine")
    found = site.call(run)
    assert found.result["stage"]["reused"] == "" and path.read_bytes() != b"mine"


def test_latest_where_nothing_is_touched(site: Site) -> None:
    built = site.call(site.run("app"))
    options = {"when_unchanged": "use latest", "published": site.published(built.result["key"])}
    site.world.release("bookworm", "moved: what is built would be another one")
    run = site.run("other", "third")
    taken = site.call(run, projects=["app"], **options)
    assert taken.result["from"] == "latest" and taken.result["key"] == built.result["key"]
    assert not taken.exit_arguments()["changed"] and len(artifacts(run)) == 4
    assert {one["taken"] for one in artifacts(run).values()} == {"latest"}, "no promotion publishes it again"
    again = site.call(run, projects=["app"], **options)
    assert again.result["from"] == "latest" and again.result["stage"]["reused"] == "this_run"
    own = site.run("other", "app")
    touched = site.call(own, projects=["app"], **options)
    assert not any("taken" in one for one in artifacts(own).values())
    assert touched.result["from"] == "built" and touched.result["key"] != built.result["key"]
    check = site.call(site.run("other"), check=True, projects=["app"], **options)
    assert check.result["from"] == "latest"


def test_the_first_image_of_a_channel(site: Site) -> None:
    options = {"published": str(site.world.path / "published"), "projects": ["app"]}
    found = site.call(site.run("other"), when_unchanged="use latest", **options)
    assert found.result["from"] == "built" and "Nothing is published" in site.warnings[0]
    with pytest.raises(DistrogateError) as caught:
        site.call(site.run("other"), when_unchanged="use 3.0.0", **options)
    assert caught.value.reason == "no_published_image"


@pytest.mark.parametrize(
    "options",
    [
        {"when_unchanged": "use latest", "published": "/x"},  # of no project: it would never be built
        {"when_unchanged": "use latest", "projects": ["app"]},
        {"when_unchanged": "sometimes"},
        {"sources": ["unknown"]},
        {"element_path": ["../../x"]},
        {"repositories": [{"text": "x", "digest": "md5:1"}]},
        {"repositories": [{"address": "x"}]},
    ],
)
def test_refused(site: Site, options: dict[str, t.Any]) -> None:
    run = site.run("other")
    with pytest.raises(DistrogateError) as caught:
        site.call(run, **options)
    assert caught.value.reason in ("bad_request", "unknown_project", "bad_name")
    record = t.cast("dict[str, t.Any]", run.stage("image"))
    assert record["verdict"] == "failure" and site.world.builder.builds == 0


@pytest.mark.parametrize("project", ["app", "other"])
@pytest.mark.parametrize("published", ["http://images", "HTTPS://me:secret@images/x", "http://[x"])
def test_what_comes_over_a_network_is_signed(site: Site, published: str, project: str) -> None:
    """Without a key it is refused at once, also in a run that builds: not only when one is taken."""
    options = {"when_unchanged": "use latest", "published": published, "projects": ["app"]}
    run = site.run(project)
    with pytest.raises(DistrogateError) as caught:
        site.call(run, **options)
    assert caught.value.reason in ("no_published_key", "bad_address") and "secret" not in caught.value.message
    assert t.cast("dict[str, t.Any]", run.stage("image"))["reason"] == caught.value.reason
    if "[" not in published:
        assert caught.value.reason == "no_published_key" and "gpg --armor" in caught.value.message


def test_without_a_run(site: Site) -> None:
    found = site.call(None, reads=[])
    assert found.result["from"] == "built" and [one["format"] for one in found.result["files"]] == ["qcow2"]
    path, commit = site.world.checkout("mine")
    other = site.call(None, reads=[], sources=[path])
    assert other.result["changed_inputs"] == ["source:mine"]
    image = site.world.store().find(other.result["key"])
    assert image is not None and image.facts["commits"] == {"mine": commit}
    with pytest.raises(DistrogateError, match="no absolute path"):
        site.call(None, reads=[], sources=["app"])


def test_no_run(site: Site) -> None:
    nowhere = Run(str(site.world.path / "nowhere"))
    with pytest.raises(DistrogateError, match="no run directory"):
        site.call(nowhere, element_path=[], elements=[], reads=[])
    assert not os.path.exists(nowhere.path)


def test_check_mode(site: Site) -> None:
    run = site.run()
    check = site.call(run, check=True)
    assert check.exit_arguments()["changed"] and run.stage("image") is None
    assert not os.path.exists(site.world.output)
    assert site.call(run).result["image"] == check.result["image"]
    assert not site.call(run, check=True).exit_arguments()["changed"]
