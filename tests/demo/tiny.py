# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project that builds in two seconds, and the ways in which a change can break it."""

from __future__ import annotations

import shutil
from typing import Any

from ansible_collections.distrogate.ci.tests.demo.site import Site
from ansible_collections.distrogate.ci.tests.demo.upstream import Project

PROGRAM = """\
#!/bin/sh
# Says what it is; with "system" it is the system test's subject.
set -e
case "$1" in
--version) echo tiny 1.0 ;;
system) echo all is well ;;
*) echo tiny ;;
esac
"""
FILES = {
    "tiny": PROGRAM,
    "debian/changelog": """\
tiny (1.0) unstable; urgency=medium

  * Begin.

 -- A Developer <developer@example.org>  Thu, 01 Jan 2026 00:00:00 +0000
""",
    "debian/control": """\
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
Description: program that says very little
 Tiny is built, installed and removed by the tests of a packaging system,
 many times a day.
""",
    "debian/copyright": """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2026 A Developer
License: public-domain
 Do with it what you like.
""",
    "debian/install": "tiny usr/bin\n",
    "debian/rules": "#!/usr/bin/make -f\n%:\n\tdh $@\n",
    "debian/source/format": "3.0 (native)\n",
}


def make_project(site: Site) -> Project:
    """The project, with its first commit on main."""
    folder = site.root / "upstream"
    shutil.rmtree(folder / "tiny.git", ignore_errors=True)
    shutil.rmtree(folder / "tiny-work", ignore_errors=True)
    project = Project(folder, "tiny")
    project.create(FILES)
    return project


def variables(site: Site) -> dict[str, Any]:
    """The profile's projects, with this one beside hello."""
    hello = {
        "url": str(site.root / "upstream/hello.git"),
        "packages": {"deb": True, "rpm": "rpm/hello.spec"},
        "install_test": [["hello", "--version"]],
        "system_test": [["hello"]],
    }
    tiny = {
        "url": str(site.root / "upstream/tiny.git"),
        "packages": {"deb": True},
        "install_test": [["tiny", "--version"]],
        "system_test": [["tiny", "system"]],
    }
    return {"distrogate_projects": {"hello": hello, "tiny": tiny}}


def broken(stage: str) -> dict[str, str]:
    """The files of a change that fails at a stage: build, lint, install or system."""
    rules = FILES["debian/rules"]
    return {
        "build": {
            "debian/rules": f"{rules}\noverride_dh_auto_build:\n\t@echo this does not build\n\tfalse\n"
        },
        "lint": {"debian/rules": f"{rules}\noverride_dh_installdocs:\n"},
        "install": {
            "debian/postinst": "#!/bin/sh\nset -e\n#DEBHELPER#\necho this does not install\nexit 1\n"
        },
        "system": {"tiny": PROGRAM.replace("echo all is well", "echo all is lost; exit 1")},
    }[stage]
