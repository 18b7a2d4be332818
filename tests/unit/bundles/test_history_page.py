# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the history page: whole at any instant, the same for the same history, and nobody else's."""

from __future__ import annotations

import json
import os
import pathlib
import re
import typing as t

import pytest
from archive_samples import World, deb, image, state

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _history_files, _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._history_files import Folder, script
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index import Index
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_page import write_page

Json = dict[str, t.Any]


def write(world: World, folder: pathlib.Path, check_mode: bool = False, **more: t.Any) -> Difference:
    """Write the page as the action does; returns what changed."""
    difference = Difference()
    made = Folder(str(folder), difference, check_mode)
    options = {"title": "Example", "newest": 1000, **more}
    keys = world.keys()
    Index(world.archive, keys, world.lines.append).read(
        lambda connection: write_page(connection, world.store, keys, made, **options)
    )
    return difference


def files(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def data(path: pathlib.Path) -> t.Any:
    """What a script hands to the page, read as a browser does."""
    name, text = json.loads("[" + path.read_text()[len("distrogate(") : -len(");\n")] + "]")
    assert path.name.startswith(name + "-")
    return json.loads(text)


def overview(folder: pathlib.Path) -> Json:
    (path,) = [
        path
        for path in (folder / "data").glob("history-*")
        if path.name in (folder / "index.html").read_text()
    ]
    return t.cast("Json", data(path))


def check_whole(folder: pathlib.Path) -> None:
    """Everything that index.html needs is there, and is what its name says."""
    named = re.findall(r'"(data/[^"]+)"', (folder / "index.html").read_text())
    assert len(named) == 3
    seen = overview(folder)
    for name in [*named, seen["search"], *(bundle["file"] for bundle in seen["bundles"])]:
        contents = (folder / name).read_bytes()
        assert _history_files._digest(contents)[7:23] == name.rpartition("-")[2].partition(".")[0]


@pytest.fixture
def filled(world: World) -> World:
    one = world.seal([deb("a", "1"), deb("b", "1"), image("i", "1")], 1)
    two = world.seal([deb("a", "2"), state(("s", "1")), image("i", "2")], 2)
    three = world.seal([deb("a", "3")], 3)
    world.verdict(one, "test", "PASSED")
    world.verdict(two, "test", "FAILED")
    world.verdict(three, "soak", "PASSED")
    world.promote(one, "stable", 1)
    world.promote(two, "stable", 2, before=one)
    return world


def test_the_same_history_gives_the_same_bytes(filled: World, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page"
    predicted = write(filled, page, check_mode=True)
    assert not page.exists()
    done = write(filled, page)
    assert (done.before, done.after) == (predicted.before, predicted.after)
    check_whole(page)
    before = files(page)
    stat = (page / "index.html").stat()
    assert write(filled, page).empty
    assert files(page) == before
    assert (page / "index.html").stat() == stat
    write(filled, tmp_path / "other")
    assert files(tmp_path / "other") == before


def test_what_it_shows(filled: World, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page"
    write(filled, page)
    seen = overview(page)
    three, two, one = seen["bundles"]
    assert [bundle["verdicts"] for bundle in (one, two, three)] == [
        {"test": "PASSED"},
        {"test": "FAILED"},
        {"soak": "PASSED"},
    ]
    assert seen["stages"] == ["soak", "test"]
    assert sorted(two["names"]) == ["2.0.0", "stable"]
    (stable,) = seen["channels"]
    assert [row["digest"] for row in stable["history"]] == [two["digest"], one["digest"]]
    # The last good one is not the one before: that failed.
    assert three["since_good"]["digest"] == two["since_good"]["digest"] == one["digest"]
    assert "since_good" not in one
    found = data(page / three["file"])["since_good"]
    assert [package["name"] for package in found["packages"]["removed"]] == ["b"]
    assert [package["to"] for package in found["packages"]["changed"]] == ["3"]
    search = data(page / seen["search"])
    assert search["packages"]["a"] == {"1": [2], "2": [1], "3": [0]}
    assert search["packages"]["s"] == {"1": [1]}


def test_only_a_tested_bundle_that_nobody_holds_is_good(filled: World, tmp_path: pathlib.Path) -> None:
    held = filled.seal([deb("a", "4")], 4)
    filled.verdict(held, "test", "PASSED")
    filled.say(held, _statements.HOLD, name="legal", author="ann", reason="?", at_ns=1)
    filled.seal([deb("a", "5")], 5)
    write(filled, tmp_path / "page")
    assert [bundle["good"] for bundle in overview(tmp_path / "page")["bundles"]] == [
        False,
        False,
        True,
        False,
        True,
    ]


def test_a_late_verdict_changes_what_it_must(filled: World, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page"
    write(filled, page)
    first = set(files(page))
    middle = filled.digests()[1]
    filled.verdict(filled.archive.bundle(middle), "test", "PASSED", 9)
    predicted = write(filled, page, check_mode=True)
    done = write(filled, page)
    assert (done.before, done.after) == (predicted.before, predicted.after)
    new = set(files(page)) - first
    assert sorted(name.partition("-")[0] for name in new) == ["data/bundle", "data/bundle", "data/history"]
    assert first <= set(files(page))  # for those who read the page of before
    check_whole(page)
    filled.verdict(filled.archive.bundle(middle), "soak", "PASSED", 10)
    write(filled, page)
    gone = (first | new) - set(files(page))
    assert gone
    assert gone <= first
    check_whole(page)


def test_the_newest_and_what_a_channel_has(filled: World, tmp_path: pathlib.Path) -> None:
    write(filled, tmp_path / "page", newest=1)
    seen = overview(tmp_path / "page")
    assert ["sha256:" + bundle["digest"] for bundle in seen["bundles"]] == filled.digests()[:2]
    assert seen["older"] == 1
    assert data(tmp_path / "page" / seen["search"])["packages"]["a"] == {"2": [1], "3": [0]}


def test_what_was_edited_or_lost_is_written_again(filled: World, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page"
    write(filled, page)
    before = files(page)
    search = page / overview(page)["search"]
    search.write_text("edited")
    (page / "index.html").unlink()
    (page / "data" / "files.json").write_text("{")
    assert not write(filled, page).empty
    assert files(page) == before


def test_the_folder_of_somebody_else(filled: World, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("mine")
    for check_mode in (True, False):
        with pytest.raises(DistrogateError) as raised:
            write(filled, page, check_mode=check_mode)
        assert raised.value.reason == "bad_destination"
    assert files(page) == {"index.html": b"mine"}


def test_strangers_files_in_it_stay(filled: World, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page"
    write(filled, page)
    for name in ("robots.txt", "data/notes.txt", "data/bundle-x.js"):
        (page / name).write_text("mine")
    for number in (4, 5, 6):
        filled.seal([deb("a", str(number))], number)
        write(filled, page)
    assert all(
        (page / name).read_text() == "mine" for name in ("robots.txt", "data/notes.txt", "data/bundle-x.js")
    )


def test_killed_at_any_step(filled: World, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader finds the old page or the new one, and the next writer ends what was begun."""
    page = tmp_path / "page"
    for left in range(400):
        steps = iter(range(left))

        def killed(real: t.Callable[..., t.Any], steps: t.Iterator[int]) -> t.Callable[..., t.Any]:
            def step(*arguments: t.Any, **more: t.Any) -> t.Any:
                if next(steps, None) is None:
                    raise KeyboardInterrupt
                return real(*arguments, **more)

            return step

        if left and left % 7 == 0:  # a change to come out half way
            filled.seal([deb("a", str(left))], 1 + left % 28)
        with monkeypatch.context() as context:
            for name in ("rename", "unlink", "makedirs"):
                context.setattr(os, name, killed(getattr(os, name), steps))
            try:
                write(filled, page)
                ended = left > 60
            except KeyboardInterrupt:
                ended = False
        if (page / "index.html").exists():
            check_whole(page)
        if ended:
            break
    assert ended
    assert write(filled, page).empty
    assert not [name for name in files(page) if ".tmp-" in name]


def test_a_bundle_that_cannot_be_read_is_shown_as_that(filled: World, tmp_path: pathlib.Path) -> None:
    path = pathlib.Path(filled.archive.folder(filled.digests()[0])) / "bundle.json"
    path.write_text("{}")
    write(filled, tmp_path / "page")
    seen = overview(tmp_path / "page")
    assert len(seen["bundles"]) == 2
    assert len(seen["problems"]) == 1


def test_nothing_from_elsewhere(filled: World, tmp_path: pathlib.Path) -> None:
    page = tmp_path / "page"
    write(filled, page, title='</title><script src="//x">@css@')
    html = (page / "index.html").read_text()
    assert re.findall(r'(?:src|href)="([^"#]+)', html) == re.findall(r'"(data/[^"]+)"', html)
    assert '<script src="//' not in html
    assert "@css@" in html  # a title is only text
    for name in ("page-*.css", "page-*.js"):
        (path,) = (page / "data").glob(name)
        text = path.read_text()
        assert not re.search(
            r"@import|url\(|innerHTML|outerHTML|document\.write|insertAdjacent|\beval\b|Function\(", text
        )
        assert "http" not in re.sub(r"https\?:|https://www\.gnu\.org\S+", "", text)


def test_data_is_text_of_a_script() -> None:
    value = {"__proto__": "</script><!--", "a": "\u2028\ud800'\"\\"}
    text = script("x", value)
    assert text.isascii()
    assert "<" not in text
    assert json.loads(json.loads("[" + text[len("distrogate(") : -3] + "]")[1]) == value
