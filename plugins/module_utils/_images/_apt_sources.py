# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The apt sources that this machine itself uses, so that nothing here names a mirror."""

from __future__ import annotations

import glob
import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_KEYRINGS = re.compile(r"(debian|ubuntu)-archive-keyring")
_ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$"
)
# Names of fields count in any case; these are the ones that are looked at
_NAMES = {name.lower(): name for name in ("Types", "URIs", "Suites", "Components", "Signed-By", "Enabled")}
_OFF = ("no", "false", "without", "off", "disable", "0")  # as apt reads a boolean


def codename(root: str = "/") -> str:
    """VERSION_CODENAME of os-release(5)."""
    with open(os.path.join(root, "etc/os-release"), encoding="utf-8") as stream:
        for line in stream:
            key, _equals, value = line.strip().partition("=")
            if key == "VERSION_CODENAME":
                return value.strip('"')
    raise DistrogateError(
        "no_codename", f"{root}etc/os-release has no VERSION_CODENAME. Give the option suite."
    )


def _stanzas(path: str) -> t.Iterator[dict[str, str]]:
    """Sources of one file, in either format of sources.list(5), as deb822 fields."""
    with open(path, encoding="utf-8") as stream:
        lines = [line.rstrip() for line in stream if not line.startswith("#")]
    if path.endswith(".list"):
        for line in lines:
            match = _ONE_LINE.match(line.split(" #")[0].strip())
            if match:
                fields = {"Types": "deb", "URIs": match["uri"], "Suites": match["suite"]}
                fields["Components"] = match["components"].strip()
                signed = re.search(r"signed-by=(\S+)", match["options"] or "")
                yield {**fields, "Signed-By": signed[1]} if signed else fields
        return
    for block in "\n".join(lines).split("\n\n"):
        found = re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", block, re.MULTILINE)
        yield {_NAMES.get(name.lower(), name): value for name, value in found}


def machine_sources(suite: str | None = None, types: str = "deb", root: str = "/") -> str:
    """The distribution's own sources of this machine as deb822 text.

    Third parties' sources are left out: only suites of ``suite`` (the
    machine's codename) count, and only with the distribution's keyring where
    a key is named. Error ``no_apt_sources`` when none is left.
    """
    wanted = suite or codename(root)
    base = os.path.join(root, "etc/apt")
    parts = sorted(glob.glob(os.path.join(base, "sources.list.d", "*")))
    files = [os.path.join(base, "sources.list"), *parts]
    texts = []
    for path in files:
        if not path.endswith((".list", ".sources")) or not os.path.exists(path):
            continue
        for fields in _stanzas(path):
            suites = [
                s
                for s in fields.get("Suites", "").split()
                if s == wanted or s.startswith((f"{wanted}-", f"{wanted}/"))
            ]
            if (
                not suites
                or fields.get("Enabled", "yes").strip().lower() in _OFF
                or "deb" not in fields.get("Types", "").split()
            ):
                continue
            if "Signed-By" in fields and not _KEYRINGS.search(fields["Signed-By"]):
                continue
            kept = {**fields, "Types": types, "Suites": " ".join(suites)}
            texts.append("".join(f"{key}: {value}\n" for key, value in kept.items()))
    if not texts:
        raise DistrogateError(
            "no_apt_sources",
            f"This machine's apt has no source of {wanted}. Give the option sources (deb822 text).",
        )
    return "\n".join(texts)
