# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a promotion reads of a bundle before it judges: the run directory, and the archive."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from bundle_place import WAIVER, Place

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
