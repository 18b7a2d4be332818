# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, paths and files of strangers: a clear error, nothing published, nothing outside of the root."""

from __future__ import annotations

import os
import pathlib
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.tests.unit.publishing.file_helpers import Files

Json = dict[str, t.Any]
ZERO = "0" * 64


def refused(files: Files, *artifacts: t.Any, **options: t.Any) -> DistrogateError:
    """What it says, in check mode as well; no set and no link is there afterwards."""
    found = []
    for check in (True, False):
        with pytest.raises(DistrogateError) as caught:
            files(*artifacts, check=check, **options)
        found.append(caught.value)
    assert found[0].reason == found[1].reason
    if files.base.is_dir():
        assert set(os.listdir(files.base)) <= {".distrogate"}
        assert not list(files.base.glob(".distrogate/transactions/*"))
    return found[1]


@pytest.mark.parametrize(
    "bad",
    [
        *(
            {"name": name}
            for name in ("", ".", "..", "../x", "/x", "a/b", "a\nb", "a\\b", ".hidden", "SHA256SUMS")
        ),
        *({"name": name} for name in ("a\0b", "a\x1b[1m", "x" * 256, "ü" * 128, None, 7, ["x"])),
        *({"sha256": digest} for digest in ("", "../x", "A" * 64, "0" * 63, ZERO + "\n", None, 7)),
        *({"size": size} for size in (-1, "1", 1.0, True, [])),
        *({"path": path} for path in ("a\nb", 7, ["x"])),
    ],
)
def test_artifacts(files: Files, bad: Json) -> None:
    error = refused(files, {**files.artifact("a.img", "a"), **bad})
    assert error.reason == "bad_artifact"


@pytest.mark.parametrize("bad", [None, "x", [], 7])
def test_no_artifact(files: Files, bad: t.Any) -> None:
    assert refused(files, bad).reason == "bad_artifact"


def test_how_many(files: Files) -> None:
    assert refused(files).reason == "bad_artifact"
    assert refused(files, *[files.artifact("a", "a")] * 10_001).reason == "bad_artifact"
    twice = {**files.artifact("a", "a"), "type": "tarball"}
    assert refused(files, files.artifact("a", "a"), twice).reason == "artifact_conflict"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "x/../../secret", "a//b", "./a"])
def test_paths_stay_inside(files: Files, path: str) -> None:
    (files.incoming.parent / "secret").write_text("a")
    assert refused(files, {**files.artifact("a", "a"), "path": path}).reason == "bad_name"


def test_a_whole_path_below_incoming(files: Files) -> None:
    files({**files.artifact("a", "a"), "path": str(files.incoming / "a")})
    assert files.read() == {"a": "a"}


def test_by_digest_and_name(files: Files) -> None:
    artifact = files.artifact("a", "a")
    del artifact["path"]
    folder = files.incoming / artifact["sha256"]
    folder.mkdir()
    (files.incoming / "a").rename(folder / "a")
    files(artifact)
    assert files.read() == {"a": "a"}


def _symlink(path: pathlib.Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _folder(path: pathlib.Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: pathlib.Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _nothing(path: pathlib.Path) -> None:
    path.unlink()


def _other(path: pathlib.Path) -> None:
    path.write_text("b")


def _longer(path: pathlib.Path) -> None:
    path.write_text("aa")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_symlink, "artifact_missing"),
        (_folder, "digest_mismatch"),
        (_pipe, "digest_mismatch"),
        (_nothing, "artifact_missing"),
        (_other, "digest_mismatch"),
        (_longer, "digest_mismatch"),
    ],
)
@pytest.mark.parametrize("size", [{}, {"size": 1}])
def test_files(files: Files, spoil: t.Callable[[pathlib.Path], None], reason: str, size: Json) -> None:
    artifact = files.artifact("a", "a", **size)
    spoil(files.incoming / "a")
    error = refused(files, artifact)
    assert error.reason == reason
    assert artifact["sha256"] in error.message


def test_a_link_in_the_path(files: Files) -> None:
    artifact = files.artifact("a", "a")
    outside = files.incoming.parent / "outside"
    outside.mkdir()
    (files.incoming / "a").rename(outside / "a")
    (files.incoming / "folder").symlink_to(outside)
    assert refused(files, {**artifact, "path": "folder/a"}).reason == "artifact_missing"


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../x", "/x", "a\n", ".x", "a b"])
def test_names(files: Files, name: str) -> None:
    assert refused(files, files.artifact("a", "a"), name=name).reason == "bad_name"


@pytest.mark.parametrize(
    "link",
    [
        *(
            {"channel": name}
            for name in ("..", "a/b", "../x", "Latest", "1.0.0", "a\n", "x.previous", "a" * 64)
        ),
        *({"version": name} for name in ("..", "a", "1/2", "1\n", "1.previous", ZERO, "1 2")),
        {"channel": None},
        {"channel": ""},
    ],
)
def test_links(files: Files, link: Json) -> None:
    assert refused(files, files.artifact("a", "a"), **link).reason == "bad_name"


def test_the_name_is_a_link_to_elsewhere(files: Files, tmp_path: pathlib.Path) -> None:
    (tmp_path / "outside").mkdir()
    files.root.mkdir()
    files.base.symlink_to(tmp_path / "outside")
    with pytest.raises(DistrogateError) as caught:
        files(files.artifact("a", "a"))
    assert caught.value.reason == "in_the_way"
    assert os.listdir(tmp_path / "outside") == []


@pytest.mark.parametrize("what", ["latest", "1.0.0", "set", "file"])
def test_something_is_in_the_way(files: Files, tmp_path: pathlib.Path, what: str) -> None:
    image = files.artifact("a", "a")
    identity = files(image)["state_digest"].partition(":")[2]
    path = files.base / {"set": identity, "file": f"{identity}/a"}.get(what, what)
    if what == "set":
        path.rename(tmp_path / "outside")
        path.symlink_to(tmp_path / "outside")
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
    with pytest.raises(DistrogateError) as caught:
        files(image, version="1.0.0")
    assert caught.value.reason == "in_the_way"
    assert str(path) in caught.value.message


def test_another_kind_of_tree(files: Files) -> None:
    files(files.artifact("a", "a"))
    state = files.base / ".distrogate/state.json"
    state.write_text(state.read_text().replace('"kind":"files"', '"kind":"tags"'))
    with pytest.raises(DistrogateError) as caught:
        files(files.artifact("b", "b"))
    assert caught.value.reason == "wrong_kind"


def test_two_at_once(files: Files) -> None:
    artifacts = [files.artifact(f"{number}.img", str(number)) for number in range(6)]
    failed: list[BaseException] = []

    def publish(artifact: Json) -> None:
        try:
            files(artifact, timeout=60, version=f"{artifact['name'][0]}.0.0")
        except BaseException as error:  # noqa: BLE001 -- a thread's error would be lost
            failed.append(error)

    threads = [threading.Thread(target=publish, args=(one,)) for one in artifacts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for number in range(6):
        assert files.read(f"{number}.0.0") == {f"{number}.img": str(number)}
    (now,), (before,) = files.read().values(), files.read("latest.previous").values()
    assert now != before
