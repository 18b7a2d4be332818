# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of a channel: what is fetched, and what is refused."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import Rules
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images import _published, _published_files
from ansible_collections.distrogate.ci.plugins.module_utils._images._cleanup import clean_images
from ansible_collections.distrogate.ci.plugins.module_utils._images._published_files import Limits
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Image, Store

if t.TYPE_CHECKING:
    from image_world import World


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[tuple[str, list[str]]]:
    """A GnuPG home with two keys, and their exported files (one of each kind)."""
    home = tmp_path_factory.mktemp("gnupg")
    gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", ""]
    files = []
    for number, name in enumerate(("one@example.org", "two@example.org")):
        subprocess.run([*gpg, "--quick-gen-key", name, "ed25519", "sign"], check=True, capture_output=True)
        files.append(str(home / f"{number}.key"))
        armor = ["--armor"] if number == 0 else []
        subprocess.run([*gpg, *armor, "--output", files[-1], "--export", name], check=True)
    yield str(home), files
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


class Channel:
    """Images published in a folder, as file_publish lays them out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.root = world.path / "published"
        self.folder = self.root / "appliance" / "latest"
        self.said: list[str] = []

    def publish(self, image: Image, home: str = "", user: str = "") -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for own in ("appliance.tar", "appliance.qcow2", "appliance.vmlinuz", "image.json", "packages.json"):
            name = own if own.startswith("appliance.") else f"appliance.{own}"
            if os.path.exists(os.path.join(image.path, own)):
                shutil.copyfile(os.path.join(image.path, own), self.folder / name)
        self.sums()
        if home:
            argv = ["gpg", "--homedir", home, "--batch", "--armor", "--local-user", user, "--detach-sign"]
            subprocess.run([*argv, str(self.folder / "SHA256SUMS")], check=True, capture_output=True)

    def sums(self) -> None:
        names = sorted(one.name for one in self.folder.iterdir() if not one.name.startswith("SHA256SUMS"))
        lines = [f"{hashlib.sha256((self.folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
        (self.folder / "SHA256SUMS").write_text("".join(lines))

    def place(self, key: str = "", root: str = "") -> _published.Place:
        return _published.Place(root or str(self.root), "latest", key)

    def fetch(self, key: str = "", root: str = "", formats: t.Sequence[str] = ("qcow2",)) -> Image | None:
        limits = Limits(str(self.world.path / "log"), 20, 1 << 20, False, self.said.append)
        store = Store(str(self.world.path / "other"), "appliance")  # another builder
        return _published.fetch(self.place(key, root), store, formats, limits)

    def refusal(self, **more: t.Any) -> DistrogateError:
        with pytest.raises(DistrogateError) as caught:
            self.fetch(**more)
        folder = self.world.path / "other/appliance/published"
        assert [one for one in folder.iterdir() if one.is_dir()] == [] if folder.exists() else True
        return caught.value


@pytest.fixture
def channel(world: World) -> Channel:
    made = Channel(world)
    made.publish(world.image(world.request(formats=("qcow2", "tar"))))
    return made


def test_fetched_once(channel: Channel) -> None:
    image = channel.fetch()
    assert image is not None
    assert pathlib.Path(image.path, "appliance.qcow2").read_bytes()[:8] == b"qcow2 of"
    assert sorted(image.facts["formats"]) == ["qcow2", "tar"] and image.key.startswith("sha256:")
    assert any("fetches appliance.qcow2" in line for line in channel.said)
    channel.said.clear()
    again = channel.fetch()
    assert again is not None and again.path == image.path and channel.said == []


def test_nothing_published(channel: Channel) -> None:
    shutil.rmtree(channel.folder)
    assert channel.fetch() is None


@pytest.mark.parametrize("name", ["appliance.qcow2", "appliance.image.json", "appliance.packages.json"])
def test_a_file_that_differs(channel: Channel, name: str) -> None:
    path = channel.folder / name
    path.write_bytes(path.read_bytes() + b"x")
    error = channel.refusal()
    assert error.reason == "bad_checksum" and name in error.message and "has the sha256" in error.message


def test_a_file_that_is_missing(channel: Channel) -> None:
    (channel.folder / "appliance.qcow2").unlink()
    error = channel.refusal()
    assert error.reason == "bad_checksum" and "appliance.qcow2 is not there" in error.message


def test_signed(channel: Channel, world: World, keys: tuple[str, list[str]]) -> None:
    home, (one, two) = keys
    image = world.image(world.request(formats=("qcow2", "tar")))
    channel.publish(image, home, "one@example.org")
    assert channel.refusal(key=two).reason == "bad_signature"
    assert channel.refusal(key=str(channel.folder / "SHA256SUMS")).reason in ("bad_key", "bad_signature")
    assert channel.refusal(key="/nonexistent").reason == "bad_key"
    sums = (channel.folder / "SHA256SUMS").read_text()
    (channel.folder / "SHA256SUMS").write_text(sums + "\n")
    error = channel.refusal(key=one)
    assert error.reason == "bad_signature" and "appliance/latest/SHA256SUMS" in error.message
    (channel.folder / "SHA256SUMS").write_text(sums)
    assert channel.fetch(key=one) is not None
    channel.publish(image, home, "two@example.org")
    assert channel.fetch(key=two) is not None


def test_no_signature(channel: Channel, keys: tuple[str, list[str]]) -> None:
    error = channel.refusal(key=keys[1][0])
    assert error.reason == "bad_signature" and "has no signature" in error.message


@pytest.mark.parametrize(
    "line", ["../../etc/passwd", "a/b", "..", "SHA256SUMS", "appliance.qcow2\nx", "a\\b"]
)
def test_hostile_checksums(channel: Channel, line: str) -> None:
    with open(channel.folder / "SHA256SUMS", "a") as stream:
        stream.write(f"{'0' * 64}  {line}\n")
    assert channel.refusal().reason == "bad_checksums"


def test_another_image(channel: Channel) -> None:
    path = channel.folder / "appliance.image.json"
    path.write_text(path.read_text().replace('"name": "appliance"', '"name": "other"'))
    channel.sums()
    assert channel.refusal().reason == "bad_published"
    path.unlink()
    channel.sums()
    assert "does not name appliance.image.json" in channel.refusal().message


def test_formats_that_are_not_there(channel: Channel) -> None:
    error = channel.refusal(formats=["raw", "qcow2"])
    assert error.reason == "bad_published" and "has no raw" in error.message


def test_a_channel_that_moves_meanwhile(
    channel: Channel, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checksums of before do not fit the files of now: it begins again."""
    other = world.image(world.request(formats=("qcow2", "tar"), packages=("vim",)))
    real, moved = _published.sums_of, []

    def first(*args: t.Any) -> bytes | None:
        found = real(*args)
        if not moved:
            moved.append(channel.publish(other))
        return found

    monkeypatch.setattr(_published, "sums_of", first)
    image = channel.fetch()
    assert image is not None and image.key == other.key


def test_over_http(channel: Channel) -> None:
    def handler(*args: t.Any) -> http.server.SimpleHTTPRequestHandler:
        return Quiet(*args, directory=str(channel.root))

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            root = f"http://127.0.0.1:{server.server_port}"
            assert channel.fetch(root=root) is not None
        finally:
            server.shutdown()
            thread.join()
    with pytest.raises(DistrogateError, match="could not be read"):
        channel.fetch(root=root)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: t.Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize("root", ["ftp://host/", "http://127.0.0.1:1", "relative", "https://a b/"])
def test_places_that_cannot_be_read(channel: Channel, root: str) -> None:
    assert channel.refusal(root=root).reason in ("unreachable", "bad_address")


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "-x"])
def test_names_of_channels(name: str) -> None:
    with pytest.raises(DistrogateError):
        _published.checked_channel(name)


def test_what_was_built_here_is_not_fetched(channel: Channel, world: World) -> None:
    limits = Limits(str(world.path / "log"), 20, 1 << 20, False, channel.said.append)
    image = _published.fetch(channel.place(), world.store(), ["qcow2"], limits)
    own = world.image(world.request(formats=("qcow2", "tar")))
    assert image is not None and image.path != own.path
    assert os.path.samefile(
        os.path.join(image.path, "appliance.qcow2"), os.path.join(own.path, "appliance.qcow2")
    )
    assert "fetches appliance.qcow2" not in channel.said


def test_a_damaged_copy_is_fetched_again(channel: Channel) -> None:
    image = channel.fetch()
    assert image is not None
    path = pathlib.Path(image.path, "appliance.qcow2")
    path.chmod(0o644)
    path.write_text("x")
    channel.said.clear()
    again = channel.fetch()
    assert again is not None and "fetches appliance.qcow2" in channel.said


Change = t.Callable[[dict[str, t.Any]], t.Any]


@pytest.mark.parametrize(
    "change",
    [
        lambda facts: facts.pop("boot"),
        lambda facts: facts.pop("key"),
        lambda facts: facts.update(key="sha256:../../x"),
        lambda facts: facts.update(files=[{}]),
        lambda facts: facts["boot"].update(kernel="../../../etc/passwd"),
        lambda facts: facts["files"].append({**facts["files"][0], "name": "../../../../../../etc/passwd"}),
        lambda facts: facts["files"].append({**facts["files"][0], "size": "large"}),
    ],
)
def test_a_hostile_manifest(channel: Channel, change: Change) -> None:
    """Before anything of the image is fetched."""
    path = channel.folder / "appliance.image.json"
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    channel.sums()
    error = channel.refusal()
    assert error.reason == "bad_published" and "appliance.image.json" in error.message
    assert not any("qcow2" in line for line in channel.said)


def test_other_files_beside_it(channel: Channel) -> None:
    """Names that mean something in the folder of an image are not those of a stranger's file."""
    for name in ("root", "root.sha256", "image.json", "large.iso"):
        (channel.folder / name).write_text("x")
    channel.sums()
    image = channel.fetch()
    assert image is not None
    assert sorted(os.listdir(image.path)) == [
        "SHA256SUMS",
        "appliance.qcow2",
        "appliance.tar",
        "appliance.vmlinuz",
        "image.json",
        "packages.json",
    ]


def test_no_room_for_it(channel: Channel, world: World) -> None:
    """Found out before the first large file."""
    path = channel.folder / "appliance.image.json"
    facts = json.loads(path.read_text())
    facts["files"][0]["size"] = 1 << 60
    path.write_text(json.dumps(facts))
    channel.sums()
    error = channel.refusal()
    assert error.reason == "disk_full" and "MiB more" in error.message
    assert not any("fetches" in line for line in channel.said)


def test_unpacking_ends_in_time(channel: Channel, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def unpack(_archive: str, target: str, _log: str, timeout: float) -> None:
        given.append(timeout)
        os.mkdir(target)

    monkeypatch.setattr(_published_files._sandbox, "unpack", unpack)
    assert channel.fetch(formats=("root",)) is not None
    assert 0 < given[0] <= 20


def test_taken_again_it_is_in_use(channel: Channel, world: World) -> None:
    """The janitor removes what nobody took for long, and never what is linked by a run."""
    image = channel.fetch()
    assert image is not None
    output = str(world.path / "other")

    def cleaned(days: float = 14) -> list[str]:
        removed, _kept, errors = clean_images(output, Rules(days, 1), 5, [], False)
        assert errors == []
        return [one.path for one in removed]

    def grow_old() -> None:
        for path in [*pathlib.Path(image.path).iterdir(), pathlib.Path(image.path)]:
            os.utime(path, (1, 1))

    grow_old()
    assert channel.fetch() is not None and cleaned() == []
    grow_old()
    os.link(os.path.join(image.path, "appliance.qcow2"), world.path / "artifact")
    assert cleaned() == []
    (world.path / "artifact").unlink()
    os.makedirs(world.path / "other/appliance" / ("a" * 64))  # one that was built here and is the same
    os.link(
        os.path.join(image.path, "appliance.qcow2"),
        world.path / "other/appliance" / ("a" * 64) / "appliance.qcow2",
    )
    assert cleaned() == [image.path] and not os.path.exists(image.path)
    assert channel.fetch() is not None
