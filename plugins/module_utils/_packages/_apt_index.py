# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metadata of an apt repository: Packages, by-hash, Release, InRelease."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import time
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import sha256_file
from ansible_collections.distrogate.ci.plugins.module_utils._packages._deb import read_deb
from ansible_collections.distrogate.ci.plugins.module_utils._packages._gpg import Signs
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import (
    Json,
    Package,
    Rendered,
    Shown,
)

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+-]{0,99}")
_ARCHITECTURE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


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


def compress(data: bytes) -> bytes:
    """gzip without a time or a name in it: the same contents give the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=6, mtime=0) as stream:
        stream.write(data)
    return buffer.getvalue()


class Apt:
    """One suite of an apt repository; ``group`` is the component that packages go to."""

    kind = "deb"

    def __init__(self, params: Json) -> None:
        self.scope = word("suite", params["suite"], slashes=True)
        self.group = word("component", params["component"])
        self.switch = f"dists/{self.scope}/InRelease"
        self._params = params
        for architecture in params.get("architectures") or []:
            if not _ARCHITECTURE.fullmatch(architecture) or architecture in ("all", "source"):
                raise DistrogateError(
                    "bad_name", f"{architecture!r} in architectures is not a machine architecture."
                )

    def read(self, path: str) -> Package:
        """Read a .deb; its place follows Debian's pool."""
        facts = read_deb(path)
        source, version = facts["source"], facts["version"].partition(":")[2] or facts["version"]
        prefix = source[:4] if source.startswith("lib") else source[0]
        name = f"{facts['name']}_{version}_{facts['architecture']}.deb"
        return Package(
            name=facts["name"],
            version=facts["version"],
            architecture=facts["architecture"],
            sha256=sha256_file(path),
            size=os.path.getsize(path),
            file=f"pool/{self.group}/{prefix}/{source}/{name}",
            group=self.group,
            index={"control": facts["control"]},
        )

    def settings(self, old: Json) -> Json:
        """Options that are not given keep what the suite has."""
        given = self._params
        kept = {name: line(name, given.get(name) or old.get(name, "")) for name in ("origin", "label")}
        return {
            **kept,
            "architectures": sorted(set(given.get("architectures") or old.get("architectures", ["amd64"]))),
            "components": sorted({*old.get("components", []), self.group}),
        }

    def render(self, shown: list[Shown], settings: Json, moment: int, signer: Signs) -> Rendered:
        """The indexes of each component and architecture, and the signed Release."""
        components = sorted({*settings["components"], *(one.package.group for one in shown)})
        machines = {one.package.architecture for one in shown} - {"all"}
        architectures = sorted({*settings["architectures"], *machines})
        indexes: dict[str, bytes] = {}
        for component in components:
            stanzas = [
                (one.package.architecture, _stanza(one)) for one in shown if one.package.group == component
            ]
            for architecture in architectures:
                text = "\n".join(stanza for fits, stanza in stanzas if fits in (architecture, "all"))
                data = text.encode("utf-8")
                indexes[f"{component}/binary-{architecture}/Packages"] = data
                indexes[f"{component}/binary-{architecture}/Packages.gz"] = compress(data)
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in indexes.items()}
        listing = [f" {digests[name]} {len(indexes[name])} {name}" for name in sorted(indexes)]
        release = self._release(settings, moment, architectures, components, listing)
        base = f"dists/{self.scope}/"
        return Rendered(
            addressed={
                f"{base}{os.path.dirname(name)}/by-hash/SHA256/{digests[name]}": data
                for name, data in indexes.items()
            },
            named={
                **{base + name: data for name, data in indexes.items()},
                f"{base}Release": release,
                f"{base}Release.gpg": signer.detached(release),
            },
            switch=(self.switch, signer.clear(release)),
        )

    def _release(
        self,
        settings: Json,
        moment: int,
        architectures: list[str],
        components: list[str],
        listing: list[str],
    ) -> bytes:
        days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # never in the locale's language
        months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
        at = time.gmtime(moment)
        date = time.strftime(f"{days[at.tm_wday]}, %d {months[at.tm_mon - 1]} %Y %H:%M:%S UTC", at)
        fields = [
            *([("Origin", settings["origin"])] if settings["origin"] else []),
            *([("Label", settings["label"])] if settings["label"] else []),
            ("Suite", self.scope),
            ("Codename", self.scope),
            ("Date", date),
            ("Acquire-By-Hash", "yes"),
            ("Architectures", " ".join(architectures)),
            ("Components", " ".join(components)),
        ]
        lines = [f"{name}: {value}" for name, value in fields]
        return ("\n".join([*lines, "SHA256:", *listing]) + "\n").encode("utf-8")

    def sources(self, settings: Json, key: str) -> str:
        """A deb822 source with the key in it: one file is all that a client needs."""
        url = repository_url(self._params)
        armor = "\n".join(" " + (text or ".") for text in key.strip().split("\n"))
        components = " ".join(settings["components"])
        return (
            f"Types: deb\nURIs: {url}\nSuites: {self.scope}\nComponents: {components}\nSigned-By:\n{armor}\n"
        )


def _stanza(one: Shown) -> str:
    package = one.package
    return (
        f"{package.index['control']}\nFilename: {one.path}\nSize: {package.size}\nSHA256: {package.sha256}\n"
    )


def repository_url(params: t.Mapping[str, t.Any]) -> str:
    """Where clients find the repository: ``url``, or its folder on this host."""
    url = params.get("url") or "file://" + urllib.parse.quote(os.path.abspath(params["root"]))
    if not url.isprintable() or " " in url:
        raise DistrogateError("bad_name", f"url {url!r} has spaces or control characters.")
    return str(url).rstrip("/")
