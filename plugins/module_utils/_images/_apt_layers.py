# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Repositories above the distribution, as apt in a build place sees them."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._images._request import Repository

# What the host gives appears here, inside the place and inside the tree; an image keeps nothing of it.
FOLDER = "/run/distrogate"
_FIELD = re.compile(r"^(URIs|Signed-By):[ \t]*(.*(?:\n[ \t].*)*)$", re.MULTILINE | re.IGNORECASE)
_LOCAL = re.compile(r"(?:file|copy):(?://)?(/.*)")
_REMOTE = re.compile(r"https?://[^\s/]")
_TYPES = re.compile(r"^Types:.*\bdeb\b", re.MULTILINE | re.IGNORECASE)


def layers(repositories: t.Sequence[Repository]) -> tuple[list[str], dict[str, str]]:
    """The text of each repository for apt inside, and what must be visible there (path inside: outside).

    Local folders and files with keys are given places of their own. Error ``bad_repository``.
    """
    texts: list[str] = []
    binds: dict[str, str] = {}
    for number, repository in enumerate(repositories):
        text = "\n".join(line for line in repository.text.splitlines() if not line.startswith("#"))
        if not _TYPES.search(text):
            raise _bad(repository.text, "it is no deb822 text with a line Types: deb")
        texts.append(_FIELD.sub(lambda match, n=number: _field(match, n, binds), text.strip("\n")) + "\n")  # type: ignore[misc]
    return texts, binds


def _field(match: re.Match[str], number: int, binds: dict[str, str]) -> str:
    name, value = match[1], match[2]
    if name.lower() == "signed-by":
        if not value.strip().startswith("/"):
            return match[0]  # the key itself, or fingerprints
        words = [_seen(path, f"{number}-key", binds) for path in value.split()]
        return f"{name}: {' '.join(words)}"
    words = []
    for uri in value.split():
        local = _LOCAL.fullmatch(uri)
        if local:
            words.append("file:" + _seen(local[1], f"{number}-folder", binds))
        elif _REMOTE.match(uri):
            words.append(uri)
        else:
            raise _bad(uri, "its address is none of http, https and file")
    return f"{name}: {' '.join(words)}"


def _seen(path: str, kind: str, binds: dict[str, str]) -> str:
    """Where a path of the host is seen inside."""
    if not os.path.exists(path):
        raise _bad(path, "there is no such file or folder on this host")
    inside = f"{FOLDER}/{kind}-{len(binds)}{os.path.splitext(path)[1] if os.path.isfile(path) else ''}"
    binds[inside] = os.path.realpath(path)
    return inside


def _bad(what: str, why: str) -> DistrogateError:
    return DistrogateError(
        "bad_repository", f"The repository {what[:300]!r} cannot be used: {why}. Correct repositories."
    )
