# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, artifacts and manifests from strangers, without a registry: nothing is asked."""

from __future__ import annotations

import json
import pathlib
import random
import typing as t

import pytest
from oci_world import World

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _oci_manifest
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_manifest import digest_of
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_names import (
    checked_registry,
    checked_repository,
    checked_tag,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_request import SPEC, items_of
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]
ARTIFACT: Json = {
    "type": "oci_image",
    "name": "nova",
    "sha256": "a" * 64,
    "size": 1,
    "registry": "https://registry.example.org",
    "repository": "build/nova",
    "media_type": _oci_manifest.OCI_IMAGE,
    "origin": {"stage": "build"},
}


def items(artifact: Json, **options: t.Any) -> list[t.Any]:
    params = {name: option.get("default") for name, option in SPEC.items()}
    given = {"registry": "https://registry.example.org", "channel": "stable", "state": "prepared"}
    return items_of({**params, **given, "artifacts": [artifact], **options})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "http://registry.example.org",
        "http://192.0.2.1:5000",
        "https://user:secret@registry.example.org",
        "https://registry.example.org/path",
        "https://registry.example.org?x",
        "https://registry.example.org#x",
        "https://registry.example.org:99999",
        "https://registry.example.org:0",
        "https://registry.example.org:",
        "https://registry.example.org\n",
        "https://registry\r\nHost: x",
        "https://\u0440egistry.example.org",
        "https://-x",
        "https://[::1",
        "ftp://registry.example.org",
        "//registry.example.org",
        "registry.example.org",
        "https://" + "a" * 600,
        None,
        7,
    ],
)
def test_no_registry(name: t.Any) -> None:
    with pytest.raises(DistrogateError) as caught:
        checked_registry(name)
    assert caught.value.reason == "bad_name"


@pytest.mark.parametrize(
    "name",
    [
        "https://a",
        "https://a:8443",
        "http://127.0.0.1:5000",
        "http://localhost",
        "http://[::1]:1",
        "https://a/",
    ],
)
def test_a_registry(name: str) -> None:
    assert checked_registry(name).url == name.rstrip("/")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "a/./b",
        "a\n",
        "a b",
        "a:b",
        "a@b",
        "a?b",
        "a%2e",
        "a" * 256,
        "-a",
        None,
    ],
)
def test_no_repository(name: t.Any) -> None:
    with pytest.raises(DistrogateError):
        checked_repository(name)


@pytest.mark.parametrize(
    "tag", ["", "a\n", "a\nb", "-a", ".a", "a/b", "a b", "a:b", "\u0661", "a" * 129, None]
)
def test_no_tag(tag: t.Any) -> None:
    with pytest.raises(DistrogateError):
        checked_tag(tag)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "deb"),
        ("type", None),
        ("name", ""),
        ("name", "a\nb"),
        ("name", "x" * 300),
        ("name", 7),
        ("sha256", "A" * 64),
        ("sha256", "a" * 64 + "\n"),
        ("sha256", 7),
        ("registry", None),
        ("repository", "../x"),
        ("media_type", "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        ("media_type", ["x"]),
    ],
)
def test_an_artifact_that_is_refused(field: str, value: t.Any) -> None:
    with pytest.raises(DistrogateError) as caught:
        items({**ARTIFACT, field: value})
    assert caught.value.reason in ("bad_artifact", "bad_name") and len(caught.value.message) < 500


@pytest.mark.parametrize(
    "options",
    [
        {"channel": "a\nb"},
        {"version": "a/b"},
        {"tags": ["{secret}"]},
        {"tags": []},
        {"channel": None, "version": None},
        {"repository": "{repository"},
        {"repository": "x/{name}/../y"},
        {"repository": "{channel}"},
    ],
)
def test_options_that_are_refused(options: Json) -> None:
    with pytest.raises(DistrogateError):
        items(ARTIFACT, **options)


def test_which_tags_move() -> None:
    (item,) = items(
        ARTIFACT, version="4.0.0", tags=["{channel}", "{version}", "{channel}-{version}", "released"]
    )
    assert {tag.tag: tag.movable for tag in item.tags} == {
        "stable": True,
        "4.0.0": False,
        "stable-4.0.0": False,
        "released": False,
    }
    (item,) = items(ARTIFACT, version="stable")
    assert [tag.movable for tag in item.tags] == [False], "one name for both does not move"


def _mutants(count: int) -> t.Iterator[bytes]:
    """Manifests that were changed by a stranger who knows the format."""
    rows = [{"mediaType": "x", "digest": "sha256:" + letter * 64, "size": 3} for letter in "abc"]
    image = {"schemaVersion": 2, "config": rows[0], "layers": rows[1:]}
    values = [None, -1, 1.5, True, 1 << 70, "x", [], {}, [[]], "sha256:" + "a" * 63, "sha512:" + "a" * 128]
    for seed in range(count):
        chance = random.Random(seed)
        value = json.loads(json.dumps(image))
        place = chance.choice([value, value["config"], value["layers"][0]])
        key = chance.choice(sorted(place))
        if chance.random() < 0.3:
            del place[key]
        else:
            place[key] = chance.choice(values)
        data = bytearray(json.dumps(value).encode())
        if chance.random() < 0.5:
            data[chance.randrange(len(data))] = chance.randrange(256)
        yield bytes(data)


def test_mutated_manifests() -> None:
    """Each is read or refused; none raises anything else, and what is read has whole descriptors."""
    read = refused = 0
    for data in _mutants(1000):
        for kind in (_oci_manifest.OCI_IMAGE, _oci_manifest.OCI_INDEX, "text/html"):
            try:
                found = _oci_manifest.read_manifest(data, kind, "here")
            except DistrogateError as error:
                refused += (error.reason, error.details["digest"]) == ("bad_manifest", digest_of(data))
                continue
            read += 1
            assert all(0 <= blob.size < 1 << 51 and len(blob.digest) == 71 for blob in found.blobs)
    assert read + refused == 3000 and refused > 2500


def test_an_index_without_end(world: World) -> None:
    """Indexes within indexes, as deep as anybody likes."""
    artifact = world.pusher.image("build/nova", None, b"layer")
    for _level in range(6):
        artifact = world.pusher.index("build/nova", None, artifact)
    with pytest.raises(DistrogateError, match="deeper than 3"):
        world.publish("prepared", artifact)


def test_a_journal_that_was_tampered_with(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.publish("prepared", image)
    (path,) = pathlib.Path(world.folder / "state").rglob("ours.json")
    path.write_text(path.read_text().replace("amd64", "arm64").replace("\\n", " ", 1))
    with pytest.raises(DistrogateError) as caught:
        world.publish("committed")
    assert caught.value.reason == "digest_mismatch" and world.pusher.tags("build/nova") == ["b1"]
