# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project whose one package builds in two seconds, and changes that fail at a chosen stage."""

from __future__ import annotations

import shutil
from typing import Any

from ansible_collections.distrogate.ci.tests.demo.site import Site
from ansible_collections.distrogate.ci.tests.demo.upstream import Project

NAME = "tiny"
PROGRAM = """\
#!/bin/sh
case "$1" in
--self-test) echo "ready" ;;
*) echo "tiny" ;;
esac
"""
CONTROL = """\
Source: tiny
Section: misc
Priority: optional
Maintainer: A Developer <developer@example.org>
Build-Depends: debhelper-compat (= 13)
Standards-Version: 4.6.2
Rules-Requires-Root: no

Package: tiny
Architecture: all
Depends: ${misc:Depends}
Description: program that says its name
"""
EXTENDED = """\
 It is as small as a package can be that is still built, checked, installed
 and run.
"""
CHANGELOG = """\
tiny (1.0) unstable; urgency=medium

  * Begin.

 -- A Developer <developer@example.org>  Mon, 01 Dec 2025 00:00:00 +0000
"""
RULES = "#!/usr/bin/make -f\n%:\n\tdh $@\n"
COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: tiny

Files: *
Copyright: 2026 A Developer
License: Expat
 Permission is hereby granted, free of charge, to any person obtaining a copy
 of this software, to deal in it without restriction.
"""
FILES = {
    "tiny": PROGRAM,
    "debian/changelog": CHANGELOG,
    "debian/control": CONTROL + EXTENDED,
    "debian/copyright": COPYRIGHT,
    "debian/install": "tiny usr/bin\n",
    "debian/rules": RULES,
    "debian/source/format": "3.0 (native)\n",
}
BROKEN = {
    "build": {"debian/rules": RULES + "\noverride_dh_auto_build:\n\tfalse\n"},
    "lint": {"debian/control": CONTROL},  # extended-description-is-empty
    "install": {"debian/postinst": "#!/bin/sh\nset -e\n#DEBHELPER#\necho no such luck >&2\nexit 1\n"},
    "system": {"tiny": PROGRAM.replace('echo "ready"', "exit 1")},
}


def broken(stage: str) -> dict[str, str]:
    """The files of a change that fails at ``build``, ``lint``, ``install`` or ``system``, and not before."""
    return BROKEN[stage]


def make_project(site: Site) -> Project:
    """The project, made anew."""
    project = project_of(site)
    for folder in (project.bare, project.work):
        shutil.rmtree(folder, ignore_errors=True)
    project.create(FILES)
    return project


def project_of(site: Site) -> Project:
    """The project as it is."""
    return Project(site.root / "upstream", NAME)


def variables(site: Site) -> dict[str, Any]:
    """The local profile's projects, and this one."""
    upstream = site.root / "upstream"
    hello: dict[str, Any] = {
        "url": str(upstream / "hello.git"),
        "packages": {"deb": True, "rpm": "rpm/hello.spec"},
        "install_test": [["hello", "--version"]],
        "system_test": [["hello"]],
    }
    tiny: dict[str, Any] = {
        "url": str(upstream / f"{NAME}.git"),
        "packages": {"deb": True},
        "install_test": [["tiny"]],
        "system_test": [["tiny", "--self-test"]],
    }
    return {"distrogate_projects": {"hello": hello, NAME: tiny}}
