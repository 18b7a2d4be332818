# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What image.json says, which may be a stranger's word."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._images._image_files import IMAGE

FORMAT = 1
KEY = re.compile(r"sha256:([0-9a-f]{64})")
_WORDS = ("name", "format", "sha256")  # of a file
_BOOT = ("kernel", "initrd", "append")


def wrong(facts: t.Any, name: str, key: str) -> str:
    """Why this is not the image.json of the image; empty when it is."""
    if not isinstance(facts, dict) or facts.get("version") != FORMAT:
        return f"{IMAGE} has not the version {FORMAT}"
    if facts.get("name") != name or not KEY.fullmatch(str(facts.get("key"))):
        return f"{IMAGE} is that of another image"
    if key and facts["key"] != key:
        return f"{IMAGE} names another key"
    return contents_wrong(facts)


def contents_wrong(facts: dict[str, t.Any]) -> str:
    """Why what image.json says of files cannot be used, be it a stranger's; empty when it can."""
    files, boot = facts.get("files"), facts.get("boot")
    if not isinstance(files, list) or not isinstance(facts.get("inputs"), dict):
        return f"{IMAGE} has no files or inputs"
    for one in files:
        if not isinstance(one, dict) or not all(isinstance(one.get(word), str) for word in _WORDS):
            return f"{IMAGE} has a file without {', '.join(_WORDS)}"
        if not _is_name(one["name"]) or not isinstance(one.get("size"), int):
            return f"{IMAGE} has a file {one['name'][:100]!r}, which has no name or size of a file"
    if not isinstance(boot, dict) or not all(isinstance(boot.get(word), str) for word in _BOOT):
        return f"{IMAGE} has no entry boot with {', '.join(_BOOT)}"
    if not all(not boot[word] or _is_name(boot[word]) for word in _BOOT[:2]):
        return f"{IMAGE} has a kernel or initrd with a name that is none of a file beside it"
    return ""


def _is_name(name: str) -> bool:
    return name not in ("", ".", "..") and "/" not in name and name.isprintable()
