# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of the OCI distribution specification, from strangers: registries, repositories, tags, digests."""

from __future__ import annotations

import ipaddress
import re
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

_PART = r"[a-z0-9]+(?:(?:\.|__|_|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9a-fA-F:.]{2,45}\]")
_FIELD = re.compile(r"\{([a-z]*)\}")
_LONGEST = 255  # of a repository's name


class Origin(t.NamedTuple):
    """Where a registry, or a server that it names, is reached."""

    scheme: str
    host: str  # as in an address: IPv6 in brackets
    port: int

    @property
    def netloc(self) -> str:
        """HOST or HOST:PORT, as references to images begin."""
        usual = 443 if self.scheme == "https" else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}"


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def origin_of(address: str) -> Origin | None:
    """The origin of an address, if it is one that may be asked: https, or http on this machine."""
    if not all("!" <= character <= "~" for character in address):
        return None  # urlsplit would drop some of these
    try:
        parts = urllib.parse.urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if "@" in parts.netloc:
        return None
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(host) or port == 0:
        return None
    if parts.scheme == "http" and not _loopback(host):
        return None  # passwords and manifests would be in the open
    return Origin(parts.scheme, host.lower(), port or (443 if parts.scheme == "https" else 80))


def joined(address: str, location: str) -> str:
    """Where a Location leads from an address; "" for what is no address, on which urljoin raises."""
    try:
        return urllib.parse.urljoin(address, location)
    except ValueError:
        return ""


def checked_registry(address: t.Any) -> Origin:
    """A registry as bundles and options name it."""
    origin = origin_of(address) if isinstance(address, str) and len(address) < 512 else None
    if origin is None or address.rstrip("/").count("/") != 2 or set(address) & set("?#\\"):
        raise DistrogateError(
            "bad_name",
            f"{address!r} is no registry. Write https://HOST or https://HOST:PORT; http is for this machine's"
            " own addresses only.",
        )
    return origin


def checked_repository(name: t.Any) -> str:
    """A repository's name."""
    if not isinstance(name, str) or len(name) > _LONGEST or not _REPOSITORY.fullmatch(name):
        raise DistrogateError(
            "bad_name",
            f"{_short(name)} is no repository: parts of a-z and 0-9, joined by . _ __ - and /, at most"
            f" {_LONGEST} characters.",
        )
    return name


def checked_tag(tag: t.Any) -> str:
    """A tag."""
    if not isinstance(tag, str) or not _TAG.fullmatch(tag):
        raise DistrogateError(
            "bad_name",
            f"{_short(tag)} is no tag: letters, digits and _.- not beginning with . or -, at most 128.",
        )
    return tag


def is_digest(digest: t.Any) -> bool:
    """Whether it is ``sha256:`` and 64 digits; no other algorithm is taken."""
    return isinstance(digest, str) and _DIGEST.fullmatch(digest) is not None


def filled(template: str, values: t.Mapping[str, str | None]) -> str | None:
    """A template with its ``{fields}`` replaced; None when one of them has no value in this promotion."""
    fields = _FIELD.findall(template)
    unknown = sorted(set(fields) - set(values))
    if unknown:
        raise DistrogateError(
            "bad_name", f"{_short(template)} has no meaning for {unknown}; it may name {sorted(values)}."
        )
    if any(values[field] is None for field in fields):
        return None
    return _FIELD.sub(lambda found: str(values[found.group(1)]), template)


def _short(value: t.Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
