# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of tags: which digest each published name stands for, so that none moves unless it may.

A name is claimed before anything is published, and released when the promotion
is undone. Only a channel's own tag may move, when the channel is mutable.
"""

from __future__ import annotations

import dataclasses
import typing as t
import urllib.parse

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_adapters import names_of
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_journal import Journal
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import Json
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_parts import OPERATIONS
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import (
    Delete,
    Entry,
    Key,
    Put,
    Store,
    until_written,
)

Decide = t.Callable[["Tag", t.Optional[Entry]], t.Union[Put, Delete, None]]


@dataclasses.dataclass(frozen=True)
class Tag:
    """One name that a target gives to a digest."""

    kind: str
    place: str
    tag: str
    digest: str
    mutable: bool

    @property
    def key(self) -> str:
        """A place has slashes of its own; they must not look like other levels."""
        return "/".join(["tag", self.kind, *(_quoted(part) for part in (self.place, self.tag))])

    @property
    def address(self) -> str:
        return f"{self.place}:{self.tag}"


def _quoted(part: str) -> str:
    return urllib.parse.quote(part, safe=":@+,=")


def tags_of(plans: t.Sequence[Json], prepared: t.Sequence[Json], journal: Json) -> list[Tag]:
    """The names that targets say they are going to give."""
    found = {}
    for plan, result in zip(plans, prepared):
        for place, word, digest in names_of(plan, result, journal):
            tag = Tag(plan["plugin"], place, word, digest, _is_mutable(word, journal))
            found[tag.key] = tag
    return list(found.values())


def _is_mutable(word: str, journal: Json) -> bool:
    return bool(word == journal["channel"] and not journal["immutable"])


def _pieces(tags: t.Sequence[Tag]) -> t.Iterator[t.Sequence[Tag]]:
    for start in range(0, len(tags), OPERATIONS):
        yield tags[start : start + OPERATIONS]


def _entries(store: Store, tags: t.Sequence[Tag]) -> list[Entry | None]:
    return [found[0] if found else None for found in store.read([Key(tag.key) for tag in tags])]


def _change(journal: Journal, tags: t.Sequence[Tag], decide: Decide) -> None:
    """Change the table piece by piece, as long as the journal is ours."""
    for some in _pieces(tags):

        def attempt(some: t.Sequence[Tag] = some) -> bool | None:
            found = _entries(journal.store, some)
            expected, operations = {}, []
            for tag, entry in zip(some, found):
                operation = decide(tag, entry)
                if operation is not None:
                    expected[tag.key] = entry.revision if entry else 0
                    operations.append(operation)
            return True if not operations or journal.write(expected, operations) else None

        until_written(attempt)


def _may_stay(tag: Tag, entry: Entry | None) -> bool:
    return entry is None or entry.value["digest"] == tag.digest or (tag.mutable and entry.value["mutable"])


def claim(journal: Journal, tags: t.Sequence[Tag]) -> None:
    """Take the names that are free; refuse, naming all of them, when one stands for something else."""
    taken = [
        (tag, entry)
        for some in _pieces(tags)
        for tag, entry in zip(some, _entries(journal.store, some))
        if not _may_stay(tag, entry)
    ]
    if taken:
        raise _tag_taken(taken)

    def decide(tag: Tag, entry: Entry | None) -> Put | None:
        if not _may_stay(tag, entry):
            raise _tag_taken([(tag, entry)])
        return _put(journal, tag) if entry is None else None

    _change(journal, tags, decide)


def settle(journal: Journal, tags: t.Sequence[Tag]) -> None:
    """Note which digest each name has now; again it changes nothing."""

    def decide(tag: Tag, entry: Entry | None) -> Put | None:
        return None if entry is not None and entry.value["digest"] == tag.digest else _put(journal, tag)

    _change(journal, tags, decide)


def release(journal: Journal, tags: t.Sequence[Tag]) -> None:
    """Give back what this promotion claimed."""

    def decide(tag: Tag, entry: Entry | None) -> Delete | None:
        ours = entry is not None and entry.value["transaction"] == journal.value["transaction"]
        return Delete(tag.key) if ours else None

    _change(journal, tags, decide)


def _put(journal: Journal, tag: Tag) -> Put:
    value = {
        "digest": tag.digest,
        "mutable": tag.mutable,
        "channel": journal.channel,
        "transaction": journal.value["transaction"],
    }
    return Put(tag.key, value)


def _tag_taken(taken: t.Sequence[tuple[Tag, Entry | None]]) -> DistrogateError:
    listed = "; ".join(
        f"{tag.address} stands for {entry.value['digest'] if entry else 'nothing'}, not for {tag.digest}"
        for tag, entry in taken
    )
    return DistrogateError(
        "tag_taken",
        f"Nothing was published: {listed}. A name never moves, but a mutable channel's own. Promote to"
        " another version or place.",
        digests=[tag.digest for tag, _entry in taken],
    )
