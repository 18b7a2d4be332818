# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history page: the parts of it that are always the same, put together with what happened."""

from __future__ import annotations

import html
import os
import sqlite3
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._history import history
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._history_files import Folder, script
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import Store

_PARTS = os.path.join(os.path.dirname(__file__), "_history_page")
_SCRIPTS = ("1-base.js", "2-views.js", "3-bundle.js")

Json = dict[str, t.Any]


def _part(name: str) -> str:
    with open(os.path.join(_PARTS, name), encoding="utf-8") as stream:
        return stream.read()


def write_page(
    connection: sqlite3.Connection, store: Store, keys: KnownKeys, folder: Folder, *, title: str, newest: int
) -> Json:
    """Put the page into ``folder``; returns the overview."""
    folder.begin()

    def emit(digest: str, page: Json) -> str:
        return folder.add(f"bundle-{digest}", "js", script(f"bundle-{digest}", page))

    overview, search = history(connection, store, keys.keyids, emit, title=title, newest=newest)
    overview["search"] = folder.add("search", "js", script("search", search))
    names = {
        "css": folder.add("page", "css", _part("page.css")),
        "js": folder.add("page", "js", "\n".join(_part(name) for name in _SCRIPTS)),
        "data": folder.add("history", "js", script("history", overview)),
        "title": html.escape(title),
    }
    index = _part("page.html")
    for name, value in names.items():  # the title last: it may hold what looks like a place for something
        index = index.replace(f"@{name}@", value)
    folder.finish(index)
    return overview
