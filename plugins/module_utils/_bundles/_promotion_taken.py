# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run took from where it is published: it is tested with, and never published by that run again."""

from __future__ import annotations

import typing as t

Json = dict[str, t.Any]
_SHOWN = 5


def is_taken(artifact: Json) -> bool:
    """Whether a channel or version gave it to the run, so that it is published already."""
    return bool(artifact.get("taken"))


def taken_of(bundle: Json) -> list[str]:
    """The names of these artifacts."""
    return [artifact["name"] for artifact in bundle["artifacts"] if is_taken(artifact)]


def has_own(bundle: Json) -> bool:
    """Whether there is anything in it that a promotion could publish."""
    return not all(map(is_taken, bundle["artifacts"]))


def notice(bundle: Json, channel: str) -> str:
    """What is not published, and why, as a sentence or two."""
    names, places = taken_of(bundle), {one["taken"] for one in bundle["artifacts"] if is_taken(one)}
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    what = f"{', '.join(names[:_SHOWN])}{rest}, taken from {', '.join(sorted(places))},"
    if has_own(bundle):
        return f"not published again: {what} may have been replaced there meanwhile"
    return (
        f"There is nothing to publish for this bundle, so {channel} stays where it is: {what} was published"
        " before, and nothing was built."
    )
