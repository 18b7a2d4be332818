# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Envelopes beside images: the subject, the fallback tag, and what others attached."""

from __future__ import annotations

import json
import typing as t

import pytest
from oci_world import World, envelope

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_attach import ENVELOPE
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._oci_journal import Journal
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import canonical_json
from ansible_collections.distrogate.ci.tests.tools.registry_images import IMAGE, INDEX, digest_of
from ansible_collections.distrogate.ci.tests.tools.registry_proxy import CutError, Exchange

Json = dict[str, t.Any]


def given(*words: str) -> list[Json]:
    return [{"name": f"{word}.json", "envelope": envelope(word)} for word in words]


def get(world: World, name: str, kind: str) -> Json:
    status, _headers, data = world.pusher.ask("GET", f"/v2/build/nova/manifests/{name}", Accept=kind)
    assert status == 200, data
    return t.cast(Json, json.loads(data))


def referrers(world: World, image: Json) -> list[Json]:
    return list(get(world, f"sha256-{image['sha256']}", INDEX)["manifests"])


def test_an_envelope_is_found_from_its_image(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.publish("prepared", image, attach=given("verdict", "waiver"))
    assert world.pusher.tags("build/nova") == ["b1"], "preparing shows nothing"
    world.publish("committed")
    rows = referrers(world, image)
    assert [row["annotations"]["in-toto.io/predicate-type"] for row in rows] == [
        "urn:test:verdict",
        "urn:test:waiver",
    ]
    manifest = get(world, rows[0]["digest"], IMAGE)
    assert manifest["artifactType"] == rows[0]["artifactType"] == ENVELOPE
    assert manifest["subject"]["digest"] == f"sha256:{image['sha256']}"
    path = f"/v2/build/nova/blobs/{manifest['layers'][0]['digest']}"
    assert world.pusher.ask("GET", path)[2] == canonical_json(json.loads(envelope("verdict"))) + b"\n"
    world.publish("undone")
    assert world.pusher.tags("build/nova") == ["b1"]


def test_one_at_a_time(world: World) -> None:
    """Where a registry has no referrers, two at once would lose what the other added."""
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.promote(image)
    journal = Journal(str(world.folder / "state"), f"{world.proxy.url} attached", "attached")
    with journal.held(1), pytest.raises(DistrogateError) as raised:
        world.publish("attached", image, attach=given("verdict"), timeout=1)
    assert raised.value.reason == "lock_timeout"
    world.publish("attached", image, attach=given("verdict"))
    assert len(referrers(world, image)) == 1


def test_one_that_comes_later(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.promote(image, attach=given("verdict"))
    predicted = world.publish("attached", image, attach=given("verdict", "late"), check_mode=True)
    wanted = world.difference.as_result()
    assert len(referrers(world, image)) == 1
    assert world.publish("attached", image, attach=given("verdict", "late")) == predicted
    assert world.difference.as_result() == wanted and len(wanted["after"]) == 1
    assert not world.publish("attached", image, attach=given("verdict", "late"))["changed"]
    assert len(referrers(world, image)) == 2
    world.publish("undone")
    assert [row["annotations"]["org.opencontainers.image.title"] for row in referrers(world, image)] == [
        "late.json"
    ]


def test_what_others_attached_stays(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    other = {"mediaType": IMAGE, "digest": f"sha256:{image['sha256']}", "size": 1, "x-other": {"kept": [1]}}
    data = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [other]}).encode()
    world.pusher.manifest("build/nova", f"sha256-{image['sha256']}", data, INDEX)
    world.promote(image, attach=given("verdict"))
    assert len(referrers(world, image)) == 2 and referrers(world, image)[0] == other
    world.publish("undone")
    assert referrers(world, image) == [other]


def test_a_removal_of_the_fallback_tag_that_was_interrupted(world: World) -> None:
    """The registry dies between the stand-in's tag and its deletion: the next call removes it."""
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.promote(image, attach=given("verdict"))
    tag = f"sha256-{image['sha256']}"

    def die(exchange: Exchange) -> None:
        if exchange.method == "DELETE" and tags and exchange.path.endswith(tags[-1]):
            raise CutError

    def watch(exchange: Exchange) -> None:
        if exchange.method == "PUT" and exchange.path.endswith(tag):
            tags.append(digest_of(exchange.body))

    tags: list[str] = []
    world.options["retries"] = 0
    world.proxy.before, world.proxy.after = die, watch
    with pytest.raises(DistrogateError):
        world.publish("undone")
    assert tags and tag in world.pusher.tags("build/nova")
    world.proxy.forget()
    world.publish("undone")
    assert world.pusher.tags("build/nova") == ["b1"]


def test_a_fallback_tag_that_is_something_else(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.pusher.image("build/nova", f"sha256-{image['sha256']}", b"other")
    world.publish("prepared", image, attach=given("verdict"))
    with pytest.raises(DistrogateError) as caught:
        world.publish("committed")
    assert caught.value.reason == "tag_taken" and "stable" not in world.pusher.tags("build/nova")


def test_a_registry_that_has_the_api(world: World) -> None:
    """docker-registry has not; the proxy answers as the specification says."""
    image = world.pusher.image("build/nova", "b1", b"layer")
    rows: dict[str, Json] = {}

    def answer(exchange: Exchange) -> None:
        if "/referrers/" in exchange.path:
            exchange.status, exchange.data = 200, json.dumps({"manifests": list(rows.values())}).encode()

    def store(exchange: Exchange) -> None:
        if exchange.method == "PUT" and exchange.status == 201 and b'"subject"' in exchange.body:
            digest = digest_of(exchange.body)
            rows[digest] = {"mediaType": IMAGE, "digest": digest, "size": len(exchange.body)}
        if exchange.method == "DELETE":
            rows.pop(exchange.path.rpartition("/")[2], None)

    world.proxy.before, world.proxy.after = answer, store
    world.promote(image, attach=given("verdict"))
    assert len(rows) == 1 and world.pusher.tags("build/nova") == ["4.0.0", "b1", "stable"]
    assert not world.publish("attached", image, attach=given("verdict"))["changed"]
    world.publish("undone")
    assert not rows and world.pusher.tags("build/nova") == ["b1"]


def test_an_envelope_for_something_that_is_not_there(world: World) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    with pytest.raises(DistrogateError) as caught:
        world.publish("attached", {**image, "sha256": "0" * 64}, attach=given("verdict"))
    assert caught.value.reason == "manifest_missing"


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("../verdict.json", envelope(), "bad_name"),
        ("a\nb", envelope(), "bad_name"),
        ("a", "{}", "bad_statement"),
        ("a", "[]", "bad_statement"),
        ("a", "nonsense", "bad_statement"),
        ("a", "[" * 100_000, "bad_statement"),
        ("a", " " * (2 << 20), "bad_statement"),
        ("a", envelope().replace("in-toto+json", "other"), "bad_statement"),
        ("a", envelope().replace('[{"sig": "x"}]', "[]"), "bad_statement"),
        ("a", envelope().replace('"payload": "', '"payload": "!'), "bad_statement"),
        ("a", envelope("a\nb"), "bad_statement"),
        ("a", envelope("x" * 600), "bad_statement"),
    ],
)
def test_a_bad_envelope(world: World, name: str, text: str, reason: str) -> None:
    image = world.pusher.image("build/nova", "b1", b"layer")
    world.proxy.forget()
    with pytest.raises(DistrogateError) as caught:
        world.publish("prepared", image, attach=[{"name": name, "envelope": text}])
    assert caught.value.reason == reason and len(caught.value.message) < 1000
    assert not world.proxy.exchanges
