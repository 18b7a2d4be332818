# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Building .rpm packages from a checkout: a source package first, then that rebuilt, in a sandbox."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._packages import _build
from ansible_collections.distrogate.ci.plugins.module_utils._packages._source import (
    read_regular,
    source_archive,
)

_OUT = f"{_build.FOLDER}/out"
_SOURCES = f"{_build.FOLDER}/sources"
_SOURCE0 = re.compile(r"^Source0?\s*:\s*(\S+)\s*$", re.MULTILINE | re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]*")


def _macros(project: _build.Project) -> list[str]:
    """Settings that make the same tree give the same package, in a known place."""
    values = {
        "_topdir": f"{_build.FOLDER}/rpm",
        "_sourcedir": _SOURCES,
        "_srcrpmdir": _OUT,
        "_rpmdir": _OUT,
        "_rpmfilename": "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm",
        "_buildhost": "distrogate",
        "use_source_date_epoch_as_buildtime": "1",
        "clamp_mtime_to_source_date_epoch": "1",
        "dist": f".{project.suffix}",
    }
    return [word for name, value in values.items() for word in ("--define", f"{name} {value}")]


def _expanded(box: Sandbox, macros: list[str], spec: str) -> tuple[str, str]:
    """The folder name and the file name of the main source, after rpm expanded the spec."""
    query = ["rpmspec", *macros, "--query", "--srpm", "--queryformat", "%{NAME}-%{VERSION}", spec]
    folder = box.run(query, user=_build.BUILDER).text.strip()
    text = box.run(["rpmspec", *macros, "--parse", spec], user=_build.BUILDER).text
    match = _SOURCE0.search(text)
    name = os.path.basename(match[1]) if match else ""
    if not _NAME.fullmatch(folder) or not _NAME.fullmatch(name) or not name.endswith((".tar.gz", ".tgz")):
        raise DistrogateError(
            "bad_spec", f"{os.path.basename(spec)}: Source0 must name a .tar.gz file; it is {name!r}."
        )
    return folder, name


def build_rpm(
    project: _build.Project, spec: str, settings: _build.Settings, install_dependencies: bool
) -> list[dict[str, t.Any]]:
    """Build the source package and all binary packages that ``spec`` (a path in the project) describes."""
    text = read_regular(project.path, spec)
    macros = _macros(project)
    inside = f"{_SOURCES}/{os.path.basename(spec)}"
    archive = os.path.join(settings.scratch, "source.tar.gz")
    clock = _build.environment(settings, project)
    with settings.sandbox("rpm") as box:
        owner = [f"--owner={_build.BUILDER}", f"--group={_build.BUILDER}"]
        box.run(["install", "--directory", *owner, _build.FOLDER, _SOURCES, _OUT])
        box.run(["tee", inside], stdin=text, user=_build.BUILDER)
        folder, name = _expanded(box, macros, inside)
        source_archive(
            project.path, archive, folder, date=project.date, without={"debian", spec}, mode="w:gz"
        )
        with open(archive, "rb") as stream:
            box.run(["dd", f"of={_SOURCES}/{name}", "status=none"], stdin=stream, user=_build.BUILDER)
        os.unlink(archive)
        options: dict[str, t.Any] = {"user": _build.BUILDER, "environment": clock, "log": settings.log}
        box.run(["rpmbuild", *macros, "-bs", "--nodeps", inside], **options)
        source = _build.built(box.collect(_OUT, ["*.src.rpm"], settings.artifacts), spec)[0]
        if install_dependencies:
            argv = ["dnf", "--assumeyes", "builddep", f"{_OUT}/{os.path.basename(source)}"]
            box.run(argv, network=True, log=settings.log, timeout=settings.timeout, binds=settings.bound())
        unmet = [] if install_dependencies else ["--nodeps"]
        argv = ["rpmbuild", *macros, "--rebuild", *unmet, f"{_OUT}/{os.path.basename(source)}"]
        box.run(argv, timeout=settings.timeout, **options)
        paths = _build.built(box.collect(_OUT, ["*.rpm"], settings.artifacts, without=["*.src.rpm"]), spec)
        return _described(box, [source, *paths])


def _described(box: Sandbox, paths: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """What is in the packages. One command asks them all, since each costs the start of a sandbox."""
    query = "%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{ARCH}\n"
    argv = ["rpm", "--query", "--nosignature", "--queryformat", query, "--package", "--"]
    text = box.run([*argv, *(f"{_OUT}/{os.path.basename(path)}" for path in paths)]).text
    return [_description(*one) for one in _build.identities(paths, text)]


def _description(path: str, package: str, version: str, architecture: str) -> dict[str, t.Any]:
    source = path.endswith(".src.rpm")
    return {
        "path": path,
        "kind": "srpm" if source else "rpm",
        "package": package,
        "package_version": version,
        "architecture": "src" if source else architecture,
    }


def _signing_time(key: str, date: int, environment: dict[str, str]) -> int:
    """The tree's date, so that the same tree gives the same signature; not before the key was made."""
    argv = ["gpg", "--batch", "--with-colons", "--list-keys", "--", key]
    lines = _command.run(argv, environment=environment, timeout=60).text.splitlines()
    created = [int(line.split(":")[5]) for line in lines if line.startswith("pub:")]
    return max([date, *created])


def sign_rpms(paths: list[str], key: str, gnupg_home: str | None, *, date: int, log: str) -> None:
    """Sign packages in place, before anything is computed from them (rpmsign(8))."""
    environment = _command.base_environment(**({"GNUPGHOME": gnupg_home} if gnupg_home else {}))
    try:
        macros = {
            "_gpg_name": key,
            "__gpg": "/usr/bin/gpg",
            "_gpg_sign_cmd_extra_args": f"--faked-system-time {_signing_time(key, date, environment)}!",
        }
        defined = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        argv = ["rpmsign", *defined, "--addsign", *paths]
        _command.run(argv, environment=environment, timeout=600, log=log)
    except DistrogateError as error:
        raise DistrogateError(
            "no_signing_key",
            f"The packages could not be signed with key {key} of {gnupg_home}: {error.message}",
        ) from error
