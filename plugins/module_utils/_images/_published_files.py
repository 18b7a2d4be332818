# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a published image: fetched where the very same are not here, each compared with its digest."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core import _sandbox
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside, parse_json
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._images._fetch import Fetcher, MissingError
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_facts import (
    FORMAT,
    KEY,
    contents_wrong,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._image_files import (
    IMAGE,
    LOG,
    PACKAGES,
    PUBLISHED,
    ROOT,
    ROOT_DIGEST,
    SUMS,
    parse_sums,
    sync_image,
    write_root_digest,
    write_sums,
)
from ansible_collections.distrogate.ci.plugins.module_utils._images._place import BuildPlace
from ansible_collections.distrogate.ci.plugins.module_utils._images._store import Image, Store

_SMALL = 8 << 20
_LARGEST = 64 << 40


@dataclasses.dataclass(frozen=True)
class Limits:
    """How to fetch: ``full`` reads again what is here; ``free_space`` bytes must stay free."""

    log: str
    timeout: float
    free_space: int
    full: bool
    say: t.Callable[[str], None]


class ChangedError(Exception):
    """A file does not fit the checksums: those may be of another moment."""

    def __init__(self, error: DistrogateError) -> None:
        super().__init__(error.message)
        self.error = error


class Published:
    """One published state, by the text of its SHA256SUMS; ``address`` ends in a slash."""

    def __init__(self, store: Store, sums: bytes, address: str, fetcher: Fetcher) -> None:
        self.store, self.address, self.fetcher = store, address, fetcher
        self.digests = parse_sums(sums.decode("utf-8", "replace"), address + SUMS)
        self.folder = inside(inside(store.home, PUBLISHED), hashlib.sha256(sums).hexdigest())

    def image(self, formats: t.Collection[str], limits: Limits) -> Image:
        """The image with all its files here, brought unless they are."""
        os.makedirs(os.path.dirname(self.folder), exist_ok=True)
        with file_lock(os.path.join(self.store.home, PUBLISHED, "lock"), limits.timeout):
            image = self.there(limits.full)
            if image is not None and not self.store.use(image.path):
                image = None
            if image is None or not {*formats} <= {*image.facts["formats"]}:
                self._bring(formats, limits)
                image = self.store.at(self.folder)
        if image is None:
            raise DistrogateError("damaged_image", f"Somebody removed {self.folder}. Run it again.")
        return image

    def there(self, full: bool) -> Image | None:
        try:
            return self.store.at(self.folder, full=full)
        except DistrogateError as error:
            if error.reason != "damaged_image":
                raise
            return None

    def _bring(self, formats: t.Collection[str], limits: Limits) -> None:
        facts = self.facts()
        self._check_formats(formats)
        name = self.store.name
        limited = {"timeout": limits.timeout, "free_space": limits.free_space, "say": limits.say}
        with BuildPlace(self.store.output, name, log=limits.log, **t.cast(t.Any, limited)) as place:
            new = os.path.join(place.place, "image")
            os.mkdir(new)
            os.chmod(new, 0o755)
            self._check_room(place, facts, ROOT in formats)
            with place.full_disk():
                digests = self._filled(place, facts, new, limits)
                if ROOT in formats:
                    limits.say(f"unpacks {name}.tar")
                    archive, root = os.path.join(new, f"{name}.tar"), os.path.join(new, ROOT)
                    _sandbox.unpack(archive, root, limits.log, timeout=max(1, place.remaining()))
                    place.check()
                    digests[ROOT_DIGEST] = write_root_digest(new, place.remaining())
                write_sums(new, digests)
                sync_image(new)
                self.store.put_away(self.folder)
                self.store.put(new, self.folder)
            self.store.remember(self.folder, digests)

    def _filled(self, place: BuildPlace, facts: dict[str, t.Any], new: str, limits: Limits) -> dict[str, str]:
        """Have the image's files in the folder ``new``; returns their digests. Others are not taken."""
        digests: dict[str, str] = {}
        for one, digest in sorted(self.digests.items()):
            own = self._own_name(one)
            if not one.startswith(f"{self.store.name}.") or own == ROOT_DIGEST:
                continue
            if own in digests:
                raise self._bad(f"names {own} twice")
            digests[own] = digest
            if not self._linked(facts, os.path.join(new, own), digest):
                limits.say(f"fetches {one}")
                self._copy(place, one, digest, os.path.join(new, own))
        return digests

    def _check_room(self, place: BuildPlace, facts: dict[str, t.Any], root: bool) -> None:
        """Before anything is fetched: what image.json says of sizes must fit; who lies is stopped later."""
        sizes = {str(one["name"]): max(0, one["size"]) for one in facts["files"]}
        need = sum(size for name, size in sizes.items() if name in self.digests)
        need += sizes.get(f"{self.store.name}.tar", 0) if root else 0
        if place.free() - need < place.free_space:
            raise self._full(place, need)

    def _own_name(self, name: str) -> str:
        """Published names begin with the image's; in its folder on a builder some do not."""
        name_of = {f"{self.store.name}.{own}": own for own in (IMAGE, PACKAGES, LOG)}
        return name_of.get(name, name)

    def facts(self) -> dict[str, t.Any]:
        """What the published image.json says, before the large files are fetched."""
        name = f"{self.store.name}.{IMAGE}"
        if name not in self.digests:
            raise self._bad(f"does not name {name}: no image that disk_image made is published there")
        data = bytearray()
        self._checked(name, self.digests[name], data.extend, _SMALL)
        facts = parse_json(bytes(data), self.address + name)
        if not isinstance(facts, dict) or facts.get("name") != self.store.name:
            raise self._bad(f"names {name}, which is that of another image")
        if facts.get("version") != FORMAT or not KEY.fullmatch(str(facts.get("key"))):
            raise self._bad(f"names {name}, which has no key or not the version {FORMAT}")
        if why := contents_wrong(facts):
            raise self._bad(f"names {name}, which cannot be used: {why}. Publish the image again")
        return facts

    def _check_formats(self, formats: t.Collection[str]) -> None:
        """A root directory is never published: it is made of the archive."""
        wanted = {"tar" if one == ROOT else one for one in formats}
        missing = sorted(one for one in wanted if f"{self.store.name}.{one}" not in self.digests)
        if missing:
            raise self._bad(f"has no {', '.join(missing)}: publish that, too")

    def _linked(self, facts: dict[str, t.Any], target: str, digest: str) -> bool:
        """Take a file that was built here, when it is the very same."""
        with contextlib.suppress(DistrogateError, OSError):
            own = self.store.find(str(facts.get("key")))
            for one in own.facts["files"] if own is not None else []:
                if own is not None and one["sha256"] == digest and one["format"] != ROOT:
                    os.link(os.path.join(own.path, one["name"]), target, follow_symlinks=False)
                    return True
        return False

    def _copy(self, place: BuildPlace, name: str, digest: str, target: str) -> None:
        with open(target, "xb") as out:

            def take(block: bytes) -> None:
                if place.free() < place.free_space:
                    raise self._full(place, 0)
                out.write(block)

            self._checked(name, digest, take, _LARGEST)
            os.fchmod(out.fileno(), 0o444)

    def _checked(self, name: str, digest: str, take: t.Callable[[bytes], t.Any], limit: int) -> None:
        found = hashlib.sha256()

        def both(block: bytes) -> None:
            found.update(block)
            take(block)

        try:
            self.fetcher.copy(self.address + name, both, limit)
        except MissingError as error:
            raise ChangedError(self._refused(name, "is not there", digest)) from error
        if found.hexdigest() != digest:
            raise ChangedError(self._refused(name, f"has the sha256 {found.hexdigest()}", digest))

    def _full(self, place: BuildPlace, need: int) -> DistrogateError:
        return DistrogateError(
            "disk_full",
            f"There is too little space at {place.output} for {self.address}: it needs {need >> 20} MiB more,"
            f" {place.free() >> 20} MiB are free, and {place.free_space >> 20} MiB must stay free."
            " Make room, or give another output.",
        )

    def _refused(self, name: str, what: str, digest: str) -> DistrogateError:
        return DistrogateError(
            "bad_checksum",
            f"{self.address}{name} {what}, and {SUMS} beside it says {digest}. It is not used: publish the"
            " image again, and find out who changed it.",
        )

    def _bad(self, what: str) -> DistrogateError:
        return DistrogateError("bad_published", f"{self.address}{SUMS} {what}.")
