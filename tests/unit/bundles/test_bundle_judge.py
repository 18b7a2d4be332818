# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion reads of a bundle before it judges: the run directory, and the archive."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest
from bundle_place import HOLD, WAIVER, Place

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _run_files, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store

Json = dict[str, t.Any]


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


@pytest.mark.parametrize("name", [b"\xff\xfe.json", b"a\x1b[31m\nAll is well.json", b"\xe2\x80\xae.json"])
def test_a_name_that_cannot_be_shown_is_shown_quoted(place: Place, name: bytes) -> None:
    """It hides nothing of what is in the file, and prints no line of its own."""
    path = os.fsencode(place.run / "statements") + b"/" + name
    value = _statements.statement(place.bundle["digest"], _statements.HOLD, HOLD)
    with open(path, "w") as stream:
        stream.write(_statements.sign(value, place.key))
    assert place.rules() == ["holds"]
    with open(path, "w") as stream:
        stream.write("{}")
    (reason,) = place.judge().refused
    assert reason["rule"] == "signature"
    assert reason["message"].isprintable() and "%" in reason["message"]


def test_a_stranger_does_not_write_lines_into_a_refusal(place: Place) -> None:
    envelope = json.loads(place.texts["provenance.json"])
    envelope["signatures"][0]["keyid"] = "0\x1b[2J\nNothing is wrong." + "!" * 100_000
    text = json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    (place.run / "statements/odd.json").write_text(text)
    (reason,) = place.judge().refused
    assert reason["rule"] == "signature"
    assert reason["message"].isprintable() and len(reason["message"]) < 1000


def test_no_link_leads_out_of_a_run_directory(place: Place, tmp_path: pathlib.Path) -> None:
    """Whoever owns the run directory may be somebody else than who writes into it."""
    (place.run / "statements").rename(tmp_path / "elsewhere")
    (place.run / "statements").symlink_to(tmp_path / "elsewhere")
    before = sorted(os.listdir(tmp_path / "elsewhere"))
    with pytest.raises(DistrogateError) as raised:
        _run_files.write_once(str(place.run), {"bundle.json": "{}", "statements/new.json": "{}"}, False)
    assert raised.value.reason == "bad_name"
    assert sorted(os.listdir(tmp_path / "elsewhere")) == before
    (tmp_path / "run2").symlink_to(place.run)  # a link to all of it is the operator's own
    (place.run / "statements").unlink()
    assert _run_files.write_once(str(tmp_path / "run2"), {"statements/new.json": "{}"}, False) != []


def test_a_folder_of_statements_is_bounded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_run_files, "_TOTAL", 2000)
    with pytest.raises(DistrogateError) as raised:
        place.judge()
    assert raised.value.reason == "too_large"
    assert "statements" in raised.value.message
