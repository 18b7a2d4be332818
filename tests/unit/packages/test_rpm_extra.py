# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups and errata: what may be published, and that dnf reads it."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _rpm_extra
from ansible_collections.distrogate.ci.plugins.module_utils._packages._rpm_extra import (
    read_comps,
    read_updateinfo,
)

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
DOCTYPE = '<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n'
COMPS = (
    f"{HEAD}{DOCTYPE}<comps><group><id>cloud</id><name>Cloud é</name><description>d</description>"
    "<default>true</default><uservisible>true</uservisible><packagelist>"
    '<packagereq type="mandatory">nova</packagereq></packagelist></group></comps>\n'
)
UPDATES = (
    f'{HEAD}<updates><update from="x" status="final" type="security" version="1"><id>EX-1</id>'
    '<title>t</title><issued date="2024-01-01 00:00:00"/><pkglist><collection short="c"><name>c</name>'
    '<package name="nova" version="1" release="1" epoch="0" arch="noarch">'
    "<filename>nova-1-1.noarch.rpm</filename></package></collection></pkglist></update></updates>"
)


def write(tmp_path: pathlib.Path, text: str | bytes) -> str:
    path = tmp_path / "file.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def test_good(tmp_path: pathlib.Path) -> None:
    assert read_comps(write(tmp_path, COMPS)) == COMPS.encode()
    assert read_updateinfo(write(tmp_path, UPDATES)) == UPDATES.encode()
    many = COMPS.replace("</comps>", "<!-- x --><group/>" * 100_000 + "</comps>")
    assert read_comps(write(tmp_path, many)) == many.encode()


LAUGHS = '<!DOCTYPE comps [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><comps>&b;</comps>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not well-formed"),
        (UPDATES, "not <comps>"),
        ("<COMPS/>", "not <comps>"),
        ("<comps>", "not well-formed"),
        ("<comps/><comps/>", "not well-formed"),
        ("<comps>\x01</comps>", "not well-formed"),
        (b"<comps>\xff</comps>", "not well-formed"),
        ('<?xml version="1.0" encoding="no-such"?><comps/>', "not well-formed"),
        (LAUGHS, "document type with declarations"),
        ("<!DOCTYPE comps []><comps/>", "document type with declarations"),
        ('<!DOCTYPE comps [<!ENTITY a SYSTEM "file:///etc/passwd">]><comps/>', "declarations"),
        ('<!DOCTYPE comps [<!ENTITY % a SYSTEM "http://localhost/">%a;]><comps/>', "declarations"),
        (f"{DOCTYPE}<comps>&undeclared;</comps>", "entities of its own"),
        ("<comps>&undeclared;</comps>", "not well-formed"),
        ("<comps>" + "<a>" * 100 + "</a>" * 100 + "</comps>", "more than 32 elements"),
        ("<comps>" + "".join(f"<a{number}/>" for number in range(1001)) + "</comps>", "1000 names"),
        ("<comps " + "".join(f"a{number}='' " for number in range(1001)) + "/>", "1000 names"),
        (f"<comps a='{'x' * (3 << 20)}'/>", "a tag of more than"),
        (f"<comps a='{'x' * (3 << 20)}", "a tag of more than"),
    ],
)
def test_hostile(tmp_path: pathlib.Path, text: str | bytes, message: str) -> None:
    with pytest.raises(DistrogateError, match=message) as caught:
        read_comps(write(tmp_path, text))
    assert caught.value.reason == "bad_metadata"


def test_size(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rpm_extra, "_SIZE", 100)
    with pytest.raises(DistrogateError, match="larger than 100 bytes"):
        read_comps(write(tmp_path, COMPS))


@pytest.mark.parametrize("compress", [["--no-compress"], ["--compress-type=gz"], ["--compress-type=xz"]])
def test_dnf_reads_them(tmp_path: pathlib.Path, compress: list[str]) -> None:
    """The types of metadata are ``group`` and ``updateinfo``, packed or not."""
    for tool in ("dnf", "createrepo_c", "modifyrepo_c", "rpmbuild"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    repo = tmp_path / "repo"
    (tmp_path / "nova.spec").write_text(
        "Name: nova\nVersion: 1\nRelease: 1\nSummary: s\nLicense: MIT\nBuildArch: noarch\n"
        "%description\nd\n%files\n"
    )
    command = ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {tmp_path}", "--define", f"_rpmdir {repo}"]
    subprocess.run([*command, str(tmp_path / "nova.spec")], check=True, capture_output=True)
    subprocess.run(["createrepo_c", "--quiet", str(repo)], check=True)
    for kind, text in (("group", COMPS), ("updateinfo", UPDATES)):
        subprocess.run(
            ["modifyrepo_c", f"--mdtype={kind}", *compress, write(tmp_path, text), str(repo / "repodata")],
            check=True,
            capture_output=True,
        )
    options = [
        "--quiet",
        f"--installroot={tmp_path}/root",
        f"--repofrompath=x,file://{repo}",
        "--repo=x",
        "--setopt=x.gpgcheck=0",
        "--setopt=reposdir=/nonexistent",
        f"--setopt=cachedir={tmp_path}/cache",
        "--releasever=1",
    ]
    for command, expected in (
        (["group", "list"], "Cloud é"),
        (["repoquery", "--advisory=EX-1"], "nova-0:1-1.noarch"),
    ):
        done = subprocess.run(["dnf", *options, *command], capture_output=True, text=True, check=False)
        assert expected in done.stdout, done.stderr
