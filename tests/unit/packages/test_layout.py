# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How packages lie in an apt repository: kinds of packages and of indexes, flat ones, links and modes."""

from __future__ import annotations

import lzma
import os
import shutil
import stat
import typing as t

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _plan
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import Suite
from ansible_collections.distrogate.ci.tests.unit.packages.test_dsc import CHANGES, ORIGINAL, dsc

Make = t.Callable[..., t.Any]


def test_kinds_of_packages(suite: Suite, make: Make) -> None:
    udeb = make("installer", more="Package-Type: udeb\n", architecture="amd64")
    ddeb = make("nova-dbgsym", more="Package-Type: ddeb\n", architecture="amd64")
    suite(udeb, ddeb, make())
    indexes = suite.indexes()
    assert b"Package: installer\n" in indexes["main/debian-installer/binary-amd64/Packages"]
    assert b"Package: installer\n" not in indexes["main/binary-amd64/Packages"]
    assert b"_amd64.ddeb\n" in indexes["main/binary-amd64/Packages"]
    assert b"Package: nova\n" in indexes["main/binary-amd64/Packages"]


def test_all_is_in_every_architecture(suite: Suite, make: Make) -> None:
    suite(make(), make("glance", architecture="arm64"), architectures=["amd64"])
    indexes = suite.indexes()
    assert sorted(indexes) == ["main/binary-amd64/Packages", "main/binary-arm64/Packages"]
    assert all(b"Package: nova\n" in text for text in indexes.values())
    suite("glance", state="absent")
    assert sorted(suite.indexes()) == ["main/binary-amd64/Packages"]


def test_components(suite: Suite, make: Make) -> None:
    suite(make())
    suite(make("glance"), component="extra")
    indexes = suite.indexes()
    assert b"glance" in indexes["extra/binary-amd64/Packages"]
    assert b"glance" not in indexes["main/binary-amd64/Packages"]
    assert "Components: extra main\n" in suite.text("dists/bookworm/Release")
    suite("nova", state="absent", component="extra")
    assert not suite.changed


def test_sources(suite: Suite, tmp_path: t.Any, make: Make) -> None:
    path = tmp_path / "nova_2.0-1.dsc"
    path.write_text(dsc())
    (tmp_path / "nova_2.0.orig.tar.gz").write_bytes(ORIGINAL)
    (tmp_path / "nova_2.0-1.debian.tar.xz").write_bytes(CHANGES)
    result = suite(path)
    text = suite.indexes()["main/source/Sources"].decode()
    assert "\nDirectory: pool/main/n\n" in text
    assert result["sources"].startswith("Types: deb deb-src\n")
    there = {one.name for one in (suite.root / "pool/main/n").iterdir()}
    assert there == {one.name for one in tmp_path.glob("nova_2*")}
    suite(path)
    assert not suite.changed
    suite(make("glance"), component="extra")  # apt asks for the sources of all components that it knows
    assert suite.indexes()["extra/source/Sources"] == b""
    suite("nova", state="absent", keep=0)
    assert not list((suite.root / "pool/main/n").iterdir())


def test_contents(suite: Suite, make: Make) -> None:
    suite(make(more="Section: net\n"))
    suite(contents=True)
    assert suite.indexes()["main/Contents-amd64"].split() == [b"usr/share/x", b"net/nova"]
    suite(make("glance"))
    assert b"glance" in suite.indexes()["main/Contents-amd64"]
    suite(contents=False)
    assert "main/Contents-amd64" not in suite.indexes()


def test_contents_through_a_layer(tmp_path: t.Any, make: Make) -> None:
    below, above = Suite(tmp_path / "below"), Suite(tmp_path / "above")
    below(make())
    above(make("glance"), layers=[{"name": "4710", "root": str(below.root)}], contents=True)
    assert above.indexes()["main/Contents-amd64"].count(b"\n") == 2


def test_xz_where_it_is_asked_for(suite: Suite, make: Make) -> None:
    suite(make(), compression=["gz", "xz"])
    path = suite.root / "dists/bookworm/main/binary-amd64/Packages.xz"
    assert lzma.decompress(path.read_bytes()) == suite.indexes()["main/binary-amd64/Packages"]
    suite(make("glance"))
    assert b"glance" in lzma.decompress(path.read_bytes())


@pytest.mark.parametrize(("flat", "base"), [("./", "."), ("nightly/", "nightly")])
def test_flat_repositories(suite: Suite, make: Make, flat: str, base: str) -> None:
    result = suite(make(), make("glance", architecture="arm64"), suite=flat)
    assert sorted(suite.names(base)) == ["glance=1.0-1", "nova=1.0-1"]
    assert f"Suites: {flat}\nSigned-By:" in result["sources"]
    assert "Components" not in suite.text(f"{base}/Release")
    suite("glance", state="absent", suite=flat, snapshot="one")
    assert not suite.changed or suite.names(base) == ["nova=1.0-1"]


def test_published_files_are_nobodys_to_write(suite: Suite, make: Make) -> None:
    path = make()
    suite(path)
    (published,) = (suite.root / "pool").rglob("*.deb")
    assert stat.S_IMODE(published.stat().st_mode) == 0o444
    assert not os.path.samefile(path, published)


def test_links_only_of_what_is_the_publishers_alone(suite: Suite, make: Make, tmp_path: t.Any) -> None:
    alone, shared, writable = make(), make("glance"), make("cinder")
    (tmp_path / "second-name.deb").hardlink_to(shared)
    writable.chmod(0o664)
    suite(alone, shared, writable, hard_link=True)
    linked = {path.name: path.stat().st_nlink for path in (suite.root / "pool").rglob("*.deb")}
    assert linked == {"nova_1.0-1_all.deb": 2, "glance_1.0-1_all.deb": 1, "cinder_1.0-1_all.deb": 1}
    assert alone.stat().st_mode & 0o777 == 0o444


def test_a_symbolic_link_is_no_package(suite: Suite, make: Make, tmp_path: t.Any) -> None:
    link = tmp_path / "link.deb"
    link.symlink_to(make())
    with pytest.raises(DistrogateError, match="symbolic link"):
        suite(link)


def test_indexes_are_made_again_from_the_pool(suite: Suite, make: Make, monkeypatch: t.Any) -> None:
    """What is lost is the private list of packages; their files are where they are to be."""
    suite(make(), make("glance"))
    before = suite.indexes()
    shutil.rmtree(suite.root / ".distrogate")
    monkeypatch.setattr(_plan, "sha256_file", None)  # each was hashed when it was read
    suite(*(suite.root / "pool").rglob("*.deb"))
    assert suite.indexes() == before
    assert pool_links(suite) == {1}


def pool_links(suite: Suite) -> set[int]:
    return {path.stat().st_nlink for path in (suite.root / "pool").rglob("*.deb")}
