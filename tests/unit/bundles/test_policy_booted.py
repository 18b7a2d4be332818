# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only an image whose very digest booted may be promoted, and nobody can waive that."""

from __future__ import annotations

import hashlib
import typing as t

import pytest
from bundle_samples import FROZEN, artifact, signed, stage, stages

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import (
    _bundle,
    _policy,
    _policy_form,
    _statements,
)

Json = dict[str, t.Any]
KEY = "sha256:" + "4" * 64
DISK = hashlib.sha256(b"a disk").hexdigest()
POLICY = _policy_form.check_policy({"version": 1, "verdicts": []})


def image(name: str, data: bytes, **more: t.Any) -> Json:
    return {
        **artifact(f"artifacts/{name}", data, key=KEY, format=name.rpartition(".")[2]),
        "type": "image",
        **more,
    }


def records(*images: Json, boot: Json | None = None) -> dict[str, Json]:
    found = {**stages(), "image": stage("image", artifacts=list(images))}
    return {**found, "image_boot_test": boot} if boot else found


def boot(verdict: str = "success", **more: t.Any) -> Json:
    inputs = {"appliance.qcow2": f"sha256:{DISK}"}
    return stage("image_boot_test", verdict, **{"started_ns": 5, "inputs": inputs, **more})


def against(found: dict[str, Json], key: t.Any, more: dict[str, Json] | None = None) -> list[t.Any]:
    """The reasons against promoting the bundle of these stages."""
    bundle = _bundle.make_bundle(FROZEN, found, "/runs/42")
    statements = signed(bundle, key, found)
    for name, value in (more or {}).items():
        statements[name] = _statements.sign({**value, "subject": subject(bundle)}, key)
    return _policy.evaluate(
        bundle_text=_bundle.bundle_text(bundle),
        digest=bundle["digest"],
        statements=statements,
        found={item["path"]: item["sha256"] for item in bundle["artifacts"]},
        keys=[key.public],
        now=1_800_000_000,
        policy=POLICY,
    )[1]


def subject(bundle: Json) -> list[Json]:
    return _statements.statement(bundle["digest"], "x", {})["subject"]  # type: ignore[no-any-return]


def test_what_booted_is_promoted(key: t.Any) -> None:
    assert against(records(image("appliance.qcow2", b"a disk"), boot=boot()), key) == []
    digests = {"images": [{"file": DISK}]}  # however the stage writes it
    assert against(records(image("appliance.qcow2", b"a disk"), boot=boot(inputs=digests)), key) == []


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (None, "There is no trusted verdict of image_boot_test"),
        (boot("failure"), "is FAILED"),
        (boot(inputs={}), "is about other digests"),
        (boot(inputs={"appliance.qcow2": "5" * 64}), "is about other digests"),
    ],
)
def test_what_did_not_boot_is_refused(key: t.Any, verdict: Json | None, said: str) -> None:
    (reason,) = against(records(image("appliance.qcow2", b"a disk"), boot=verdict), key)
    assert (reason.rule, reason.about) == ("not_booted", "appliance.qcow2")
    assert DISK in reason.message and said in reason.message


def test_every_disk_has_to_boot_and_an_archive_needs_a_disk_of_its_build(key: t.Any) -> None:
    disk, raw, tar = image("a.qcow2", b"a disk"), image("a.raw", b"raw"), image("a.tar", b"tar")
    assert [one.about for one in against(records(disk, raw, tar, boot=boot()), key)] == ["a.raw"]
    other = image("b.tar", b"tar", key="sha256:" + "6" * 64)
    assert [one.about for one in against(records(disk, other, boot=boot()), key)] == ["b.tar"]
    nameless = image("b.tar", b"tar", key=None)
    del nameless["key"]
    assert [one.about for one in against(records(disk, nameless, boot=boot()), key)] == ["b.tar"]


def test_a_later_word_without_a_digest_does_not_count(key: t.Any) -> None:
    """As one that was added by hand."""
    later = _statements.verdict_statement("sha256:" + "0" * 64, "image_boot_test", "PASSED", 9, {})
    found = records(image("appliance.qcow2", b"a disk"), boot=boot())
    (reason,) = against(found, key, {"later.json": later})
    assert "is about other digests" in reason.message


def test_nobody_can_waive_it(key: t.Any) -> None:
    said = {
        "rule": "not_booted",
        "author": "Ada",
        "reason": "x",
        "expires": "2099-01-01T00:00:00Z",
        "at_ns": 9,
    }
    waiver = _statements.statement("sha256:" + "0" * 64, _statements.WAIVER, said)
    reasons = against(records(image("appliance.qcow2", b"a disk")), key, {"waiver.json": waiver})
    assert [reason.rule for reason in reasons] == ["not_booted"]
