# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that become paths, fields and addresses, checked."""

from __future__ import annotations

import os
import re
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+-]{0,99}")


def word(name: str, value: str, slashes: bool = False) -> str:
    """An option that becomes a path and a field: no spaces, no dots at the front."""
    parts = value.split("/") if slashes else [value]
    if not all(_WORD.fullmatch(part) for part in parts):
        raise DistrogateError("bad_name", f"{name} {value!r} may have letters, digits and ._~+- only.")
    return value


def line(name: str, value: str) -> str:
    """An option that becomes one line of text."""
    if not value.isprintable():
        raise DistrogateError("bad_name", f"{name} {value!r} has line breaks or control characters.")
    return value


def repository_url(params: t.Mapping[str, t.Any]) -> str:
    """Where clients find the repository: ``url``, or its folder on this host."""
    url = params.get("url") or "file://" + urllib.parse.quote(os.path.abspath(params["root"]))
    if not url.isprintable() or " " in url:
        raise DistrogateError("bad_name", f"url {url!r} has spaces or control characters.")
    return str(url).rstrip("/")
