# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A reader that polls until its standard input ends, in a process of its own; prints what it saw as JSON.

PYTHON -m ansible_collections.distrogate.ci.tests.faults.poller apt PATH_OR_URL SUITE PAUSE [NAME=VERSION]

With a package it reads a snapshot, which has that one and no other.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import posixpath
import random
import sys
import threading
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.tests.faults.reading import (
    READ,
    Fetch,
    MismatchError,
)


@contextlib.contextmanager
def fetching(where: str) -> t.Iterator[Fetch]:
    """Fetch from a folder, or from a URL over one connection."""
    if not where.startswith("http:"):
        yield lambda name: (pathlib.Path(where) / name).read_bytes()
        return
    url = urllib.parse.urlsplit(where)
    connection = http.client.HTTPConnection(url.netloc, timeout=60)

    def fetch(name: str) -> bytes:
        connection.request("GET", posixpath.normpath(f"{url.path}/{name}"))
        answer = connection.getresponse()
        data = answer.read()
        if answer.status == 404:
            raise FileNotFoundError(name)
        assert answer.status == 200, f"{name}: {answer.status}"
        return data

    with contextlib.closing(connection):
        yield fetch


def poll(
    kind: str, where: str, suite: str, pause: float, only: str, over: threading.Event
) -> dict[str, t.Any]:
    """Read everything by digest, and one package, again and again; ``only`` is all that there may be."""
    polls, mismatches, chance = 0, [], random.Random()
    with fetching(where) as fetch:
        while not over.is_set():
            try:
                found = READ[kind](fetch, suite, pause)
                if only and set(found) != {only}:
                    raise MismatchError(f"the snapshot shows {sorted(found)}")
                found[chance.choice(sorted(found))].check(fetch)
            except (MismatchError, FileNotFoundError) as error:
                mismatches.append(f"{where}, {pause:g} s: {error}")
            polls += 1
    return {"polls": polls, "mismatches": mismatches}


def main(kind: str, where: str, suite: str, pause: str, only: str = "") -> None:
    """Poll until standard input ends."""
    over = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait, daemon=True).start()
    print(json.dumps(poll(kind, where, suite, float(pause), only, over)))


if __name__ == "__main__":
    main(*sys.argv[1:])
