# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small packages, made once: with names that stand for themselves."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

from ansible_collections.distrogate.ci.tests.unit.packages.helpers import control, deb

_HEAD = """\
Name: {name}
Version: 1
Release: 1
Summary: x
License: GPL
BuildArch: noarch
%description
x
%files
"""
_MORE = """
%package -n {name}
Summary: x
%description -n {name}
x
%files -n {name}
"""


def debs(folder: pathlib.Path, names: t.Iterable[str], body: bytes = b"x") -> dict[str, str]:
    """Write a .deb for each name, version 1; returns their paths."""
    folder.mkdir(exist_ok=True)
    paths = {name: folder / f"{name}_1_all.deb" for name in names}
    for name, path in paths.items():
        path.write_bytes(deb(control(name, "1"), body=name.encode() + body))
    return {name: str(path) for name, path in paths.items()}


def rpms(folder: pathlib.Path, names: t.Sequence[str], key: str = "") -> dict[str, str]:
    """Build an .rpm for each name, version 1, in one go; signed with ``key`` if it is given."""
    folder.mkdir(exist_ok=True)
    spec = folder / "samples.spec"
    more = "".join(_MORE.format(name=name) for name in names[1:])
    spec.write_text(_HEAD.format(name=names[0]) + more)
    argv = ["rpmbuild", "--quiet", "--define", f"_topdir {folder}/rpm", "-bb", str(spec)]
    subprocess.run(argv, check=True, capture_output=True)
    paths = {name: f"{folder}/rpm/RPMS/noarch/{name}-1-1.noarch.rpm" for name in names}
    if key:
        argv = ["rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", f"_gpg_name {key}", "--addsign"]
        home = {"PATH": os.environ["PATH"], "GNUPGHOME": str(folder / "gnupg")}
        subprocess.run([*argv, *paths.values()], env=home, check=True, capture_output=True)
    return paths
