# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A package that the tools build in seconds: what we add does not drown in how much they vary."""

from __future__ import annotations

from ansible_collections.distrogate.ci.tests.demo import tiny
from ansible_collections.distrogate.ci.tests.demo.site import Site
from ansible_collections.distrogate.ci.tests.demo.upstream import Project

VERSION = "2.10"
PROGRAM = f"""\
#!/bin/sh
case "$1" in
--version) echo "hello {VERSION}" ;;
-g) echo "$2" ;;
*) echo "Hello, world!" ;;
esac
"""
SPEC = f"""\
Name:           hello
Version:        {VERSION}
Release:        3%{{?dist}}
Summary:        Program that greets
License:        MIT
Group:          Development/Tools
Packager:       A Developer <developer@example.org>
URL:            https://example.org/
Source0:        %{{name}}-%{{version}}.tar.gz
BuildArch:      noarch

%description
It greets, and is as small as a package can be that is still built, checked,
installed and run.

%prep
%setup -q

%build

%install
install -D -m 0755 hello %{{buildroot}}%{{_bindir}}/hello

%files
%doc NEWS
%{{_bindir}}/hello

%changelog
* Thu Jan 01 2026 A Developer <developer@example.org> - {VERSION}-3
- Begin.
"""


def _named(text: str) -> str:
    return text.replace("tiny", "hello")


def make_project(site: Site) -> Project:
    """The project, made anew."""
    project = Project(site.root / "upstream", "hello")
    files = {
        name: _named(text) for name, text in tiny.FILES.items() if name not in ("tiny", "debian/install")
    }
    files["debian/changelog"] = files["debian/changelog"].replace("(1.0)", f"({VERSION}-3)")
    files["debian/install"] = "hello usr/bin\n"
    files["debian/source/format"] = "1.0\n"
    files.update({"hello": PROGRAM, "NEWS": "Begun.\n", "rpm/hello.spec": SPEC})
    project.create(files)
    return project
