# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags are of exactly the bundle's commits, annotated, pushed once, never moved; all or none in the end."""

from __future__ import annotations

import os
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import _git_access, _git_remote
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.faults.tags import git, make_remote
from ansible_collections.distrogate.ci.tests.unit.publishing.git_helpers import Tags

RELEASE = {"transaction": "release"}


def objects(tags: Tags, number: int = 0) -> int:
    counted = dict(line.split(": ") for line in git(tags.remotes[number], "count-objects", "-v").splitlines())
    return int(counted["count"]) + int(counted["in-pack"])


def test_exactly_the_commit_as_predicted_and_once(tags: Tags) -> None:
    before = objects(tags)
    predicted = tags(tags.one[1], tags.two[0], check=True)
    expected = tags.difference
    assert tags.changed and not tags.root.exists() and tags.there() == {}
    result = tags(tags.one[1], tags.two[0])
    assert tags.difference == expected and result == predicted
    assert tags.there() == {"1.0.0": tags.one[1]["commit"]}  # which is no branch's newest
    assert tags.there(1) == {"1.0.0": tags.two[0]["commit"]}
    assert objects(tags) == before + 1  # nothing but the tag was sent
    assert [one["commit"] for one in result["published"]] == [tags.one[1]["commit"], tags.two[0]["commit"]]
    assert tags(tags.one[1], tags.two[0]) == result
    assert not tags.changed
    assert os.listdir(tags.root / ".distrogate/transactions") == []
    assert not (tags.root / ".distrogate/scratch").exists()


def test_what_the_tag_says(tags: Tags) -> None:
    artifact = {**tags.one[0], "subject": "Have {version} first"}
    message = "Release {version} of {name}\n\n{subject}\nin {channel} as {commit}"
    options = {"tag": "{name}/{channel}-{version}", "tag_message": message, "channel": "stable"}
    tags(artifact, tagger_name="Release Team", tagger_email="r@example.org", **options)
    lines = git(tags.remotes[0], "cat-file", "tag", "one/stable-1.0.0").splitlines()
    assert lines[:3] == [f"object {artifact['commit']}", "type commit", "tag one/stable-1.0.0"]
    assert lines[3].startswith("tagger Release Team <r@example.org> 1")
    assert lines[5:] == [
        "Release 1.0.0 of one",
        "",
        "Have {version} first",
        f"in stable as {artifact['commit']}",
    ]
    git(tags.remotes[0], "fsck", "--strict")


def test_a_commit_of_no_branch(tags: Tags) -> None:
    git(tags.remotes[0], "update-ref", "refs/changes/1/1", tags.one[2]["commit"])
    git(tags.remotes[0], "update-ref", "refs/heads/main", tags.one[0]["commit"])
    tags(tags.one[2])
    assert tags.there() == {"1.0.0": tags.one[2]["commit"]}


@pytest.mark.parametrize("filters", ["true", "false"])
@pytest.mark.parametrize("version", ["0", "2"])
def test_servers(tags: Tags, monkeypatch: pytest.MonkeyPatch, version: str, filters: str) -> None:
    """Older ones give out no commit but what a ref names, and some send contents always."""
    git(tags.remotes[0], "config", "uploadpack.allowFilter", filters)
    monkeypatch.setitem(_git_access._SETTINGS, "protocol.version", version)
    tags(tags.one[0])
    assert tags.there() == {"1.0.0": tags.one[0]["commit"]}


def test_longer_names(tags: Tags) -> None:
    remote = tags.folder / "long"
    remote.mkdir()
    git(remote, "init", "--quiet", "--bare", "--object-format=sha256")
    tree = git(remote, "write-tree")
    commit = git(remote, "commit-tree", tree, "-m", "x")
    git(remote, "update-ref", "refs/heads/main", commit)
    tags({"name": "long", "url": remote.as_uri(), "commit": commit, "tree": tree})
    assert git(remote, "rev-parse", "1.0.0^{commit}") == commit


def test_pushed_to_another_address(tags: Tags) -> None:
    review = make_remote(tags.folder / "review/one", "first")
    artifact = {**tags.one[0], "url": "https://git.example.org/one"}
    git(tags.remotes[0], "push", "--quiet", str(tags.folder / "review/one"), "main:other")
    result = tags(artifact, push_urls={"https://git.example.org/one": review[0]["url"]})
    assert result["published"][0]["address"] == f"{review[0]['url']}#refs/tags/1.0.0"
    assert tags.there() == {}
    assert git(tags.folder / "review/one", "rev-parse", "1.0.0^{commit}") == artifact["commit"]


def refused(tags: Tags, *artifacts: t.Any, **options: t.Any) -> DistrogateError:
    """What it says, in check mode as well; no tag is there afterwards that was not before."""
    before = [tags.there(number) for number in (0, 1)]
    reasons = []
    for check in (True, False):
        with pytest.raises(DistrogateError) as caught:
            tags(*artifacts, check=check, **options)
        reasons.append(caught.value.reason)
    assert len(set(reasons)) == 1
    assert [tags.there(number) for number in (0, 1)] == before
    return caught.value


def test_a_commit_that_is_not_there(tags: Tags) -> None:
    error = refused(tags, tags.one[0], {**tags.two[0], "commit": tags.one[1]["commit"]})
    assert error.reason == "bad_commit" and tags.one[1]["commit"] in error.message


def test_something_else_than_a_commit(tags: Tags) -> None:
    assert refused(tags, {**tags.one[0], "commit": tags.one[0]["tree"]}).reason == "bad_commit"
    git(tags.remotes[0], "tag", "-a", "-m", "x", "other", tags.one[0]["commit"])
    tag = git(tags.remotes[0], "rev-parse", "other")
    assert refused(tags, {**tags.one[0], "commit": tag}).reason == "bad_commit"


def test_another_tree(tags: Tags) -> None:
    error = refused(tags, {**tags.one[0], "tree": tags.one[1]["tree"]})
    assert error.reason == "digest_mismatch" and tags.one[1]["tree"] in error.message


def test_the_artifact_has_another_digest(tags: Tags) -> None:
    error = refused(tags, {**tags.one[0], "sha256": "0" * 64})
    assert error.reason == "digest_mismatch" and "0" * 64 in error.message
    result = tags({**tags.one[0]})
    digest = result["published"][0]["digest"].partition(":")[2]
    tags({**tags.one[0], "sha256": digest})


@pytest.mark.parametrize("more", [("-a", "-m", "theirs"), ()])
def test_a_tag_of_others(tags: Tags, more: tuple[str, ...]) -> None:
    git(tags.remotes[0], "tag", *more, "1.0.0", tags.one[1]["commit"])
    before = git(tags.remotes[0], "rev-parse", "1.0.0")
    with pytest.raises(DistrogateError, match="no tag is ever moved") as caught:
        tags(tags.two[0], tags.one[0])
    assert caught.value.reason == "tag_taken"
    if more:
        tags(tags.one[1])  # the same commit, annotated: that is what is wanted
        assert not tags.changed or git(tags.remotes[0], "rev-parse", "1.0.0") == before
    else:
        with pytest.raises(DistrogateError, match="no annotated tag"):
            tags(tags.one[1])
    assert git(tags.remotes[0], "rev-parse", "1.0.0") == before
    assert tags.there(1) == {}


def test_undone_but_never_of_another_commit(tags: Tags) -> None:
    tags(tags.one[0], tags.two[0], **RELEASE)
    tags(state="undone", check=True, **RELEASE)
    expected = tags.difference
    assert tags.there() and tags.there(1)
    tags(state="undone", **RELEASE)
    assert tags.difference == expected
    assert (tags.there(), tags.there(1)) == ({}, {})
    tags(state="undone", **RELEASE)
    assert not tags.changed
    assert refused(tags, tags.one[1]).reason == "tag_taken"
    tags(tags.one[0])
    assert tags.there() == {"1.0.0": tags.one[0]["commit"]}


def test_undone_leaves_what_others_made_of_it(tags: Tags) -> None:
    tags(tags.one[0], **RELEASE)
    git(tags.remotes[0], "tag", "-f", "-a", "-m", "theirs", "1.0.0", tags.one[1]["commit"])
    tags(state="undone", **RELEASE)
    assert tags.there() == {"1.0.0": tags.one[1]["commit"]}


@pytest.mark.parametrize("end", ["committed", "undone"])
def test_prepared(tags: Tags, end: str) -> None:
    prepared = tags(tags.one[0], state="prepared", **RELEASE)
    assert tags.changed and tags.there() == {}
    tags(tags.one[0], state="prepared", **RELEASE)
    assert not tags.changed
    with pytest.raises(DistrogateError) as caught:
        tags(tags.two[0], timeout=0, state="prepared", transaction="other")
    assert caught.value.reason == "reserved"
    with pytest.raises(DistrogateError) as caught:
        tags(tags.one[1], state="prepared", **RELEASE)
    assert caught.value.reason == "transaction_used"
    ended = tags(state=end, **RELEASE)
    assert tags.changed
    assert tags.there() == ({"1.0.0": tags.one[0]["commit"]} if end == "committed" else {})
    assert end == "undone" or ended == prepared
    tags(state=end, **RELEASE)
    assert not tags.changed
    with pytest.raises(DistrogateError) as caught:
        tags(state=end, transaction="nobody's")
    assert caught.value.reason == "unknown_transaction" or caught.value.reason == "bad_transaction"


def test_taken_since_it_was_prepared(tags: Tags) -> None:
    tags(tags.one[0], tags.two[0], state="prepared", **RELEASE)
    git(tags.remotes[1], "tag", "-a", "-m", "theirs", "1.0.0", tags.two[2]["commit"])
    with pytest.raises(DistrogateError) as caught:
        tags(state="committed", **RELEASE)
    assert caught.value.reason == "tag_taken"
    tags(state="undone", **RELEASE)
    assert (tags.there(), tags.there(1)) == ({}, {"1.0.0": tags.two[2]["commit"]})


@pytest.mark.parametrize("end", ["committed", "undone"])
def test_others_come_between_looking_and_pushing(
    tags: Tags, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    real = _git_remote.Scratch.push

    def late(scratch: _git_remote.Scratch, *arguments: str) -> t.Any:
        git(tags.remotes[0], "tag", "-f", "-a", "-m", "theirs", "1.0.0", tags.one[1]["commit"])
        return real(scratch, *arguments)

    tags(tags.one[0], **({"state": "prepared"} if end == "committed" else {}), **RELEASE)
    monkeypatch.setattr(_git_remote.Scratch, "push", late)
    if end == "committed":
        with pytest.raises(DistrogateError) as caught:
            tags(state=end, **RELEASE)
        assert caught.value.reason == "tag_taken"
    else:
        tags(state=end, **RELEASE)
    assert tags.there() == {"1.0.0": tags.one[1]["commit"]}


def test_a_remote_that_refuses(tags: Tags) -> None:
    """Without an id nobody could ask for it later: all is taken back."""
    tags.refuse(1)
    with pytest.raises(DistrogateError, match="not today") as caught:
        tags(tags.one[0], tags.two[0])
    assert caught.value.reason == "git_failed"
    assert (tags.there(), tags.there(1)) == ({}, {})
    assert os.listdir(tags.root / ".distrogate/transactions") == []
    tags.refuse(1, refusing=False)
    tags(tags.one[0], tags.two[0])
    assert tags.there() and tags.there(1)


@pytest.mark.parametrize("end", ["committed", "undone", "another", "again"])
def test_half_committed(tags: Tags, end: str) -> None:
    tags(tags.one[0], tags.two[0], state="prepared", **RELEASE)
    tags.refuse(1)
    with pytest.raises(DistrogateError, match="not today"):
        tags(state="committed", **RELEASE)
    assert tags.there() and not tags.there(1)
    if end == "undone":
        tags(state="undone", **RELEASE)
        assert (tags.there(), tags.there(1)) == ({}, {})
        assert refused(tags, tags.one[1], timeout=0).reason == "tag_taken"
        return
    with pytest.raises(DistrogateError, match=r"transaction release .* cannot go on") as caught:
        tags(tags.one[2], version="9.0.0")
    assert caught.value.details["transaction"] == "release"
    tags.refuse(1, refusing=False)
    if end == "committed":
        tags(state="committed", **RELEASE)
    elif end == "another":
        tags(tags.one[2], version="9.0.0")
    else:
        tags(tags.one[0], tags.two[0], state="prepared", **RELEASE)
    assert "1.0.0" in tags.there() and "1.0.0" in tags.there(1)
    tags(state="committed", **RELEASE)
    assert not tags.changed


def test_a_remote_that_is_away(tags: Tags) -> None:
    tags.remotes[1].rename(tags.folder / "away")
    with pytest.raises(DistrogateError) as caught:
        tags(tags.one[0], tags.two[0])
    assert caught.value.reason == "git_failed"
    assert tags.two[0]["url"] in caught.value.message
    assert tags.there() == {}


def test_two_at_once(tags: Tags) -> None:
    children = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                tags(tags.one[number], tags.two[number], version=f"{number}.0.0", timeout=60)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 3
    assert tags.there() == {f"{number}.0.0": tags.one[number]["commit"] for number in range(3)}


def test_two_roots_want_one_tag(tags: Tags) -> None:
    tags(tags.one[0], state="prepared", **RELEASE)
    tags(tags.one[1], root=str(tags.folder / "other"))
    with pytest.raises(DistrogateError) as caught:
        tags(state="committed", **RELEASE)
    assert caught.value.reason == "tag_taken"
    assert tags.there() == {"1.0.0": tags.one[1]["commit"]}
    assert subprocess.run(["git", "-C", str(tags.remotes[0]), "fsck"], check=False).returncode == 0
