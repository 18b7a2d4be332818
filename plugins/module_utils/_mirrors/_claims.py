# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who works on a mirror: files in its ``.distrogate/claims``, of which a worker must see its own alone.

A mirror can compare nothing and lock nothing: it can store a file, and show
what is stored. So a worker first writes its claim and then looks; it goes on
only when its look shows no other claim. Of two that both looked so, one wrote
after the other had looked, so after the other's claim was there, and must have
seen it: hence they were not two. That needs no clock. A clock is needed
only for the claims of workers that are dead.
"""

from __future__ import annotations

import datetime
import getpass
import hashlib
import json
import os
import re
import secrets
import socket
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._mirrors._paths import printable

CLAIMS = b".distrogate/claims"
CLAIM_LIMIT = 4096
SECONDS = 120
_LONGEST = 86400
_ID = re.compile(r"[0-9a-f]{32}")


class Claim(t.NamedTuple):
    """One worker. It is stale when it lay unchanged for ``seconds``, by the clock of who looks.

    ``id`` is random, ``holder`` is for people (user, process, host), and
    ``since`` changes with each writing.
    """

    id: str
    holder: str
    since: str
    seconds: int

    @property
    def name(self) -> bytes:
        """Its file on the mirror."""
        return CLAIMS + b"/" + os.fsencode(self.id) + b".json"

    def renewed(self) -> Claim:
        """The same, written now."""
        return self._replace(since=datetime.datetime.now(datetime.timezone.utc).isoformat())

    def to_bytes(self) -> bytes:
        return json.dumps(self._asdict()).encode() + b"\n"


def new_claim(seconds: int = SECONDS) -> Claim:
    """A claim of this process, with an id that nobody else has."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    holder = f"{user}, process {os.getpid()} on {socket.gethostname()}"
    return Claim(secrets.token_hex(16), holder, "", seconds).renewed()


def claim_name(identity: str) -> bytes:
    """The file of the claim with that id. Error ``bad_name`` for what is no id."""
    if not _ID.fullmatch(identity):
        raise DistrogateError("bad_name", f"{identity!r} is not the id of a claim.")
    return CLAIMS + b"/" + identity.encode() + b".json"


def parse_claim(name: str, data: bytes) -> Claim:
    """A claim as it lies on a mirror. One that nobody can read counts as well: it is known by its bytes."""
    identity = name[: -len(".json")]
    try:
        value = parse_json(data, name, CLAIM_LIMIT)
        holder, since, seconds = value["holder"], value["since"], value["seconds"]
        if not (isinstance(holder, str) and isinstance(since, str) and _is_number(seconds)):
            raise TypeError(name)
        return Claim(identity, _plain(holder), since, min(max(1, seconds), _LONGEST))
    except (DistrogateError, KeyError, TypeError):
        return Claim(identity, "somebody unknown", hashlib.sha256(data).hexdigest(), SECONDS)


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(text: str) -> str:
    return printable(text.encode("utf-8", "backslashreplace"))[:200]


class Watch:
    """Which of the claims seen are stale: those that lay unchanged for their seconds by our clock."""

    def __init__(self, clock: t.Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[Claim, float]] = {}

    def stale(self, claims: t.Iterable[Claim]) -> list[Claim]:
        """To be called with the claims of each look, all but ours."""
        now, before = self._clock(), self._seen
        self._seen = {
            claim.id: before[claim.id] if before.get(claim.id, (None, 0.0))[0] == claim else (claim, now)
            for claim in claims
        }
        return [claim for claim, since in self._seen.values() if now - since >= claim.seconds]
