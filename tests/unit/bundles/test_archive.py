# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive: written once, whole or not there, and nothing of it is believed unseen."""

from __future__ import annotations

import errno
import os
import pathlib
import typing as t

import pytest
from archive_samples import World, deb, make, unreadable

from ansible_collections.distrogate.ci.plugins.module_utils._bundles import (
    _archive,
    _bundle,
    _run_files,
    _statements,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

Json = dict[str, t.Any]


def files(folder: pathlib.Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def archive(tmp_path: pathlib.Path) -> Archive:
    return Archive(str(tmp_path / "deep" / "archive"))


def test_a_bundle_is_written_once(archive: Archive, bundle: Json) -> None:
    text, digest = _bundle.bundle_text(bundle), bundle["digest"]
    said = {"a.json": "{}\n"}
    assert archive.add(digest, text, said, check_mode=True) == ["bundle.json", "statements/a.json"]
    assert not os.path.exists(archive.root)
    assert archive.add(digest, text, said) == ["bundle.json", "statements/a.json"]
    before = files(pathlib.Path(archive.root))
    assert set(before) == {
        f"{digest[7:9]}/{digest[7:]}/{name}" for name in ("bundle.json", "statements/a.json")
    }
    assert archive.add(digest, text, said) == []
    assert archive.add(digest, None, said) == []
    assert files(pathlib.Path(archive.root)) == before
    assert archive.bundle(digest) == bundle
    assert archive.statements(digest) == said


def test_two_seal_the_same_bundle_at_once(
    archive: Archive, bundle: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both look, and find nothing; the one who writes second finds what the first has written."""
    other = {**bundle, "artifacts": [{**one, "path": "other/" + one["name"]} for one in bundle["artifacts"]]}
    write, digest = _archive.write_once, bundle["digest"]
    first = [(_bundle.bundle_text(bundle), {"provenance.json": "1"})]

    def written(*arguments: t.Any) -> list[str]:
        while first:
            archive.add(digest, *first.pop())
        return write(*arguments)

    monkeypatch.setattr(_archive, "write_once", written)
    added = archive.add(digest, _bundle.bundle_text(other), {"provenance.json": "2"})
    assert [name.partition("-")[0] for name in added] == ["statements/provenance"]
    assert sorted(archive.statements(digest).values()) == ["1", "2"]
    assert archive.bundle(digest) == bundle


def test_the_same_bundle_of_another_run_directory(archive: Archive, bundle: Json) -> None:
    other = {**bundle, "artifacts": [{**one, "path": "other/" + one["name"]} for one in bundle["artifacts"]]}
    archive.add(bundle["digest"], _bundle.bundle_text(bundle), {"provenance.json": "1"})
    added = archive.add(bundle["digest"], _bundle.bundle_text(other), {"provenance.json": "2"})
    assert len(added) == 1
    assert added[0].startswith("statements/provenance-")
    assert sorted(archive.statements(bundle["digest"]).values()) == ["1", "2"]
    assert archive.bundle(bundle["digest"]) == bundle
    assert archive.add(bundle["digest"], _bundle.bundle_text(other), {"provenance.json": "2"}) == []


@pytest.mark.parametrize("name", ["../x.json", "/x.json", "X.json", "x", ".x.json", "x.json\n", "a/b.json"])
def test_a_statement_stays_in_its_folder(archive: Archive, bundle: Json, name: str) -> None:
    with pytest.raises(DistrogateError) as raised:
        archive.add(bundle["digest"], _bundle.bundle_text(bundle), {name: "{}"})
    assert raised.value.reason == "bad_name"
    assert not os.path.exists(archive.root)


@pytest.mark.parametrize(
    "digest", ["latest", "../" * 21 + "x", "sha256:" + "a" * 63, "A" * 64, "a" * 64 + "\n"]
)
def test_a_digest_is_no_path(archive: Archive, digest: str) -> None:
    with pytest.raises(DistrogateError) as raised:
        archive.folder(digest)
    assert raised.value.reason == "bad_digest"


def test_what_is_not_that_bundle(archive: Archive, bundle: Json) -> None:
    other = make([deb("other", "1")])
    with pytest.raises(DistrogateError) as raised:
        archive.add(bundle["digest"], _bundle.bundle_text(other), {})
    assert raised.value.reason == "bad_bundle"
    with pytest.raises(DistrogateError) as raised:
        archive.add(bundle["digest"], None, {"a.json": "{}"})
    assert raised.value.reason == "unknown_bundle"
    assert not os.path.exists(archive.root)
    archive.add(bundle["digest"], _bundle.bundle_text(bundle), {})
    path = pathlib.Path(archive.folder(bundle["digest"])) / "bundle.json"
    path.write_text(_bundle.bundle_text(other))
    with pytest.raises(DistrogateError) as raised:
        archive.bundle(bundle["digest"])
    assert raised.value.reason == "bad_bundle"
    path.write_text(_bundle.bundle_text(bundle).replace("gate", "post"))
    with pytest.raises(DistrogateError) as raised:
        archive.bundle(bundle["digest"])
    assert raised.value.reason == "bad_bundle"


def test_killed_at_any_step(archive: Archive, bundle: Json, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far it came, no file is half there, and the next one ends it."""
    text = _bundle.bundle_text(bundle)
    said = {f"{name}.json": name for name in "abc"}
    names = ("mkdir", "link", "fsync", "unlink")
    for left in range(60):
        steps = iter(range(left))

        def killed(real: t.Callable[..., t.Any], steps: t.Iterator[int]) -> t.Callable[..., t.Any]:
            def step(*arguments: t.Any, **more: t.Any) -> t.Any:
                if next(steps, None) is None:
                    raise KeyboardInterrupt
                return real(*arguments, **more)

            return step

        with monkeypatch.context() as context:
            for name in names:
                context.setattr(os, name, killed(getattr(os, name), steps))
            try:
                archive.add(bundle["digest"], text, said)
                ended = True
            except KeyboardInterrupt:
                ended = False
        found = {
            name: data for name, data in files(pathlib.Path(archive.root)).items() if ".tmp-" not in name
        }
        whole = {
            "bundle.json": text.encode(),
            **{f"statements/{name}": value.encode() for name, value in said.items()},
        }
        assert all(whole[name.split("/", 2)[2]] == data for name, data in found.items())
        assert set(archive.stamps()) <= {bundle["digest"][7:]}
        if found:
            assert archive.bundle(bundle["digest"]) == bundle
        if ended:
            break
    assert ended
    assert archive.statements(bundle["digest"]) == said


def test_stamps_change_with_the_files(world: World) -> None:
    bundle = world.seal([deb("a", "1")])
    first = world.archive.stamps()
    assert set(first) == {bundle["digest"][7:]}
    world.verdict(bundle, "test", "PASSED")
    second = world.archive.stamps()
    assert second != first
    path = pathlib.Path(world.archive.folder(bundle["digest"])) / "bundle.json"
    path.write_text("")
    assert world.archive.stamps() not in (first, second)
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert world.archive.stamps() == {}


def test_nothing_else_is_a_bundle(world: World) -> None:
    bundle = world.seal([deb("a", "1")])
    root = pathlib.Path(world.archive.root)
    for name in (".distrogate/x", "zz/" + "f" * 64, "aa/short", f"00/{'1' * 64}", "abc/x"):
        (root / name).mkdir(parents=True)
        (root / name / "bundle.json").write_text("{}")
    (root / "ff").mkdir(exist_ok=True)
    (root / "ff" / ("f" * 64)).write_text("a file")
    assert set(world.archive.stamps()) == {bundle["digest"][7:]}


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO, errno.EMFILE])
def test_what_cannot_be_read_is_not_taken_for_absent(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """A hold that is left out is no hold."""
    bundle = world.seal([deb("a", "1")])
    world.say(bundle, _statements.HOLD, name="wait", author="a", reason="b", at_ns=1)
    archive = world.archive
    for word, read in (("said-", archive.statements), ("bundle.json", archive.read)):
        with monkeypatch.context() as patch:
            unreadable(patch, word, number)
            with pytest.raises(DistrogateError) as raised:
                read(bundle["digest"])
            assert raised.value.reason == "io_error" and word in raised.value.message


def test_a_folder_that_may_not_be_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: t.Any, **more: t.Any) -> None:
        raise PermissionError(13, "Permission denied", world.archive.root)

    monkeypatch.setattr(_run_files.os, "link", refused)
    with pytest.raises(DistrogateError) as raised:
        world.seal([deb("a", "1")])
    assert raised.value.reason == "no_permission"
