# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a sealed bundle from outside of its run."""

from __future__ import annotations

import json
import pathlib
import typing as t

import jsonschema
import pytest
from bundle_samples import signed

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _remarks, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import register_key
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store

Json = dict[str, t.Any]
SCHEMA = json.loads((pathlib.Path(__file__).parents[3] / "docs/schemas/statement.schema.json").read_text())
NOW = 1767225600.0  # 2026-01-01
SAID: dict[str, Json] = {
    "verdict": {"name": "soak", "result": "PASSED", "url": "https://tests.example.org/7"},
    "waiver": {
        "rule": "verdicts",
        "stage": "soak",
        "author": "Ada",
        "reason": "The lab is down",
        "expires": "2026-01-02T00:00:00Z",
    },
    "hold": {"name": "cve", "author": "Ada", "reason": "CVE-2026-1"},
    "hold_release": {"name": "cve", "author": "Grace", "reason": "Fixed elsewhere"},
}


class Folder:
    """The statements of a bundle."""

    def __init__(self, bundle: Json, key: t.Any) -> None:
        self.digest = bundle["digest"]
        self.key = key
        self.texts = signed(bundle, key)

    def say(self, kind: str, at_ns: int, key: t.Any = None, **change: t.Any) -> bool:
        """Add what is not there, as the module does; returns whether it was not."""
        signer = key or self.key
        said = {**SAID[kind], **change}
        if _remarks.said_already(kind, said, self.texts, self.digest, signer.public):
            return False
        name, value = _remarks.remark(kind, self.digest, said, at_ns)
        jsonschema.Draft202012Validator(SCHEMA).validate(value)
        self.texts[name] = _statements.sign(value, signer)
        return True


@pytest.fixture
def folder(bundle: Json, key: t.Any) -> Folder:
    return Folder(bundle, key)


@pytest.mark.parametrize("kind", sorted(SAID))
def test_a_thing_is_said_once(folder: Folder, kind: str) -> None:
    assert [folder.say(kind, number) for number in (1, 2, 3)] == [True, False, False]
    assert folder.say(kind, 4, **({"reason": "Another"} if "reason" in SAID[kind] else {"result": "FAILED"}))


@pytest.mark.parametrize("kind", sorted(SAID))
def test_each_signer_says_it(folder: Folder, other_key: t.Any, kind: str) -> None:
    assert folder.say(kind, 1)
    assert folder.say(kind, 2, other_key)


def test_a_hold_that_was_released_is_said_again(folder: Folder, other_key: t.Any) -> None:
    assert folder.say("hold", 1)
    assert folder.say("hold_release", 2, other_key)  # somebody whose key is not known here
    assert folder.say("hold", 3)
    assert not folder.say("hold", 4)
    assert folder.say("hold_release", 5)
    assert not folder.say("hold_release", 6)


def test_a_verdict_is_said_again_after_another_one(folder: Folder, other_key: t.Any) -> None:
    assert folder.say("verdict", 1)
    assert folder.say("verdict", 2, other_key, result="FAILED")
    assert folder.say("verdict", 3)


def test_nobody_else_can_say_it_in_my_name(folder: Folder, bundle: Json, other_key: t.Any) -> None:
    """An envelope that claims my hold, with a signature that is not mine, does not keep me from holding."""
    name, value = _remarks.remark("hold", folder.digest, SAID["hold"], 9)
    envelope = json.loads(_statements.sign(value, other_key))
    envelope["signatures"][0]["keyid"] = folder.key.public.keyid
    folder.texts[name] = json.dumps(envelope)
    assert folder.say("hold", 1)


def test_waivers_of_other_things_do_not_stand_for_one_another(folder: Folder) -> None:
    assert folder.say("waiver", 1)
    assert folder.say("waiver", 2, stage="upgrade")
    assert folder.say("waiver", 3, expires="2026-02-01T00:00:00Z")
    wide = {key: value for key, value in SAID["waiver"].items() if key != "stage"}
    assert not _remarks.said_already("waiver", wide, folder.texts, folder.digest, folder.key.public)


def test_what_is_not_ours_to_read_is_passed_over(folder: Folder) -> None:
    folder.texts.update({"a.json": "", "b.json": "[]", "c.json": '{"payload": "W10="}', "d.json": "{" * 9999})
    assert folder.say("hold", 1)


@pytest.mark.parametrize(
    ("kind", "change", "word"),
    [
        ("verdict", {"result": None}, "needs result"),
        ("verdict", {"author": "Ada"}, "has no author"),
        ("verdict", {"explanation": "a\u001b[2Jb"}, "control character"),
        ("verdict", {"name": "a/b"}, "not the name"),
        ("waiver", {"author": None, "reason": None}, "needs author, reason"),
        ("waiver", {"author": ""}, "needs author"),
        ("waiver", {"expires": "tomorrow"}, "not a time"),
        ("waiver", {"expires": "2025-12-31T23:59:59Z"}, "expired"),
        ("waiver", {"rule": "holds"}, "cannot be for one stage"),
        ("waiver", {"name": "x", "result": "PASSED"}, "has no name, result"),
        ("hold", {"name": "a b"}, "not the name"),
        ("hold", {"reason": "x" * 5000}, "4096"),
        ("hold_release", {"expires": "2027-01-01T00:00:00Z"}, "has no expires"),
    ],
)
def test_what_cannot_be_said(kind: str, change: Json, word: str) -> None:
    _remarks.checked({"predicate_type": kind, **SAID[kind]}, NOW)
    with pytest.raises(DistrogateError, match=word) as caught:
        _remarks.checked({"predicate_type": kind, **SAID[kind], **change}, NOW)
    assert caught.value.reason == "bad_options"


def test_a_signer_is_known_by_its_key(store: Store, key: t.Any) -> None:
    assert register_key(store, key.public.keyid, key.public.pem)
    assert not register_key(store, key.public.keyid, key.public.pem)
    entry = store.get(f"key/{key.public.keyid}")
    assert entry is not None and entry.value == key.public.pem


def test_a_clock_that_is_behind_places_a_hold_again(folder: Folder) -> None:
    """Who says something knows what was said before: it comes after that, whatever the clock says."""
    soon = int(NOW) * 10**9
    assert folder.say("hold", soon)
    assert folder.say("hold_release", soon + 10**9)
    said = SAID["hold"]
    at = _remarks.comes_at("hold", said, folder.texts, folder.digest, soon)
    assert at == soon + 10**9 + 1
    assert folder.say("hold", at)
    assert _remarks.comes_at("hold", {**said, "name": "other"}, folder.texts, folder.digest, soon) == soon
    assert _remarks.comes_at("waiver", SAID["waiver"], folder.texts, folder.digest, soon) == soon
    # A clock that is years ahead is not followed: what it said does not count before its time.
    assert folder.say("hold_release", soon + 10**18)
    assert _remarks.comes_at("hold", said, folder.texts, folder.digest, soon) == at + 1
    assert (
        _remarks.comes_at("hold", said, folder.texts, folder.digest, soon + 10**18 - 60 * 10**9)
        > soon + 10**18
    )


def test_a_verdict_of_the_future_is_said_again(folder: Folder) -> None:
    assert folder.say("verdict", 10**18)
    assert not folder.say("verdict", 1)
    said = SAID["verdict"]
    public = folder.key.public
    assert _remarks.said_already("verdict", said, folder.texts, folder.digest, public, now=10**9)
    assert not _remarks.said_already("verdict", said, folder.texts, folder.digest, public, now=10**9 - 600)
