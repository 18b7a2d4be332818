# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who works on a mirror: files in its ``.distrogate/claims``, of which a worker must see its own alone."""

from __future__ import annotations

import typing as t

CLAIMS = b".distrogate/claims"


class Claim(t.NamedTuple):
    """One worker. It is stale when it lay unchanged for ``seconds``, by the clock of who looks.

    ``id`` is random, ``holder`` is for people (user, process, host), and
    ``since`` changes with each writing.
    """

    id: str
    holder: str
    since: str
    seconds: int


def new_claim(seconds: int = 120) -> Claim:
    """A claim of this process, with an id that nobody else has."""
    raise NotImplementedError
