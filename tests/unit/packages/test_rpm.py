# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rpm side: what is read before librpm, and the metadata. Real packages are in the integration target."""

from __future__ import annotations

import gzip
import hashlib
import struct
import sys
import typing as t
import xml.etree.ElementTree as ET

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages._assemble import assemble
from ansible_collections.distrogate.ci.plugins.module_utils._packages._chunks import Chunks
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Package, Scope, Written
from ansible_collections.distrogate.ci.plugins.module_utils._packages._package_file import PackageFile
from ansible_collections.distrogate.ci.plugins.module_utils._packages._publish import Publisher
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rpm import Rpm
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rpm_read import check_rpm
from ansible_collections.distrogate.ci.plugins.module_utils._packages._tables import split
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import FakeCall, QuickSigner, Suite

LEAD = b"\xed\xab\xee\xdb" + bytes(92)


def check(path: t.Any) -> None:
    with PackageFile(str(path)) as file:
        check_rpm(file)


def header(entries: int, size: int, body: bytes = b"") -> bytes:
    return b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", entries, size) + body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"!<arch>\n",
        LEAD,
        LEAD + b"x" * 64,
        LEAD + header(1, 0),
        LEAD + header(0xFFFFFFFF, 0xFFFFFFFF, bytes(64)),
        LEAD + header(0, 8, bytes(8)),
        LEAD + header(0, 8, bytes(8)) + header(1 << 24, 0),
    ],
)
def test_broken_rpms(tmp_path: t.Any, data: bytes) -> None:
    path = tmp_path / "a.rpm"
    path.write_bytes(data)
    with pytest.raises(DistrogateError) as caught:
        check(path)
    assert caught.value.reason == "bad_package"


def test_whole_headers(tmp_path: t.Any) -> None:
    path = tmp_path / "a.rpm"
    path.write_bytes(LEAD + header(0, 3, bytes(3)) + bytes(5) + header(0, 4, bytes(4)))
    check(path)


def test_missing_bindings_say_what_to_install(tmp_path: t.Any, monkeypatch: t.Any) -> None:
    monkeypatch.setitem(sys.modules, "createrepo_c", None)
    with pytest.raises(DistrogateError, match="python3-createrepo-c") as caught:
        list(Rpm({"root": str(tmp_path)}).read_all(["a.rpm"], {}))
    assert caught.value.reason == "missing_tool"


def package(name: str, version: str = "1-1") -> Package:
    href = f"packages/{name[0]}/{name}-{version}.noarch.rpm"
    entry = f'<package name="{name}"/>\n'
    primary = f'<package>\n  <name>{name}</name>\n  <location href="{href}"/>\n</package>\n'
    return Package(name, version, "noarch", "0" * 64, 1, href, "packages", (primary, entry, entry))


def written(rpm: Rpm, tmp_path: t.Any, packages: list[Package]) -> dict[str, Written]:
    """The three lists, below ``tmp_path`` as clients find them."""
    chunks = Chunks(str(tmp_path), rpm.spread)
    tables = {"packages": list(split(chunks, packages))}
    found = {}
    for index in rpm.indexes(tables, {}):
        path = tmp_path / index.name
        found[index.name] = assemble(chunks, tables, index, {".gz": str(path)})
        target = tmp_path / rpm.addresses(index, ".gz", found[index.name].packed[".gz"][1])[0]
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    return found


def test_metadata(tmp_path: t.Any) -> None:
    rpm = Rpm({"root": str(tmp_path)})
    shown = [rpm.at(package("glance"), "layers/4710/packages/g"), package("nova")]
    scope = Scope(settings={"extras": {}})
    rendered = rpm.render(written(rpm, tmp_path, shown), scope, 1_700_000_000, QuickSigner())
    name, data = rendered.switch
    assert name == "repodata/repomd.xml"
    assert rendered.named == {"repodata/repomd.xml.asc": QuickSigner().detached(data)}
    repo = "{http://linux.duke.edu/metadata/repo}"
    found = {}
    for record in ET.fromstring(data).iter(f"{repo}data"):
        location, checksum, opened = (
            record.find(repo + tag) for tag in ("location", "checksum", "open-checksum")
        )
        assert location is not None
        assert checksum is not None
        assert opened is not None
        contents = (tmp_path / location.attrib["href"]).read_bytes()
        assert hashlib.sha256(contents).hexdigest() == checksum.text
        found[record.attrib["type"]] = gzip.decompress(contents)
        assert hashlib.sha256(found[record.attrib["type"]]).hexdigest() == opened.text
    assert sorted(found) == ["filelists", "other", "primary"]
    common = "{http://linux.duke.edu/metadata/common}"
    root = ET.fromstring(found["primary"])
    assert root.attrib["packages"] == "2"
    paths = [one.attrib["href"] for one in root.iter(f"{common}location")]
    assert paths == ["layers/4710/packages/g/glance-1-1.noarch.rpm", "packages/n/nova-1-1.noarch.rpm"]


def test_sources(tmp_path: t.Any) -> None:
    text = Rpm({"root": str(tmp_path), "url": "https://example.org/r/", "label": "My repo"}).sources(
        Scope(), ""
    )
    assert text.splitlines()[:3] == ["[My-repo]", "name=My repo", "baseurl=https://example.org/r"]
    assert {"gpgcheck=1", "repo_gpgcheck=1", "gpgkey=https://example.org/r/key.asc"} <= set(text.splitlines())
    with pytest.raises(DistrogateError, match="line breaks"):
        Rpm({"root": str(tmp_path), "label": "a\ngpgcheck=0"}).sources(Scope(), "")


def test_a_snapshot_has_what_the_site_added(tmp_path: t.Any) -> None:
    comps = tmp_path / "comps.xml"
    comps.write_text("<comps></comps>")
    suite = Suite(tmp_path / "repository")
    options = {"group": str(comps), "updateinfo": None}
    for more in ({**options, "snapshot": "one"}, {"group": None, "updateinfo": None, "snapshot": "two"}):
        params = {**suite.parameters(), **more}
        call = FakeCall(params, check_mode=False)
        Publisher(t.cast(t.Any, call), Rpm(params), "repomd_sha256", QuickSigner).run()
    for folder in (suite.root, suite.root / "snapshots/one", suite.root / "snapshots/two"):
        for record in ET.parse(folder / "repodata/repomd.xml").iter(
            "{http://linux.duke.edu/metadata/repo}data"
        ):
            location = record.find("{http://linux.duke.edu/metadata/repo}location")
            assert location is not None
            assert (folder / location.attrib["href"]).is_file(), record.attrib


def test_snapshots_are_listed_and_the_oldest_go(tmp_path: t.Any) -> None:
    suite = Suite(tmp_path / "repository")
    removed: list[str] = []
    for label in "ab":
        options = {"group": None, "updateinfo": None, "label": label, "snapshot": label}
        params = {**suite.parameters(), **options, "keep_snapshots": 1, "keep_snapshots_seconds": -1}
        call = FakeCall(params, check_mode=False)
        result = Publisher(t.cast(t.Any, call), Rpm(params), "repomd_sha256", QuickSigner).run()
        assert [one["name"] for one in result["snapshots"]] == [label]
        removed += [one["name"] for one in result["removed_snapshots"]]
    assert removed == ["a"]
    assert not (suite.root / "snapshots/a/repodata/repomd.xml").exists()
    assert (suite.root / "snapshots/b/repodata/repomd.xml").exists()
