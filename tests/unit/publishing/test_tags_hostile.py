# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, names and texts of strangers, and what a user or a remote has configured: none of it runs."""

from __future__ import annotations

import base64
import pathlib
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._git_access import Access, checked_url
from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.faults.tags import git
from ansible_collections.distrogate.ci.tests.unit.publishing.git_helpers import Tags
from ansible_collections.distrogate.ci.tests.unit.publishing.git_server import GitServer

Json = dict[str, t.Any]
ALL = ("https", "ssh", "http", "git", "file")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ext::sh -c true",
            "ext::true",
            "fd::7",
            "--upload-pack=true",
            "-x",
            "",
            "/srv/git/one",
            "../one",
            "one",
        ),
        *("https://", "https:///x", "ssh://-oProxyCommand=true/x", "-oProxyCommand=true:x", "git@-x:y"),
        *("https://example.org/x\ny", "https://example.org/\0", "ftp://example.org/x", "https://[x/y"),
        *("https://example.org/" + "x" * 2000, None, 7, ["https://example.org"], "C:\\x"),
    ],
)
def test_addresses(tags: Tags, url: t.Any) -> None:
    with pytest.raises(DistrogateError) as caught:
        tags({**tags.one[0], "url": url}, protocols=list(ALL))
    assert caught.value.reason == "bad_url"
    assert not (tags.root / ".distrogate/state.json").exists()


@pytest.mark.parametrize("url", ["https://user:secret@example.org/x", "ssh://u:secret@example.org/x"])
def test_a_password_in_an_address_is_not_repeated(url: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        checked_url(url, ALL)
    assert caught.value.reason == "bad_url" and "secret" not in str(caught.value.as_result())


@pytest.mark.parametrize(
    "url",
    ["https://example.org/x", "ssh://git@example.org:29418/x", "git@example.org:x/y.git", "example.org:x"],
)
def test_usual_addresses(url: str) -> None:
    assert checked_url(url, ("https", "ssh")) == url


@pytest.mark.parametrize("url", ["file:///srv/git/one", "http://example.org/x", "git://example.org/x"])
def test_protocols_are_asked_for(url: str) -> None:
    with pytest.raises(DistrogateError, match="allowed"):
        checked_url(url, ("https", "ssh"))


@pytest.mark.parametrize(
    "bad",
    [
        *(
            {"commit": one}
            for one in ("HEAD", "main", "", "0" * 39, "0" * 41, "-x", "A" * 40, None, 7, ["0" * 40])
        ),
        *({"tree": one} for one in ("", "x", None, "0" * 40 + "\n")),
        *({"name": one} for one in ("", None, 7, "a\nb", "x" * 256)),
    ],
)
def test_artifacts(tags: Tags, bad: Json) -> None:
    with pytest.raises(DistrogateError) as caught:
        tags({**tags.one[0], **bad})
    assert caught.value.reason == "bad_artifact"


@pytest.mark.parametrize("bad", [None, "x", [], 7])
def test_no_artifacts(tags: Tags, bad: t.Any) -> None:
    for given in ([bad], []):
        with pytest.raises(DistrogateError) as caught:
            tags(*given)
        assert caught.value.reason == "bad_artifact"


@pytest.mark.parametrize(
    "tag",
    [
        *(
            "",
            "-d",
            "a b",
            "a..b",
            "a.lock",
            "a/.b",
            "/a",
            "a/",
            "a//b",
            "a.",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[",
        ),
        *("a\\b", "a\nb", "a@{1}", "ü", "x" * 201, "refs/../x", "a\x7fb", "+a", "a/b.lock/c"),
    ],
)
def test_names_of_tags(tags: Tags, tag: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        tags(tags.one[0], tag=tag)
    assert caught.value.reason == "bad_name"


@pytest.mark.parametrize(
    "option",
    [
        *(
            {"tag_message": text}
            for text in ("", " \n", "a\0b", "a\x1b[1m", "{other}", "x" * (64 << 10 | 1), "{subject}")
        ),
        {"password": "x"},
        *({"tag": text} for text in ("{other}", "{version}", "{channel}")),
        *(
            {"ssh_options": [text]}
            for text in ("ProxyCommand=sh -c x", "x", "-oX=y", "A=$(x)", "A='x'", "A=b\n", "A=")
        ),
        *(
            {name: path}
            for name in ("ssh_key", "known_hosts")
            for path in ("/a b", "/a'b", '/a"b', "/%h", "/a\nb")
        ),
    ],
)
def test_options(tags: Tags, option: Json) -> None:
    with pytest.raises(DistrogateError) as caught:
        tags(tags.one[0], **{"version": None, **option} if "tag" in option else option)
    assert caught.value.reason == "bad_option"


@pytest.mark.parametrize(
    "tagger",
    [("", "a@b"), ("a\nb", "a@b"), ("a <x>", "a@b"), ("a", ""), ("a", "a b"), ("a", "a>\nx"), ("a", "<a@b")],
)
def test_taggers(tags: Tags, tagger: tuple[str, str]) -> None:
    with pytest.raises(DistrogateError) as caught:
        tags(tags.one[0], tagger_name=tagger[0], tagger_email=tagger[1])
    assert caught.value.reason == "bad_name"


def test_one_tag_for_two_commits(tags: Tags) -> None:
    with pytest.raises(DistrogateError) as caught:
        tags(tags.one[0], {**tags.one[1], "name": "other"})
    assert caught.value.reason == "artifact_conflict"
    tags(tags.one[0], {**tags.one[1], "name": "other"}, tag="{name}-{version}")
    assert set(tags.there()) == {"one-1.0.0", "other-1.0.0"}


def test_what_the_user_configured_does_not_run(
    tags: Tags, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction", "post-checkout", "helper"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    text = f'[core]\nhooksPath = {hooks}\n[credential]\nhelper = "{hooks}/helper"\n'
    text += '[url "x:"]\ninsteadOf = file:\n'
    (tmp_path / ".gitconfig").write_text(text)
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, str(tmp_path / ".gitconfig"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tags.remotes[1]))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "ran"))
    monkeypatch.setenv("GIT_SSH_COMMAND", f"touch {tmp_path}/ran")
    tags(tags.one[0])
    monkeypatch.undo()
    assert tags.there() == {"1.0.0": tags.one[0]["commit"]}
    assert not (tmp_path / "ran").exists()


def test_a_folder_for_git_that_somebody_else_filled(tags: Tags, tmp_path: pathlib.Path) -> None:
    """What a killed run left is thrown away, with whatever is configured in it."""
    tags(tags.one[0])
    scratch = tags.root / ".distrogate/scratch"
    scratch.mkdir()
    git(scratch, "init", "--quiet", "--bare", "git")
    git(scratch / "git", "config", "core.fsmonitor", f"touch {tmp_path}/ran")
    tags(tags.one[1], version="2.0.0")
    assert not scratch.exists() and not (tmp_path / "ran").exists()


def test_a_password_is_on_no_command_line(tags: Tags, monkeypatch: pytest.MonkeyPatch) -> None:
    real, seen = _command.run, []

    def run(argv: list[str], **options: t.Any) -> _command.Completed:
        seen.append(argv)
        return real(argv, **options)

    monkeypatch.setattr(_command, "run", run)
    git(tags.remotes[0], "config", "http.receivepack", "true")
    with GitServer(tags.folder / "remotes", "ci", "secret-word") as server:
        artifact = {**tags.one[0], "url": f"{server.url}/one"}
        options: Json = {"protocols": ["http"], "username": "ci", "password_urls": [server.url]}
        with pytest.raises(DistrogateError) as caught:
            tags(artifact, **options, password="other-word")
        assert caught.value.reason == "git_failed"
        assert "other-word" not in str(caught.value.as_result())
        tags(artifact, **options, password="secret-word")
        tags(artifact, **options, password="secret-word")
        assert not tags.changed
    assert tags.there() == {"1.0.0": tags.one[0]["commit"]}
    assert seen and "secret-word" not in str(seen) and "other-word" not in str(seen)
    kept = [path for path in tags.root.rglob("*") if path.is_file()]
    coded = base64.b64encode(b"ci:secret-word")
    assert kept and not any(
        b"secret-word" in data or coded in data for data in (one.read_bytes() for one in kept)
    )


def test_a_password_is_for_its_remote_alone(tags: Tags) -> None:
    """A server that sends git elsewhere does not get it there."""
    options: Json = {"protocols": ["http"], "username": "ci", "password": "word"}
    folder = tags.folder / "remotes"
    with (
        GitServer(folder, "ci", "word") as stranger,
        GitServer(folder, "ci", "word", moved=stranger.url) as server,
        pytest.raises(DistrogateError) as caught,
    ):
        tags({**tags.one[0], "url": f"{server.url}/one"}, password_urls=[server.url], **options)
    assert caught.value.reason == "git_failed"
    assert stranger.asked == []
    with GitServer(folder, "ci", "word") as stranger, pytest.raises(DistrogateError) as caught:
        tags({**tags.one[0], "url": f"{stranger.url}/one"}, password_urls=["http://127.0.0.1:1"], **options)
    assert caught.value.reason == "git_failed"
    assert stranger.asked and stranger.secrets == [None] * len(stranger.asked)


def test_ssh_gets_its_words_whole() -> None:
    access = Access(("ssh",), 60, "/etc/x/key", "/etc/x/known", ("Port=29418",), None, "secret")
    words = access.ssh().split()
    assert words[0] == "ssh"
    options = words[2::2]
    assert {
        "BatchMode=yes",
        "IdentityFile=/etc/x/key",
        "UserKnownHostsFile=/etc/x/known",
        "Port=29418",
    } <= set(options)
    assert "secret" not in str(access.environment())
