# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts that need no mirror."""

from __future__ import annotations

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._addresses import (
    needed_mirrors,
    parse_mirror,
)
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._classify import classify

DIGEST = "0" * 64


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("apt/dists/stable/InRelease", "switch"),
        ("rpm/repodata/repomd.xml", "switch"),
        ("rpm/repodata/repomd.xml.asc", "plain"),
        ("rpm/repodata/primary.xml.gz", "plain"),
        (f"rpm/repodata/{DIGEST}-primary.xml.gz", "content"),
        ("dists/stable/Release.gpg", "plain"),
        ("dists/stable/main/Contents-amd64.gz", "plain"),
        ("dists/stable/main/i18n/Translation-en", "plain"),
        (f"dists/stable/main/binary-amd64/by-hash/SHA256/{DIGEST}", "content"),
        ("flat/Packages.xz", "plain"),
        ("pool/main/a/a_1_all.deb", "content"),
        ("repomd.xml", "content"),
    ],
)
def test_classes(path: str, kind: str) -> None:
    assert classify(path.encode()) == kind


@pytest.mark.parametrize(
    ("quorum", "count", "needed"), [("all", 3, 3), ("2", 3, 2), ("1/2", 3, 2), ("2/3", 3, 2), ("1/1", 4, 4)]
)
def test_quorum(quorum: str, count: int, needed: int) -> None:
    assert needed_mirrors(quorum, count) == needed


@pytest.mark.parametrize("quorum", ["0", "4", "-1", "3/2", "1/0", "0/2", "most", ""])
def test_bad_quorum(quorum: str) -> None:
    with pytest.raises(DistrogateError, match="quorum"):
        needed_mirrors(quorum, 3)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("rsync://h:873/m/", "daemon"),
        ("rsync://u@[::1]:873/m/deep/er", "daemon"),
        ("u@h:/srv/a b", "ssh"),
        ("h:/srv", "ssh"),
        ("/srv/mirror", "local"),
    ],
)
def test_addresses(address: str, kind: str) -> None:
    mirror = parse_mirror(address)
    assert mirror.kind == kind and mirror.target.endswith("/")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/",
        "srv",
        "-e@h:/x",
        "u@-h:/x",
        "rsync://-h/m",
        "h:relative",
        "h::m",
        "rsync://h/",
        "/a\0b",
        "/\udcff",
    ],
)
def test_bad_addresses(address: str) -> None:
    with pytest.raises(DistrogateError, match="not understood"):
        parse_mirror(address)
