from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

PLACE = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "mirror"
TREE = PLACE / "tree"
ASK = "no-cache"
KEEP = "public, max-age=31536000, immutable"
DIGEST = "0123456789abcdef" * 4


class Connection(http.client.HTTPConnection):
    """To the web server's socket, so that no port is needed."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(PLACE / "web"))


def ask(path, **headers):
    connection = Connection("mirror")
    connection.request(
        "GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    answer.body = answer.read()
    connection.close()
    return answer


@pytest.fixture(scope="module", autouse=True)
def web():
    (PLACE / "web").unlink(missing_ok=True)
    with subprocess.Popen([PLACE / "nginx", "-c", PLACE / "nginx.conf"]) as process:
        try:
            end = time.monotonic() + 30
            while not (PLACE / "web").exists() and process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            assert process.poll() is None, (PLACE / "nginx.log").read_text()
            yield
        finally:
            process.terminate()


def write(name, content="content"):
    path = TREE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    for folder in path.relative_to(TREE).parents:
        (TREE / folder).chmod(0o755)
    return path


def test_folder(host):
    assert host.file(str(TREE)).is_directory
    assert host.file(str(PLACE / "rsyncd.secrets")).mode == 0o600


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("apt/dists/stable/InRelease", ASK),
        ("apt/dists/stable/Release", ASK),
        ("apt/dists/stable/Release.gpg", ASK),
        ("apt/dists/stable/main/binary-amd64/Packages.gz", ASK),
        ("apt/dists/stable/main/Contents-amd64.xz", ASK),
        ("rpm/repodata/repomd.xml", ASK),
        ("rpm/repodata/repomd.xml.asc", ASK),
        ("rpm/repodata/primary.xml.gz", ASK),
        ("rpm/hello.rpm", ASK),
        ("pool", ASK),
        ("key.asc", ASK),
        ("apt/pool/main/h/hello/hello_1%2b2_amd64.deb", KEEP),
        (f"apt/dists/stable/main/binary-amd64/by-hash/SHA256/{DIGEST}", KEEP),
        (f"rpm/repodata/{DIGEST}-primary.xml.zst", KEEP),
    ],
)
def test_caches(name, header):
    path = write(name.replace("%2b", "+"), name)
    try:
        answer = ask("/" + name)
        assert (answer.status, answer.getheader("Cache-Control")) == (200, header)
        assert answer.body == name.encode()
        assert answer.getheader("Content-Encoding") is None
    finally:
        path.unlink()


@pytest.mark.parametrize("name", ["/none", "/apt/pool/none", f"/rpm/repodata/{DIGEST}-none"])
def test_what_is_missing_is_not_kept(name):
    answer = ask(name)
    assert (answer.status, answer.getheader("Cache-Control")) == (404, ASK)


@pytest.mark.parametrize("name", ["InRelease", "repodata/repomd.xml"])
def test_two_states_in_one_second(name):
    path = write(name, "one")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    first = ask("/" + name)
    path.write_text("two")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    validators = {"If_Modified_Since": first.getheader("Last-Modified")}
    if first.getheader("ETag"):
        validators["If_None_Match"] = first.getheader("ETag")
    assert ask("/" + name, **validators).body == b"two"


def test_what_did_not_change_is_not_sent_again():
    write("dists/stable/main/binary-amd64/Packages.gz")
    first = ask("/dists/stable/main/binary-amd64/Packages.gz")
    again = ask("/dists/stable/main/binary-amd64/Packages.gz", If_None_Match=first.getheader("ETag"))
    assert (first.status, again.status) == (200, 304)


@pytest.mark.parametrize(
    "name",
    [
        ".distrogate/mirror.json",
        ".distrogate-staging/InRelease",
        "apt/.distrogate/state.json",
        "apt/pool/.distrogate-staging/a",
    ],
)
def test_books_are_hidden(name):
    write(name)
    assert ask("/" + name).status == 404
    assert ask("/" + name.replace(".d", "%2ed")).status == 404
    assert ask("//./" + name).status == 404


def test_other_names_are_shown():
    for name in (".hidden", "distrogate", "a.distrogate"):
        write(name)
        assert ask("/" + name).status == 200


def test_links_are_not_followed():
    outside = PLACE / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "file").write_text("not yours")
    for name, target in (("link", outside / "file"), ("folder", outside)):
        (TREE / name).unlink(missing_ok=True)
        (TREE / name).symlink_to(target)
    for path in ("/link", "/folder/file", "/folder/"):
        assert ask(path).status in (403, 404)


def test_folders_are_listed_and_not_kept():
    write("apt/pool/main/a_1_all.deb")
    answer = ask("/apt/pool/main/")
    assert b"a_1_all.deb" in answer.body
    assert answer.getheader("Cache-Control") == ASK


def test_rsync_writes_what_the_web_shows(tmp_path):
    source, secret = tmp_path / "source", tmp_path / "password"
    source.mkdir()
    (source / "sent").write_text("sent")
    secret.write_text("example\n")
    secret.chmod(0o600)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    daemon = [shutil.which("rsync"), "--daemon", "--no-detach", f"--config={PLACE}/rsyncd.conf"]
    with subprocess.Popen([*daemon, f"--port={port}"]) as process:
        try:
            # Until the daemon listens, it refuses.
            argv = ["rsync", "-a", f"--password-file={secret}", "--contimeout=30", f"{source}/sent"]
            for _attempt in range(100):
                done = subprocess.run([*argv, f"rsync://publisher@127.0.0.1:{port}/release/"], check=False)
                if done.returncode != 10:
                    break
                time.sleep(0.1)
            assert done.returncode == 0
        finally:
            process.terminate()
    assert ask("/sent").body == b"sent"
