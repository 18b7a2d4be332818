# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The image that a channel or a version names: fetched once, and believed only when all of it is right."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._images._fetch import Fetcher, MissingError
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_files import SUMS
from ansible_collections.distrogate.ci.plugins.module_utils._images._published_files import (
    ChangedError,
    Limits,
    Published,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._published_key import check_signature
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Image, Store

SIGNATURE = SUMS + ".asc"
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+~-]{0,63}")
_TRIES = 3  # the channel moves while it is read
_SMALL = 8 << 20


@dataclasses.dataclass(frozen=True)
class Place:
    """Where images are published: ``root`` is a path or address, ``key`` a file with who must have signed."""

    root: str
    channel: str
    key: str = ""

    def address(self, store: Store, name: str) -> str:
        return f"{self.root.rstrip('/')}/{store.name}/{self.channel}/{name}"


def checked_channel(name: str) -> str:
    """A channel or a version. Error ``bad_request``."""
    if not _CHANNEL.fullmatch(name):
        raise DistrogateError("bad_request", f"{name[:100]!r} is neither a channel nor a version.")
    return name


def sums_of(place: Place, store: Store, fetcher: Fetcher) -> bytes | None:
    """The published SHA256SUMS, its signature checked; None when the channel names nothing.

    Errors: ``bad_signature``, ``unreachable``.
    """
    address = place.address(store, SUMS)
    for last in (False, False, True):
        try:
            sums = fetcher.read(address, _SMALL)
        except MissingError:
            return None
        if not place.key:
            return sums
        try:
            signature = fetcher.read(place.address(store, SIGNATURE), _SMALL)
        except MissingError as error:
            raise DistrogateError(
                "bad_signature",
                f"{address} has no signature ({SIGNATURE}), and published_key asks for one.",
            ) from error
        try:
            check_signature(sums, signature, place.key, address)
            return sums
        except DistrogateError:
            if last or fetcher.read(address, _SMALL) == sums:
                raise
    return None


def fetch(place: Place, store: Store, formats: t.Collection[str], limits: Limits) -> Image | None:
    """The published image, below ``store.home``; None when the channel names nothing.

    Errors: ``bad_signature``, ``bad_checksum`` (both say of what), ``bad_published``, ``unreachable``.
    """
    store.make()
    fetcher = Fetcher(limits.timeout)
    for number in range(_TRIES):
        sums = sums_of(place, store, fetcher)
        if sums is None:
            return None
        try:
            published = Published(store, sums, place.address(store, ""), fetcher)
            return published.image(formats, limits)
        except ChangedError as error:
            again = sums_of(place, store, fetcher) if number + 1 < _TRIES else sums
            if again == sums:
                raise error.error from error
    raise DistrogateError("bad_published", f"{place.address(store, '')} never rests. Try again later.")


def predict(place: Place, store: Store, limits: Limits) -> tuple[str, Image | None] | None:
    """The key of the published image, and the image if it is here; None when the channel names nothing."""
    fetcher = Fetcher(limits.timeout)
    sums = sums_of(place, store, fetcher)
    if sums is None:
        return None
    published = Published(store, sums, place.address(store, ""), fetcher)
    image = published.there(limits.full)
    return (image.key if image else str(published.facts()["key"])), image
