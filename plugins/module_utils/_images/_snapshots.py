# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What state apt repositories have at this moment: the digest and the date of their InRelease files."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import email.utils
import hashlib
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import digest_json
from ansible_collections.distrogate.ci.plugins.module_utils._images._fetch import Fetcher, MissingError

_FIELD = re.compile(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_DATE = re.compile(rb"^Date:[ \t]*(.{10,60})$", re.MULTILINE)
_OFF = ("no", "false", "without", "off", "disable", "0")
_MOST = 64  # suites of one text
_AT_ONCE = 4
LIMIT = 32 << 20  # bytes of an InRelease file


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One state: ``digest`` as sha256:…, ``date`` in seconds since the epoch (0: not known)."""

    digest: str
    date: int


def suites_of(text: str) -> list[tuple[str, str]]:
    """Each address and suite that deb822 text names, in its order. Error ``bad_sources``."""
    found: list[tuple[str, str]] = []
    plain = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for block in re.split(r"\n(?:[ \t]*\n)+", plain):
        fields = {name.lower(): value for name, value in _FIELD.findall(block)}
        if not fields or fields.get("enabled", "yes").strip().lower() in _OFF:
            continue
        pairs = [(u, s) for u in fields.get("uris", "").split() for s in fields.get("suites", "").split()]
        if not pairs:
            raise DistrogateError("bad_sources", f"A stanza has no URIs or no Suites: {block[:200]!r}.")
        found += [pair for pair in pairs if pair not in found]
    if len(found) > _MOST:
        raise DistrogateError("bad_sources", f"There are {len(found)} suites: it takes {_MOST} at most.")
    return found


def snapshots_of(text: str, fetcher: Fetcher, pinned: t.Container[str] = ()) -> dict[str, Snapshot]:
    """The state of each suite in deb822 text, by its name; ``pinned`` names are not looked at.

    Errors: ``unreachable``, ``bad_sources``.
    """
    pairs = [pair for pair in suites_of(text) if pair[1] not in pinned]
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        states = list(pool.map(lambda pair: _state(pair[0], pair[1], fetcher), pairs))
    by_suite: dict[str, list[Snapshot]] = {}
    for (_address, suite), state in zip(pairs, states):
        by_suite.setdefault(suite, []).append(state)
    return {suite: _one(found) for suite, found in by_suite.items()}


def _one(found: list[Snapshot]) -> Snapshot:
    """Several addresses may have a suite of one name."""
    if len(found) == 1:
        return found[0]
    return Snapshot(digest_json([one.digest for one in found]), max(one.date for one in found))


def _state(address: str, suite: str, fetcher: Fetcher) -> Snapshot:
    base = address.rstrip("/")
    folder = f"{base}/{suite.strip('/')}" if suite.endswith("/") else f"{base}/dists/{suite}"
    folder = base if suite in ("/", "./") else folder
    for name in ("InRelease", "Release"):
        try:
            data = fetcher.read(f"{folder}/{name}", LIMIT)
        except MissingError:
            continue
        return Snapshot("sha256:" + hashlib.sha256(data).hexdigest(), _date(data))
    raise DistrogateError(
        "unreachable",
        f"{folder} has neither InRelease nor Release: the repository is gone, or its address or suite is"
        " wrong. Correct it, or pin its state with snapshots.",
    )


def _date(data: bytes) -> int:
    """RFC 2822, as apt-ftparchive and its kin write it; 0 when it is none."""
    match = _DATE.search(data)
    try:
        return int(email.utils.parsedate_to_datetime(match[1].decode("ascii")).timestamp()) if match else 0
    except (ValueError, TypeError, OverflowError):
        return 0
