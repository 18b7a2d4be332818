# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open changes are tested again, each once, by every way, and none is lost for another."""

from __future__ import annotations

import base64
import json
import pathlib
import typing as t
import urllib.parse

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _http
from ansible_collections.distrogate.ci.plugins.module_utils._sources._gerrit_rest import open_changes
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue_sources import find
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest import checked_merge, retest
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest_triggers import (
    server_of,
    trigger,
)
from ansible_collections.distrogate.ci.tests.unit.sources.stand_ins import (
    Bad,
    Gerrit,
    Handler,
    Jenkins,
    StandIn,
    Zuul,
)


def change(number: int, **more: t.Any) -> dict[str, t.Any]:
    commit = f"{number:040x}"
    ref = f"refs/changes/{number % 100:02}/{number}/2"
    return {
        "id": f"org%2Fp~{number}",
        "project": "org/p",
        "branch": "main",
        "_number": number,
        "subject": "<script>alert(1)</script>",
        "current_revision": commit,
        "revisions": {commit: {"_number": 2, "ref": ref}},
        **more,
    }


def ask(server: StandIn, timeout: float = 20, **options: t.Any) -> tuple[list[t.Any], list[t.Any]]:
    prefix = "/a" if options.get("user") else ""
    client = server_of({"url": server.url, **options}, timeout)
    return open_changes(client, prefix, "org/p", "main", query="-is:wip")


def error(server: StandIn, timeout: float = 20) -> DistrogateError:
    with pytest.raises(DistrogateError) as caught:
        ask(server, timeout)
    assert len(caught.value.message) < 600
    assert "\x1b" not in caught.value.message
    return caught.value


def test_all_pages() -> None:
    with Gerrit([change(number) for number in range(8, 0, -1)]) as gerrit:
        changes, refused = ask(gerrit, user="ci", password="p:w")
    assert [int(one["change_id"]) for one in changes] == list(range(1, 9))
    assert refused == []
    assert changes[0]["ref"] == "refs/changes/01/1/2"
    path, headers = gerrit.seen[-1][1], gerrit.seen[-1][2]
    assert path.startswith("/a/changes/?")
    asked = urllib.parse.parse_qs(path.partition("?")[2])
    assert asked["q"] == ["status:open project:org/p branch:main -is:wip"]
    assert (asked["o"], asked["S"]) == (["CURRENT_REVISION"], ["6"])
    assert base64.b64decode(headers["Authorization"].split()[1]) == b"ci:p:w"


@pytest.mark.parametrize(
    "more",
    [
        {"branch": "--x"},
        {"project": "other"},
        {"_number": "1"},
        {"_number": -1},
        {"current_revision": "HEAD"},
        {"current_revision": [1]},
        {"revisions": {}},
        {"revisions": {f"{1:040x}": {"_number": 2, "ref": "--upload-pack=x"}}},
        {"revisions": {f"{1:040x}": {"_number": "2 3", "ref": "refs/changes/01/1/2"}}},
    ],
)
def test_a_strange_change_does_not_lose_the_others(more: dict[str, t.Any]) -> None:
    with Gerrit([change(1, **more), change(2)]) as gerrit:
        changes, refused = ask(gerrit)
    assert [one["change_id"] for one in changes] == ["2"]
    assert len(refused) == 1


def endless(request: Handler, stand_in: StandIn) -> None:
    request.send_response(200)
    request.end_headers()
    while not stand_in.ended.wait(0.05):
        request.wfile.write(b" ")


def slow_head(request: Handler, stand_in: StandIn) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not stand_in.ended.wait(0.05):
        request.wfile.write(b"X-A: b\r\n")


def gibibyte(request: Handler, stand_in: StandIn) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(1 << 30))
    request.end_headers()
    block = b")]}'\n" + b"[" * (1 << 20)
    for _number in range(1024):
        request.wfile.write(block)


def sends_away(request: Handler, _stand_in: StandIn) -> None:
    request.say(302, b"", Location="http://192.0.2.1/steal")


def test_an_answer_without_an_end() -> None:
    for behaviour in (endless, slow_head):
        with Bad(behaviour) as server:
            failed = error(server, timeout=0.5)
        assert failed.reason == "unreachable"


def test_an_answer_of_a_gibibyte() -> None:
    with Bad(gibibyte) as server:
        assert f"more than {_http.LIMIT} bytes" in error(server).message


def test_sent_elsewhere() -> None:
    with Bad(sends_away) as server:
        failed = error(server)
        assert len(server.seen) == 1
    assert failed.reason == "redirected"
    assert "192.0.2.1" in failed.message


@pytest.mark.parametrize(
    "body",
    [
        b"<html>log in</html>",
        b"",
        b")]}'\n",
        b")]}'\n{}",
        b")]}'\n" + b"[" * 100000,
        b"[]",
        b")]}'\n[1, NaN]",
    ],
)
def test_answers_that_are_not_gerrits(body: bytes) -> None:
    with Bad(lambda request, _own: request.say(200, body)) as server:
        assert error(server).reason in ("gerrit_failed", "bad_json")


def test_pages_without_an_end() -> None:
    """A server that always has more, and one that says so of nothing."""
    page = b")]}'\n" + json.dumps([change(1, _more_changes=True)] * 100).encode()
    with Bad(lambda request, _own: request.say(200, page)) as server:
        assert error(server).reason == "many_changes"
    with Bad(lambda request, _own: request.say(401, b"Unauthorized\x1b[0m")) as server:
        assert error(server).reason == "not_allowed"


@pytest.mark.parametrize(
    "url", ["ftp://x/", "x", "http://", "http://a:b@c/", "http://x:y/", "http://x/?a", "file:///x"]
)
def test_bad_addresses(url: str) -> None:
    with pytest.raises(DistrogateError) as caught:
        _http.Server(url, "", 1)
    assert caught.value.reason == "bad_url"


def test_no_secret_in_plain_text() -> None:
    with pytest.raises(DistrogateError) as caught:
        _http.Server("http://review.example.org/", "Basic x", 1)
    assert caught.value.reason == "plain_password"


OPEN = [
    {
        "project": "org/p",
        "branch": "main",
        "change_id": str(number),
        "patch_set": "2",
        "ref": f"refs/changes/0{number}/{number}/2",
        "commit": f"{number:040x}",
    }
    for number in (1, 2, 3)
]


class Site:
    """A store, and ways to retest."""

    def __init__(self, folder: pathlib.Path, *ways: dict[str, t.Any]) -> None:
        self._store, self.ways = f"sqlite://{folder}/store.db", ways

    def retest(
        self, merged: str = "m1", dry: bool = False, state: str = "triggered", changes: t.Any = OPEN
    ) -> dict[str, str]:
        params = {
            "changes": changes,
            "merged": merged,
            "retest_with": self.ways,
            "state": state,
            "timeout": 20,
        }
        with open_store(self._store) as store:
            rows = retest(store, params, dry, trigger)
        self.rows = rows
        return {f"{row['change']} {row['with']}": row["outcome"] for row in rows}


def outcomes(word: str, way: str = "jenkins") -> dict[str, str]:
    return {f"{number},2 {way}": word for number in (1, 2, 3)}


def test_each_once_for_each_merge(tmp_path: pathlib.Path) -> None:
    with Jenkins() as jenkins:
        site = Site(tmp_path, {"kind": "jenkins", "url": jenkins.url, "job": "ci/distrogate check"})
        assert site.retest(dry=True) == outcomes("would be triggered")
        assert jenkins.seen == []
        assert site.retest() == outcomes("triggered")
        assert site.rows[0]["msg"] == "queued as /queue/item/7/"
        assert site.retest() == outcomes("skipped")
        newer = [{**OPEN[0], "patch_set": "3"}, *OPEN[1:]]
        assert site.retest(changes=newer)["1,3 jenkins"] == "triggered"
        assert site.retest(merged="m2") == outcomes("triggered")
        assert len(jenkins.seen) == 7
    _method, path, _headers, body = jenkins.seen[0]
    assert path == "/job/ci/job/distrogate%20check/buildWithParameters"
    told = {name: value[0] for name, value in urllib.parse.parse_qs(body.decode()).items()}
    assert find({}, told, lambda _path: None)["queue"] == [OPEN[0]], "the job would test something else"


def test_one_that_fails_does_not_lose_the_others(tmp_path: pathlib.Path) -> None:
    with Jenkins(refuses=("2",)) as jenkins:
        site = Site(tmp_path, {"kind": "jenkins", "url": jenkins.url, "job": "check"})
        assert site.retest() == {**outcomes("triggered"), "2,2 jenkins": "failed"}
        assert site.rows[1]["msg"] == "Jenkins answered 500: <html><script>alert(1)</script> [31m</html>"
        jenkins.refuses = ()
        assert site.retest() == {**outcomes("skipped"), "2,2 jenkins": "triggered"}


def test_a_server_that_is_gone(tmp_path: pathlib.Path) -> None:
    with Jenkins() as jenkins:
        url = jenkins.url
    site = Site(
        tmp_path, {"kind": "jenkins", "url": url, "job": "x"}, {"kind": "zuul", "url": url, "tenant": ""}
    )
    assert set(site.retest().values()) == {"failed"}
    assert site.rows[1]["reason"] == "bad_options"


def test_crumbs(tmp_path: pathlib.Path) -> None:
    with Jenkins(crumb=True) as jenkins:
        way = {"kind": "jenkins", "url": jenkins.url, "job": "x", "user": "ci", "password": "pw"}
        assert Site(tmp_path, way).retest() == outcomes("failed")
        assert Site(tmp_path, {**way, "crumb": True}).retest() == outcomes("triggered")


def test_zuul_and_comments(tmp_path: pathlib.Path) -> None:
    (tmp_path / "token").write_text("t1\n")
    with Zuul() as zuul, Gerrit([]) as gerrit:
        enqueue = {"kind": "zuul", "url": f"{zuul.url}zuul", "tenant": "a/b", "pipeline": "check"}
        enqueue["token_file"] = str(tmp_path / "token")
        comment = {"kind": "gerrit", "url": gerrit.url, "user": "ci", "password": "x", "comment": "recheck"}
        wrong = {**enqueue, "name": "wrong", "token_file": None, "token": "t2"}
        other = {**enqueue, "name": "other", "pipeline": "nosuch"}
        found = Site(tmp_path, enqueue, comment, wrong, other).retest()
    assert found == {
        **outcomes("triggered", "zuul"),
        **outcomes("triggered", "gerrit"),
        **outcomes("failed", "wrong"),
        **outcomes("failed", "other"),
    }
    _method, path, _headers, body = zuul.seen[0]
    assert path == "/zuul/api/tenant/a%2Fb/project/org/p/enqueue"
    assert json.loads(body) == {"pipeline": "check", "change": "1,2"}
    assert gerrit.seen[0][1] == f"/a/changes/org%2Fp~1/revisions/{1:040x}/review"
    assert json.loads(gerrit.seen[0][3]) == {"message": "recheck"}


def test_check_is_remembered_when_it_was_done(tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path, {"kind": "check"})
    assert site.retest() == outcomes("to check", "check")
    assert site.retest(state="done", changes=OPEN[:1], dry=True) == {"1,2 check": "done"}
    assert site.retest() == outcomes("to check", "check")
    site.retest(state="done", changes=OPEN[:1])
    assert site.retest() == {**outcomes("to check", "check"), "1,2 check": "skipped"}


def test_options() -> None:
    two = [{"kind": "check"}, {"kind": "check", "name": None}]
    for params in ({"retest_with": two, "merged": "x"}, {"retest_with": two[:1], "merged": ""}):
        with pytest.raises(DistrogateError):
            checked_merge(params)
    with pytest.raises(DistrogateError, match="cannot be read"):
        trigger(
            {"kind": "zuul", "url": "https://x/", "tenant": "t", "pipeline": "p", "token_file": "/none"},
            OPEN[0],
            1,
        )
