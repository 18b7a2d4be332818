# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real apt-get and real dnf take a good repository, and no other."""

from __future__ import annotations

import gzip
import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _client
from ansible_collections.distrogate.ci.plugins.module_utils._packages._client import verify_apt, verify_rpm
from ansible_collections.distrogate.ci.plugins.module_utils._packages._dsc import read_dsc
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import control, deb, gz
from ansible_collections.distrogate.ci.tests.unit.packages.test_dsc import CHANGES, ORIGINAL, dsc

DEBS = [("nova", "1:1.0-1", "all"), ("glance", "2.0-1", "amd64"), ("glance", "2.0-1", "arm64")]
SOURCE = ("nova", "1:2.0-1", "source")
RPMS = [("nova", "1:1.0-1", "noarch"), ("nova", "1:1.0-1", "src"), ("glance", "2.0-1", "aarch64")]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Key:
    """A key of its own, in a GnuPG home with a path that is short enough for sockets."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.gpg(
            b"",
            "--passphrase",
            "",
            "--quick-generate-key",
            "Test <t@example.org>",
            "rsa2048",
            "sign",
            "never",
        )
        self.armor = self.gpg(b"", "--armor", "--export").decode()

    def gpg(self, data: bytes, *arguments: str) -> bytes:
        command = ["gpg", "--homedir", self.home, "--batch", *arguments]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def keys() -> t.Iterator[list[Key]]:
    if not shutil.which("gpg"):
        pytest.skip("gpg is not installed")
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        yield [Key(one), Key(other)]
        for home in (one, other):
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


class Repository:
    """A view of a repository, and the verification of it."""

    def __init__(self, root: pathlib.Path, key: Key) -> None:
        self.view = root / "a view"
        self.key = key
        self.scratch = root / "scratch"
        self.scratch.mkdir()
        self.view.mkdir()
        self.key_path = root / "key.asc"
        self.key_path.write_text(key.armor)


class AptRepository(Repository):
    """Some packages; in the form that the publisher writes, or a flat one."""

    suite = "s"

    @property
    def flat(self) -> bool:
        return self.suite.endswith("/")

    def write(self, change: t.Callable[[bytes], bytes] = bytes) -> None:
        """``change`` is done to the index after its digest was taken."""
        stanzas = []
        for name, version, architecture in DEBS:
            text = control(name, version, architecture)
            path = self.view / f"{name}_{architecture}.deb"
            path.write_bytes(deb(text))
            data = path.read_bytes()
            stanzas.append(f"{text}Filename: ./{path.name}\nSize: {len(data)}\nSHA256: {sha256(data)}\n")
        suite = self.view / (self.suite if self.flat else "dists/s")
        source = self.source()
        if self.flat:
            indexes = {"Packages": stanzas, "Sources": [source]}
        else:
            indexes = {"main/source/Sources": [source]}
            for machine in ("amd64", "arm64"):
                fits = [text for text, package in zip(stanzas, DEBS) if package[2] in (machine, "all")]
                indexes[f"main/binary-{machine}/Packages"] = fits
        listing = []
        for name, texts in indexes.items():
            data = "\n".join(texts).encode()
            packed = gz(data)
            path = suite / f"{name}.gz"
            (path.parent / "by-hash/SHA256").mkdir(parents=True, exist_ok=True)
            for one in (path, path.parent / "by-hash/SHA256" / sha256(packed)):
                one.write_bytes(change(packed))
            for contents, named in ((data, name), (packed, f"{name}.gz")):
                listing.append(f" {sha256(contents)} {len(contents)} {named}")
        fields = "Date: Thu, 01 Feb 2024 00:00:00 UTC\nAcquire-By-Hash: yes\n"
        if self.suite != "./":  # apt expects a flat repository's folder here, and of this one nothing
            fields += f"Suite: {self.suite.rstrip('/')}\n"
        if not self.flat:
            fields += "Architectures: amd64 arm64\nComponents: main\n"
        release = (fields + "SHA256:\n" + "\n".join(listing) + "\n").encode()
        (suite / "InRelease").write_bytes(self.key.gpg(release, "--clearsign"))

    def source(self) -> str:
        """Write a source package; its stanza."""
        (self.view / "nova_2.0.orig.tar.gz").write_bytes(ORIGINAL)
        (self.view / "nova_2.0-1.debian.tar.xz").write_bytes(CHANGES)
        (self.view / "nova_2.0-1.dsc").write_text(dsc())
        return read_dsc(str(self.view / "nova_2.0-1.dsc")).stanza(".") + "\n"

    def verify(self, packages: list[_client.Wanted] | None = None, armor: str = "") -> None:
        packages = DEBS if packages is None else packages
        verify_apt(
            str(self.view),
            self.suite,
            [] if self.flat else ["main"],
            packages,
            keyring_armor=armor or self.key.armor,
            scratch=str(self.scratch),
            timeout=60,
        )
        assert not list(self.scratch.iterdir())


@pytest.fixture
def apt(tmp_path: pathlib.Path, keys: list[Key]) -> AptRepository:
    if not shutil.which("apt-get"):
        pytest.skip("apt-get is not installed")
    return AptRepository(tmp_path, keys[0])


def refused(call: t.Callable[..., None], *arguments: t.Any, match: str, **options: t.Any) -> None:
    with pytest.raises(DistrogateError, match=match) as caught:
        call(*arguments, **options)
    assert caught.value.reason == "client_refused"


@pytest.mark.parametrize("suite", ["s", "./", "flat/"])
@pytest.mark.parametrize("packages", [[*DEBS, SOURCE], DEBS[:1], DEBS[2:], [SOURCE]])
def test_apt_takes_it(apt: AptRepository, suite: str, packages: list[_client.Wanted]) -> None:
    apt.suite = suite
    apt.write()
    apt.verify(packages)


@pytest.mark.parametrize("suite", ["s", "./", "flat/"])
def test_apt_refuses(
    apt: AptRepository, keys: list[Key], suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt.suite = suite
    apt.write()
    refused(apt.verify, armor=keys[1].armor, match="(?i)public key|signature")
    refused(apt.verify, [("nova", "1.0-2", "all")], match="packages")
    refused(apt.verify, [("glance", "2.0-1", "riscv64")], match="riscv64|packages")
    refused(apt.verify, [("glanc.", "2.0-1", "amd64")], match="packages|did not fetch")
    monkeypatch.setattr(_client, "_BATCH", 1)
    (apt.view / "glance_arm64.deb").write_bytes((apt.view / "glance_amd64.deb").read_bytes())
    apt.verify(DEBS[:2])
    refused(apt.verify, match="(?i)hash|size")
    (apt.view / "glance_arm64.deb").unlink()
    refused(apt.verify, match="glance_arm64|File not found")
    (apt.view / "nova_2.0.orig.tar.gz").write_bytes(ORIGINAL[:-1] + b"S")
    refused(apt.verify, [SOURCE], match="(?i)hash|size")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: gz(gzip.decompress(data).replace(b"a package", b"A package")),
        lambda data: data[:9] + bytes([data[9] ^ 1]) + data[10:],  # the same contents, packed elsewhere
        lambda data: b"",
    ],
)
def test_apt_refuses_a_changed_index(apt: AptRepository, change: t.Callable[[bytes], bytes]) -> None:
    apt.write(change)
    refused(apt.verify, match=r"(?i)hash|main/binary-\w+")


def test_apt_refuses_a_missing_index(apt: AptRepository) -> None:
    apt.write()
    shutil.rmtree(apt.view / "dists/s/main/binary-arm64")
    refused(apt.verify, match="main")


def test_apt_refuses_what_is_not_valid_any_more(apt: AptRepository) -> None:
    apt.write()
    path = apt.view / "dists/s/InRelease"
    text = apt.key.gpg(path.read_bytes(), "--decrypt")
    path.write_bytes(apt.key.gpg(b"Valid-Until: Fri, 02 Feb 2024 00:00:00 UTC\n" + text, "--clearsign"))
    refused(apt.verify, match="expired")


def test_a_warning_of_apt_is_an_error(apt: AptRepository) -> None:
    apt.write()
    path = apt.view / "dists/s/InRelease"
    text = apt.key.gpg(path.read_bytes(), "--decrypt").replace(b"Suite: s\n", b"Suite: other\n")
    path.write_bytes(apt.key.gpg(text, "--clearsign"))
    refused(apt.verify, match="Conflicting distribution")


def test_apt_heeds_nothing_of_the_machine(
    apt: AptRepository, tmp_path: pathlib.Path, monkeypatch: t.Any
) -> None:
    (tmp_path / "apt.conf").write_text(f'APT::Update::Pre-Invoke {{ "touch {tmp_path}/ran"; }};\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    apt.write()
    apt.verify()
    assert not (tmp_path / "ran").exists()


SPEC = """
Name: {name}
Epoch: {epoch}
Version: {version}
Release: {release}
Summary: s
License: MIT
Requires: not-there
{more}
%description
d
%files
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory, keys: list[Key]) -> pathlib.Path:
    """A folder of signed packages."""
    for tool in ("dnf", "rpmbuild", "rpmsign", "createrepo_c"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    top = tmp_path_factory.mktemp("rpm")
    for name, evr, target in (RPMS[0], RPMS[2]):
        epoch, _colon, rest = evr.rpartition(":")
        version, _dash, release = rest.partition("-")
        spec = SPEC.format(
            name=name,
            epoch=epoch or "0",
            version=version,
            release=release,
            more="BuildArch: noarch" if target == "noarch" else "",
        )
        (top / "a.spec").write_text(spec)
        defined = [
            "--define",
            f"_topdir {top}",
            "--define",
            f"_rpmdir {top}",
            "--define",
            f"_srcrpmdir {top}/noarch",
        ]
        command = ["rpmbuild", "-ba", "--quiet", "--target", target, *defined, str(top / "a.spec")]
        subprocess.run(command, check=True, capture_output=True)
    macros = {"_gpg_name": "t@example.org", "_gpg_path": keys[0].home, "__gpg": shutil.which("gpg")}
    options = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
    paths = [str(path) for path in top.glob("*/*.rpm")]
    assert len(paths) == 4
    subprocess.run(["rpmsign", *options, "--addsign", *paths], check=True, capture_output=True)
    return top


class RpmRepository(Repository):
    def write(self, packages: pathlib.Path) -> None:
        for path in packages.glob("*/*.rpm"):
            shutil.copy(path, self.view)
        self.index()

    def index(self) -> None:
        subprocess.run(["createrepo_c", "--quiet", "--no-database", str(self.view)], check=True)
        self.sign()

    def sign(self) -> None:
        path = self.view / "repodata/repomd.xml"
        signature = self.key.gpg(path.read_bytes(), "--armor", "--detach-sign")
        path.with_name("repomd.xml.asc").write_bytes(signature)

    def verify(self, packages: list[_client.Wanted] | None = None, **options: t.Any) -> None:
        packages = RPMS if packages is None else packages
        options = {"key_path": str(self.key_path), "scratch": str(self.scratch), "timeout": 60, **options}
        verify_rpm(str(self.view), packages, **options)
        assert not list(self.scratch.iterdir())


@pytest.fixture
def rpm(tmp_path: pathlib.Path, keys: list[Key], packages: pathlib.Path) -> RpmRepository:
    repository = RpmRepository(tmp_path, keys[0])
    repository.write(packages)
    return repository


def test_dnf_takes_it(rpm: RpmRepository) -> None:
    rpm.verify()


def test_dnf_refuses(rpm: RpmRepository, keys: list[Key], tmp_path: pathlib.Path) -> None:
    (tmp_path / "other.asc").write_text(keys[1].armor)
    refused(rpm.verify, key_path=str(tmp_path / "other.asc"), match="(?i)gpg|sign")
    refused(rpm.verify, [("nova", "1:1.0-2", "noarch")], match=r"nova-1:1\.0-2\.noarch: it is there 0 times")
    changed = next(rpm.view.glob("glance*.aarch64.rpm"))
    data = changed.read_bytes()
    changed.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    rpm.verify(RPMS[:1])
    refused(rpm.verify, match="(?i)incorrect checksum")
    changed.unlink()
    refused(rpm.verify, match="glance")


@pytest.mark.parametrize("kind", ["primary", "filelists", "other", "repomd"])
def test_dnf_refuses_changed_metadata(rpm: RpmRepository, kind: str) -> None:
    path = next(
        one for one in (rpm.view / "repodata").iterdir() if re.search(rf"{kind}\.xml(\.gz)?$", one.name)
    )
    path.write_bytes(path.read_bytes() + b"\n")
    refused(rpm.verify, match="the metadata")


def test_dnf_refuses_packages_without_a_signature(rpm: RpmRepository) -> None:
    for path in rpm.view.glob("*.rpm"):
        subprocess.run(["rpmsign", "--delsign", str(path)], check=True, capture_output=True)
    rpm.index()
    refused(rpm.verify, match="not signed")
    rpm.verify(signed=False)


def test_dnf_refuses_unsigned_metadata(rpm: RpmRepository) -> None:
    (rpm.view / "repodata/repomd.xml.asc").unlink()
    refused(rpm.verify, match=r"repomd\.xml\.asc")


def test_missing_clients(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_client.shutil, "which", lambda *_, **__: None)
    with pytest.raises(DistrogateError, match="dnf") as caught:
        verify_rpm(str(tmp_path), [], key_path="key", scratch=str(tmp_path), timeout=1)
    assert caught.value.reason == "missing_tool"
