# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion reads of a bundle before it judges: the run directory, and the archive."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from bundle_samples import CONTENTS, signed

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _bundle, _run_files, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_judge import Judge, Verdict
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_world import World

Json = dict[str, t.Any]
WAIVER: Json = {
    "rule": "verdicts",
    "author": "Ada",
    "reason": "The lab is down",
    "expires": "2999-01-01T00:00:00Z",
    "at_ns": 5,
}
HOLD: Json = {"name": "cve", "author": "Ada", "reason": "CVE-2026-1", "at_ns": 10}


class OneHost:
    """The controller is the builder, and modules are called as functions."""

    own = "builder"

    def run(self, host: str, module: str, arguments: Json) -> Json:
        assert (host, module) == ("builder", "distrogate.ci.run_files")
        if "add" in arguments:
            files = {file["name"]: file["text"] for file in arguments["add"]}
            return {"added": _run_files.write_once(arguments["run_dir"], files, False)}
        return _run_files.read_run(arguments["run_dir"], arguments["check"])


class Place:
    """A run directory with a sealed bundle, and an archive that has it, too."""

    def __init__(self, folder: pathlib.Path, store: Store, bundle: Json, key: t.Any) -> None:
        self.run = folder / "run"
        self.store, self.bundle, self.key = store, bundle, key
        self.archive = Archive(str(folder / "archive"))
        self.texts = signed(bundle, key)
        text = _bundle.bundle_text(bundle)
        files = {
            "run.json": "{}",
            "bundle.json": text,
            **{path: data.decode() for path, data in CONTENTS.items()},
        }
        for name, content in {**files, **{f"statements/{n}": s for n, s in self.texts.items()}}.items():
            path = self.run / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.archive.add(bundle["digest"], text, self.texts)

    def hold(self, name: str = "hold-1.json") -> str:
        """A hold that the archive alone has, as when it was placed before this run directory was restored."""
        value = _statements.statement(self.bundle["digest"], _statements.HOLD, HOLD)
        text = _statements.sign(value, self.key)
        self.archive.add(self.bundle["digest"], None, {name: text})
        return text

    def say(self, name: str, kind: str, said: Json, key: t.Any = None) -> str:
        """Lay a statement into the run directory."""
        value = _statements.statement(self.bundle["digest"], kind, said)
        text = _statements.sign(value, key or self.key)
        (self.run / "statements" / name).write_text(text)
        return text

    def judge(self) -> Verdict:
        hosts: t.Any = OneHost()
        self.judging = Judge(hosts, self.store, {}, self.key.public, self.archive.root)
        return self.judging.judge("latest", None, self.judging.located(None, str(self.run)), False)

    def end_promotion(self) -> None:
        """What a promotion does last."""
        hosts: t.Any = OneHost()
        verdict = self.judge()
        assert verdict.refused == []
        world = World(hosts, self.key, print, self.archive.root)
        world.kept = self.judging.worth_keeping(verdict)
        digest, origin = self.bundle["digest"], verdict.texts.origin
        journal = {
            "channel": "latest",
            "serial": 1,
            "transaction": "0" * 32,
            "digest": digest,
            "origin": origin,
        }
        world.publish_statement({**journal, "statement": self.texts["provenance.json"]})

    def rules(self) -> list[str]:
        return [reason["rule"] for reason in self.judge().refused]


@pytest.fixture
def place(tmp_path: pathlib.Path, store: Store, bundle: Json, key: t.Any) -> Place:
    return Place(tmp_path, store, bundle, key)


def test_a_hold_of_the_archive_counts(place: Place) -> None:
    assert place.rules() == []
    place.hold()
    assert place.rules() == ["holds"]


def test_no_file_of_the_run_directory_hides_one_of_the_archive(place: Place) -> None:
    """Names are not signed: who may write there could give a good statement the name of a hold."""
    place.hold("hold-1.json")
    (place.run / "statements/hold-1.json").write_text(place.texts["provenance.json"])
    assert place.rules() == ["holds"]


@pytest.mark.parametrize("where", ["run", "archive"])
def test_a_statement_that_cannot_be_read_is_not_left_out(
    place: Place, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk or a permission that fails must not make a hold disappear."""
    text = place.hold()
    if where == "run":
        (place.run / "statements/hold-1.json").write_text(text)
    real = _run_files.os.open

    def failing(path: str, *more: t.Any) -> int:
        if path.endswith("/hold-1.json") and str(place.run if where == "run" else place.archive.root) in path:
            raise OSError(5, "Input/output error", path)
        return real(path, *more)

    monkeypatch.setattr(_run_files.os, "open", failing)
    with pytest.raises(DistrogateError) as raised:
        place.judge()
    assert raised.value.reason == "io_error"
    assert "hold-1.json" in raised.value.message


def test_what_a_stranger_said_does_not_enter_the_archive(place: Place, other_key: t.Any) -> None:
    """Nothing leaves it. A waiver of somebody unknown bars no promotion, but it may not stay for ever."""
    waiver = place.say("waiver-1.json", _statements.WAIVER, WAIVER, other_key)
    ours = place.say("waiver-2.json", _statements.WAIVER, WAIVER)
    place.end_promotion()
    kept = place.archive.statements(place.bundle["digest"])
    assert kept["waiver-2.json"] == ours
    assert waiver not in kept.values()
    assert "promotion-latest-000001-00000000.json" in kept


@pytest.mark.parametrize("name", ["Waiver of Ada.json", f"{'a' * 200}.json", "provenance.json"])
def test_a_name_that_no_archive_takes_does_not_fail_what_is_published(place: Place, name: str) -> None:
    ours = place.say(name, _statements.WAIVER, WAIVER)
    if name == "provenance.json":
        (place.run / "statements/other.json").write_text(place.texts["provenance.json"])
    place.end_promotion()
    before = place.archive.statements(place.bundle["digest"])
    assert list(before.values()).count(ours) == 1
    assert list(before.values()).count(place.texts["provenance.json"]) <= 2
    place.end_promotion()
    assert place.archive.statements(place.bundle["digest"]) == before
