# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reader of source packages, and that apt takes what it makes of them."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._dsc import SourcePackage, read_dsc

ORIGINAL, CHANGES = b"upstream's files", b"ours"


def listing(digest: str, files: dict[str, bytes]) -> str:
    return "".join(
        f" {hashlib.new(digest, data).hexdigest()} {len(data)} {name}\n" for name, data in files.items()
    )


def dsc(
    files: dict[str, bytes] | None = None, version: str = "1:2.0-1", more: str = "", name: str = "nova"
) -> str:
    if files is None:
        files = {"nova_2.0.orig.tar.gz": ORIGINAL, "nova_2.0-1.debian.tar.xz": CHANGES}
    return (
        f"Format: 3.0 (quilt)\nSource: {name}\nBinary: nova-api,\n python3-nova\nArchitecture: any all\n"
        f"Version: {version}\nMaintainer: N <n@example.org>\n{more}"
        f"Package-List:\n nova-api deb misc optional\nChecksums-Sha1:\n{listing('sha1', files)}"
        f"Checksums-Sha256:\n{listing('sha256', files)}"
        f"Files:\n{listing('md5', files)}"
    )


def signed(text: str) -> str:
    return (
        f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{text}\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE1Uw7\n=kNoz\n-----END PGP SIGNATURE-----\n"
    )


@pytest.fixture
def source(tmp_path: pathlib.Path) -> t.Callable[..., SourcePackage]:
    def read(text: str | bytes, name: str = "nova_2.0-1.dsc") -> SourcePackage:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return read_dsc(str(tmp_path / name))

    (tmp_path / "nova_2.0.orig.tar.gz").write_bytes(ORIGINAL)
    (tmp_path / "nova_2.0-1.debian.tar.xz").write_bytes(CHANGES)
    return read


@pytest.mark.parametrize("wrap", [str, signed])
def test_good(source: t.Any, tmp_path: pathlib.Path, wrap: t.Callable[[str], str]) -> None:
    text = wrap(dsc())
    found = source(text)
    assert (found.name, found.version) == ("nova", "1:2.0-1")
    assert found.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert found.files == tuple(
        (name, hashlib.sha256(data).hexdigest(), len(data), str(tmp_path / name))
        for name, data in [
            ("nova_2.0-1.dsc", text.encode()),
            ("nova_2.0.orig.tar.gz", ORIGINAL),
            ("nova_2.0-1.debian.tar.xz", CHANGES),
        ]
    )
    listed = "\n".join(f" {one.sha256} {one.size} {one.name}" for one in found.files)
    assert found.stanza("pool/main/n/nova") == (
        "Package: nova\nFormat: 3.0 (quilt)\nBinary: nova-api,\n python3-nova\nArchitecture: any all\n"
        "Version: 1:2.0-1\nMaintainer: N <n@example.org>\nPackage-List:\n nova-api deb misc optional\n"
        f"Directory: pool/main/n/nova\nChecksums-Sha256:\n{listed}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        dsc(name="../nova"),
        dsc(version="2.0/../1"),
        dsc(more="Package: other\n"),
        dsc(more="Directory: /etc\n"),
        dsc(more="Filename: x\n"),
        dsc(more="\nPackage: forged\n"),
        dsc(more="X: a\rb\n"),
        dsc({}),
        dsc({"../nova_2.0.orig.tar.gz": ORIGINAL}),
        dsc({"/etc/passwd": b""}),
        dsc({"glance_2.0.orig.tar.gz": ORIGINAL}),
        dsc({"nova_2.1.orig.tar.gz": ORIGINAL}),
        dsc({"nova_2.0-1.dsc": ORIGINAL}),
        dsc({"nova_2.0-1.deb": ORIGINAL}),
        dsc({f"nova_2.0.orig-{number}.tar.gz": b"" for number in range(65)}),
        dsc().replace("Files:", "Other:"),
        dsc().replace("Checksums-Sha256:", "Other:"),
        dsc().replace("Checksums-Sha256:", "Checksums-Sha256: x"),
        dsc().replace("Files:", "Files:\n " + "0" * 32 + " 1 nova_2.0.orig-more.tar.gz"),
        dsc().replace("Binary: ", "Binary: $"),
        dsc().replace("3.0 (quilt)", "3"),
        dsc() * 2,
        dsc().encode().replace(b"N <", b"\xff <"),
        "x\n" + signed(dsc()),
        signed(dsc()) + "x\n",
        signed(dsc()).replace("Hash: SHA256", "Source: x"),
        signed(dsc()).replace("\niQEz", "\nno: armor\niQEz"),
        signed(dsc()).replace("-----END PGP SIGNATURE-----", ""),
        signed(dsc()).replace("Source:", "- Source:"),
        "-----BEGIN PGP SIGNED MESSAGE-----\n" + dsc(),
        dsc(more=f"X: {'y' * (1 << 20)}\n"),
    ],
)
def test_hostile(source: t.Any, text: str | bytes) -> None:
    with pytest.raises(DistrogateError) as caught:
        source(text)
    assert caught.value.reason == "bad_package"


def test_another_name(source: t.Any) -> None:
    with pytest.raises(DistrogateError, match=r"its name should be nova_2\.0-1\.dsc"):
        source(dsc(), "other.dsc")


def test_changed_contents(source: t.Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "nova_2.0-1.debian.tar.xz").write_bytes(b"urso")
    with pytest.raises(DistrogateError, match=r"nova_2\.0-1\.debian\.tar\.xz") as caught:
        source(dsc())
    assert caught.value.reason == "bad_package"
    for data in (CHANGES, b"urso"):
        assert hashlib.sha256(data).hexdigest() in caught.value.message


def test_another_size(source: t.Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "nova_2.0-1.debian.tar.xz").write_bytes(CHANGES + b"x")
    with pytest.raises(DistrogateError, match=r"should have 4 bytes .*, not 5"):
        source(dsc())


def test_missing(source: t.Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "nova_2.0-1.debian.tar.xz").unlink()
    with pytest.raises(DistrogateError, match="No such file") as caught:
        source(dsc())
    assert caught.value.reason == "not_found"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("nova_2.0.orig.tar.gz", path)])
def test_irregular_files(source: t.Any, tmp_path: pathlib.Path, make: t.Any) -> None:
    (tmp_path / "nova_2.0-1.debian.tar.xz").unlink()
    make(str(tmp_path / "nova_2.0-1.debian.tar.xz"))
    with pytest.raises(DistrogateError, match="not a regular file") as caught:
        source(dsc())
    assert caught.value.reason == "bad_package"


def test_apt_downloads_it(source: t.Any, tmp_path: pathlib.Path) -> None:
    """apt needs no MD5 in a Sources index."""
    if not shutil.which("apt-get"):
        pytest.skip("apt-get is not installed")
    found = source(signed(dsc()))
    index = tmp_path / "dists/s/main/source/Sources"
    index.parent.mkdir(parents=True)
    index.write_text(found.stanza(".") + "\n")
    data = index.read_bytes()
    (tmp_path / "dists/s/Release").write_text(
        f"Suite: s\nCodename: s\nComponents: main\nArchitectures: amd64\nSHA256:\n"
        f" {hashlib.sha256(data).hexdigest()} {len(data)} main/source/Sources\n"
    )
    for name in ("lists/partial", "cache/archives/partial", "got"):
        (tmp_path / "apt" / name).mkdir(parents=True)
    (tmp_path / "apt/status").touch()
    (tmp_path / "apt/sources.list").write_text(f"deb-src [trusted=yes] file://{tmp_path} s main\n")
    state = f"{tmp_path}/apt"
    configuration = {
        "Dir::State": state,
        "Dir::State::status": f"{state}/status",
        "Dir::State::lists": f"{state}/lists",
        "Dir::Cache": f"{state}/cache",
        "Dir::Etc::sourcelist": f"{state}/sources.list",
        "Dir::Etc::sourceparts": "-",
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
    }
    options = [word for name, value in configuration.items() for word in ("-o", f"{name}={value}")]
    for command in (["update"], ["source", "--download-only", "nova=1:2.0-1"]):
        done = subprocess.run(
            ["apt-get", *options, *command],
            cwd=tmp_path / "apt/got",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    got = {one.name: one.read_bytes() for one in (tmp_path / "apt/got").iterdir()}
    assert got["nova_2.0-1.debian.tar.xz"] == CHANGES
    assert set(got) == {one.name for one in found.files}
