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
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Package
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rpm import Rpm
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import QuickSigner

LEAD = b"\xed\xab\xee\xdb" + bytes(92)


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
        check_rpm(str(path))
    assert caught.value.reason == "bad_package"


def test_whole_headers(tmp_path: t.Any) -> None:
    path = tmp_path / "a.rpm"
    path.write_bytes(LEAD + header(0, 3, bytes(3)) + bytes(5) + header(0, 4, bytes(4)))
    check_rpm(str(path))


def test_missing_bindings_say_what_to_install(tmp_path: t.Any, monkeypatch: t.Any) -> None:
    monkeypatch.setitem(sys.modules, "createrepo_c", None)
    with pytest.raises(DistrogateError, match="python3-createrepo-c") as caught:
        Rpm({"root": str(tmp_path)}).read("a.rpm")
    assert caught.value.reason == "missing_tool"


def package(name: str) -> Package:
    href = f"packages/{name[0]}/{name}-1-1.noarch.rpm"
    entry = f'<package name="{name}"/>'
    primary = f'<package>\n  <name>{name}</name>\n  <location href="{href}"/>\n</package>'
    index = {"href": href, "primary": primary, "filelists": entry, "other": entry}
    return Package(name, "1-1", "noarch", "0" * 64, 1, href, "", index)


def test_metadata(tmp_path: t.Any) -> None:
    shown = [Shown(package("nova")), Shown(package("glance"), "layers/4710/")]
    rendered = Rpm({"root": str(tmp_path)}).render(shown, {}, 1_700_000_000, QuickSigner())
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
        contents = rendered.addressed[location.attrib["href"]]
        assert hashlib.sha256(contents).hexdigest() == checksum.text
        found[record.attrib["type"]] = gzip.decompress(contents)
        assert hashlib.sha256(found[record.attrib["type"]]).hexdigest() == opened.text
    assert sorted(found) == ["filelists", "other", "primary"]
    common = "{http://linux.duke.edu/metadata/common}"
    paths = [one.attrib["href"] for one in ET.fromstring(found["primary"]).iter(f"{common}location")]
    assert paths == ["packages/n/nova-1-1.noarch.rpm", "layers/4710/packages/g/glance-1-1.noarch.rpm"]


def test_sources(tmp_path: t.Any) -> None:
    text = Rpm({"root": str(tmp_path), "url": "https://example.org/r/", "label": "My repo"}).sources({}, "")
    assert text.splitlines()[:3] == ["[My-repo]", "name=My repo", "baseurl=https://example.org/r"]
    assert {"gpgcheck=1", "repo_gpgcheck=1", "gpgkey=https://example.org/r/key.asc"} <= set(text.splitlines())
    with pytest.raises(DistrogateError, match="line breaks"):
        Rpm({"root": str(tmp_path), "label": "a\ngpgcheck=0"}).sources({}, "")
