# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history page in a real browser, from files, with names that strangers chose to do harm."""

from __future__ import annotations

import html.parser
import os
import pathlib
import typing as t

import pytest
from archive_samples import World, commit, deb, git, image

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _statements
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._history_files import Folder
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index import Index
from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_page import write_page
from ansible_collections.distrogate.ci.tests.tools.chromium import Chromium

Json = dict[str, t.Any]
EVIL = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


class Dom(html.parser.HTMLParser):
    """What a browser made of a page: its tags, and the text that a person sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._quiet = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._quiet += tag in ("script", "style", "title", "noscript")

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in ("script", "style", "title", "noscript")

    def handle_data(self, data: str) -> None:
        if not self._quiet:
            self.text += data

    def all(self, tag: str, name: str = "") -> list[t.Any]:
        """The attributes of every such element, or one of them."""
        return [attributes.get(name) if name else attributes for one, attributes in self.tags if one == tag]


class Browser:
    """The page in a folder, in a Chromium without a screen."""

    def __init__(self, folder: pathlib.Path, chromium: Chromium) -> None:
        self.page = folder / "page"
        self._chromium = chromium

    def open(self, address: str = "") -> Dom:
        """The page at this address, after its scripts ran."""
        shown = "document.documentElement.dataset.shown !== undefined"
        text = self._chromium.page(f"file://{self.page}/index.html{address}", shown)
        dom = Dom(text)
        assert dom.all("html", "data-shown") == [address or "#/"], text[-2000:]
        assert "cannot be shown" not in dom.text
        return dom


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Chromium]:
    """One for all pages of this file."""
    started = Chromium(tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()


@pytest.fixture
def browser(tmp_path: pathlib.Path, chromium: Chromium) -> Browser:
    return Browser(tmp_path, chromium)


def write(world: World, browser: Browser, **more: t.Any) -> None:
    keys = world.keys()
    folder = Folder(str(browser.page), Difference(), check_mode=False)
    options = {"title": "Example", "newest": 1000, **more}
    Index(world.archive, keys, world.lines.append).read(
        lambda connection: write_page(connection, world.store, keys, folder, **options)
    )


@pytest.fixture
def hostile(world: World, browser: Browser) -> Json:
    """Whatever a stranger can name is named to do harm; returns the newest bundle."""
    good = world.seal([deb(EVIL, "1"), deb("__proto__", "1"), deb("constructor", "1")], 1, project=EVIL)
    world.verdict(good, "test", "PASSED")
    bad = [deb(EVIL, "2"), image("i", "1"), git("g", EVIL), deb("__proto__", EVIL)]
    new = world.seal(bad, 2, project=EVIL, pipeline=EVIL)
    new = world.seal(bad, 3, project=EVIL)
    world.verdict(new, "test", "PASSED", 3, message=EVIL, url="javascript:document.title='owned'")
    world.verdict(new, EVIL, "FAILED", 4, url="https://tests.example.org/?" + EVIL)
    world.verdict(new, "__proto__", EVIL, 5)
    results: list[t.Any] = ["constructor", "__proto__", ["PASSED"], {"a": 1}, None]
    for number, result in enumerate(results):
        world.verdict(new, f"word{number}", result, 5)  # of a tool that somebody wrote himself
    about = {"author": EVIL, "reason": EVIL, "at_ns": 5}
    world.say(new, _statements.HOLD, name=EVIL, **about)
    world.say(new, _statements.WAIVER, rule="verdicts", stage=EVIL, expires="9999-01-01T00:00:00Z", **about)
    world.say(new, _statements.PROMOTION, channel=EVIL, version=EVIL, at=EVIL, by=EVIL)
    world.promote(good, "stable", 1)
    world.promote(new, "stable", 2, before=good, by=EVIL, at=EVIL, version=EVIL)
    write(world, browser, title=EVIL)
    return new


def check_harmless(dom: Dom) -> None:
    """Nothing ran that is not ours, and nothing can be clicked that would run."""
    assert "img" not in {tag for tag, _attributes in dom.tags}
    assert all(str(source).startswith("data/") for source in dom.all("script", "src"))
    assert all(str(link).startswith(("#", "https://")) for link in dom.all("a", "href"))
    assert not [name for _tag, attributes in dom.tags for name in attributes if name.startswith("on")]


@pytest.mark.parametrize("view", ["#/", "#/bundle/{hex}", "#/channel/stable", "#/search/__proto__=1"])
def test_strangers_names_are_text(hostile: Json, browser: Browser, view: str) -> None:
    dom = browser.open(view.format(hex=hostile["digest"][7:]))
    check_harmless(dom)
    assert EVIL in dom.text
    assert "<title>owned" not in dom.text


def test_an_address_is_text_too(hostile: Json, browser: Browser) -> None:
    for view in ("#/bundle/", "#/search/"):
        check_harmless(browser.open(f"{view}%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D1%22%3E"))
    check_harmless(browser.open("#/search/%E0%A4%A"))  # not even UTF-8


def check_keyboard(dom: Dom) -> None:
    """Every control has a name, and what scrolls can be scrolled without a mouse."""
    labelled = {attributes["for"] for attributes in dom.all("label")}
    controls = [attributes["id"] for tag in ("input", "select") for attributes in dom.all(tag)]
    assert controls
    assert set(controls) <= labelled
    wide = [one for one in dom.all("div") if one.get("class") == "wide"]
    assert wide
    assert all(one["tabindex"] == "0" and one["role"] == "region" and one["aria-label"] for one in wide)
    assert all(one.get("scope") for one in dom.all("th"))
    assert not [one for _tag, one in dom.tags if int(one.get("tabindex") or 0) > 0]
    assert dom.all("html", "lang") == ["en"]
    assert dom.all("a", "href")[0] == "#content"


def test_what_one_sees(world: World, browser: Browser) -> None:
    one = world.seal([deb("nova", "1"), image("keystone", "1")], 1)
    two = world.seal([deb("nova", "2"), image("keystone", "1")], 2)
    world.verdict(one, "install_test", "PASSED")
    world.verdict(two, "install_test", "FAILED", 2, message="it did not boot")
    world.say(two, _statements.HOLD, name="security", author="ann", reason="is looked into", at_ns=1)
    about = {"rule": "verdicts", "author": "ann", "reason": "known", "at_ns": 1}
    world.say(two, _statements.WAIVER, expires="9999-01-01T00:00:00Z", stage="install_test", **about)
    world.say(two, _statements.WAIVER, expires="2020-01-01T00:00:00Z", stage="old_test", **about)
    world.promote(one, "stable", 1)
    write(world, browser)
    home = browser.open()
    check_keyboard(home)
    for text in (
        "Example",
        "stable",
        "1.0.0",
        "install_test",
        "passed",
        "failed",
        "held: security",
        "±1 package",
    ):
        assert text in home.text
    assert "waived: install_test" in home.text
    assert "old_test" not in home.text  # an expired waiver counts no more
    bundle = browser.open(f"#/bundle/{two['digest'][7:]}")
    for text in (
        "it did not boot",
        "is looked into",
        "upgraded",
        two["digest"],
        "waiver of verdicts of old_test expired",
        "waived until 9999-01-01: verdicts of install_test",
    ):
        assert text in bundle.text
    assert f"#/bundle/{one['digest'][7:]}" in bundle.all("a", "href")  # the last good one
    channel = browser.open("#/channel/stable")
    assert one["digest"][7:19] in channel.text
    assert two["digest"][7:19] not in channel.text


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("nova=2", [2]),
        ("nova", [2, 1]),
        ("keystone", [1]),
        ("2.0.0", [2]),
        (commit("change 1")[:9], [1]),
        ("sha256:digest", [1]),
        ("nothing of that kind", []),
    ],
)
def test_search(world: World, browser: Browser, words: str, found: list[int]) -> None:
    made = {
        1: world.seal([deb("nova", "1"), image("keystone", "1")], 1),
        2: world.seal([deb("nova", "2")], 2),
    }
    world.promote(made[2], "stable", 2)
    write(world, browser)
    dom = browser.open("#/search/" + words.replace("digest", made[1]["digest"][7:20]).replace(" ", "%20"))
    links = [link for link in dom.all("a", "href") if link.startswith("#/bundle/")]
    assert links == [f"#/bundle/{made[number]['digest'][7:]}" for number in found]


def test_several_hundred_bundles(world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table begins with a hundred rows, and a bundle's contents are read when it is shown."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # it is not for long
    for number in range(300):
        bundle = world.seal([deb("nova", str(number))], 1 + number % 28, id=str(number))
    write(world, browser)
    dom = browser.open()
    assert len(dom.all("tr")) < 110
    assert "Show 100 more of 300" in dom.text
    assert len(dom.all("script")) == 2
    assert len(browser.open(f"#/bundle/{bundle['digest'][7:]}").all("script")) == 3


def test_a_page_that_was_written_again_meanwhile(world: World, browser: Browser) -> None:
    bundle = world.seal([deb("nova", "1")], 1)
    write(world, browser)
    (path,) = (browser.page / "data").glob("bundle-*")
    path.unlink()
    with pytest.raises(AssertionError, match="cannot be shown"):
        browser.open(f"#/bundle/{bundle['digest'][7:]}")
