# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which indexes an apt repository has, and which tables each is made of.

A table is named COMPONENT/ARCHITECTURE; that of udebs
COMPONENT/debian-installer/ARCHITECTURE, that of sources COMPONENT/source.
"""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Index, Json, Table

INSTALLER = "debian-installer"


def suite_indexes(tables: t.Mapping[str, Table], settings: Json) -> list[Index]:
    """Packages of each component and architecture, Sources and Contents where there are any."""
    architectures = architectures_of(tables, settings)
    found = []
    for component in _components(tables, settings):
        for architecture in architectures:
            binary = tuple(f"{component}/{one}" for one in (architecture, "all"))
            found.append(Index(f"{component}/binary-{architecture}/Packages", binary, 0))
            if settings["contents"]:
                found.append(Index(f"{component}/Contents-{architecture}", binary, 1))
        found.extend(_installer(component, architectures, tables))
        if has_sources(tables):  # in each component: apt asks for it in all that a client has
            found.append(Index(f"{component}/source/Sources", (f"{component}/source",), 0))
    return found


def flat_indexes(tables: t.Mapping[str, Table], settings: Json) -> list[Index]:
    """One of each kind, for all components and architectures."""
    binary = tuple(sorted(table for table in tables if not table.endswith("/source")))
    found = [Index("Packages", binary, 0)]
    if settings["contents"]:
        plain = tuple(table for table in binary if INSTALLER not in table.split("/"))
        found.append(Index("Contents", plain, 1))
    if has_sources(tables):
        sources = tuple(f"{component}/source" for component in _components(tables, settings))
        found.append(Index("Sources", sources, 0))
    return found


def architectures_of(tables: t.Mapping[str, Table], settings: Json) -> list[str]:
    """Machines' architectures: those that are asked for, and those of packages."""
    machines = {table.rpartition("/")[2] for table, refs in tables.items() if refs} - {"all", "source"}
    return sorted({*settings["architectures"], *machines})


def has_installer(component: str, tables: t.Iterable[str]) -> bool:
    """Whether a component has udebs."""
    return any(table.startswith(f"{component}/{INSTALLER}/") for table in tables)


def has_sources(tables: t.Iterable[str]) -> bool:
    """Whether there are source packages."""
    return any(table.endswith("/source") for table in tables)


def _components(tables: t.Iterable[str], settings: Json) -> list[str]:
    return sorted({*settings["components"], *(table.split("/")[0] for table in tables)})


def _installer(component: str, architectures: list[str], tables: t.Mapping[str, Table]) -> t.Iterator[Index]:
    if not has_installer(component, tables):
        return
    for architecture in architectures:
        names = tuple(f"{component}/{INSTALLER}/{one}" for one in (architecture, "all"))
        yield Index(f"{component}/{INSTALLER}/binary-{architecture}/Packages", names, 0)
