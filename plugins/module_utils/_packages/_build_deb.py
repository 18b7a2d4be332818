# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Building .deb packages from a checkout: dpkg-buildpackage(1) in a sandbox."""

from __future__ import annotations

import email.utils
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _build
from ansible_collections.distrogate.ci.plugins.module_utils._packages._source import (
    read_regular,
    source_archive,
)

_CHANGELOG = "debian/changelog"
# deb-changelog(5), first line; names and versions as in Debian policy 5.6.1 and 5.6.12
_HEADER = re.compile(rb"^([a-z0-9][a-z0-9+.-]+) \(([0-9][A-Za-z0-9.+~:-]*)\) ([A-Za-z0-9 _.-]+);")
# The last line of an entry: who, and when
_TRAILER = re.compile(rb"^ -- ([^\n<>]{1,200} <[^\n<>]{1,200}>)  ([^\n]{1,60})$", re.MULTILINE)
_TREE = f"{_build.FOLDER}/source"
_APT = ["apt-get", "--yes", "--quiet", "-o", "Dpkg::Use-Pty=0", "-o", "APT::Sandbox::User=root"]
_NONINTERACTIVE = {"DEBIAN_FRONTEND": "noninteractive"}


def _changelog(project: _build.Project) -> tuple[bytes, str]:
    """The changelog with an entry for this tree on top, and the source package's name."""
    old = read_regular(project.path, _CHANGELOG)
    match, trailer = _HEADER.match(old), _TRAILER.search(old)
    if not match or not trailer:
        raise DistrogateError(
            "bad_changelog", f"{project.name}: the first line of {_CHANGELOG} is not a changelog entry."
        )
    source, version, suite = (group.decode("ascii") for group in match.groups())
    # An entry is younger than the one before it: lintian minds.
    date = email.utils.formatdate(max(project.date, _seconds(trailer[2]) + 1))
    entry = (
        f"{source} ({version}+{project.suffix}) {suite}; urgency=medium\n\n"
        f"  * Built from tree {project.tree}.\n\n"
    )
    return entry.encode() + b" -- " + trailer[1] + f"  {date}\n\n".encode() + old, source


def _seconds(date: bytes) -> int:
    """A changelog's date in seconds since the epoch; 0 when it is none."""
    parsed = email.utils.parsedate_tz(date.decode("ascii", "replace"))
    try:
        return email.utils.mktime_tz(parsed) if parsed else 0
    except (ValueError, OverflowError):
        return 0


def _dependencies(box: Sandbox, settings: _build.Settings) -> None:
    """Install what debian/control asks for, unless the root filesystem has it."""
    if box.run(["dpkg-checkbuilddeps"], directory=_TREE, check=False, log=settings.log).status == 0:
        return
    options: dict[str, t.Any] = {
        "network": True,
        "environment": _NONINTERACTIVE,
        "log": settings.log,
        "timeout": settings.timeout,
        "binds": settings.bound(),
    }
    for number, text in enumerate(settings.sources):
        box.run(["tee", f"/etc/apt/sources.list.d/distrogate-{number}.sources"], stdin=text.encode())
    box.run([*_APT, "update"], **options)
    box.run([*_APT, "--no-install-recommends", "build-dep", f"{_TREE}/"], **options)


def build_deb(project: _build.Project, settings: _build.Settings) -> list[dict[str, t.Any]]:
    """Build all binary packages of ``project``; says of each what it is."""
    changelog, source = _changelog(project)
    archive = os.path.join(settings.scratch, "source.tar")
    source_archive(project.path, archive, "source", date=project.date, replaced={_CHANGELOG: changelog})
    with settings.sandbox("deb") as box:
        _build.place(box, settings, archive, _TREE)
        os.unlink(archive)
        _dependencies(box, settings)
        box.run(
            ["dpkg-buildpackage", "--build=binary", "--no-sign", "--sanitize-env"],
            directory=_TREE,
            user=_build.BUILDER,
            environment=_build.environment(
                settings, project, DEB_BUILD_OPTIONS=f"parallel={os.cpu_count() or 1}"
            ),
            timeout=settings.timeout,
            log=settings.log,
        )
        paths = _build.built(
            box.collect(_build.FOLDER, ["*.deb", "*.udeb", "*.ddeb"], settings.artifacts), source
        )
        return _described(box, paths)


def _described(box: Sandbox, paths: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """What is in the packages. One command asks them all, since each costs the start of a sandbox."""
    argv = ["dpkg-deb", "--show", "--showformat=${Package} ${Version} ${Architecture}\n"]
    names = [os.fsencode(f"{_build.FOLDER}/{os.path.basename(path)}") for path in paths]
    text = box.run(["xargs", "--null", "--max-args=1", *argv], stdin=b"\0".join(names)).text
    return [
        {
            "path": path,
            "kind": "deb",
            "package": package,
            "package_version": version,
            "architecture": architecture,
        }
        for path, package, version, architecture in _build.identities(paths, text)
    ]
