# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a queue comes from: a variable, a file, Zuul, or Gerrit's environment in Jenkins; one of them."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._sources import _queue_gerrit, _queue_zuul
from ansible_collections.distrogate.ci.plugins.module_utils._sources._queue import normal_queue

Json = dict[str, t.Any]

MOST = 1000  # changes in a queue; each of them is fetched and merged
_HOW = (
    "Give one of them; a person gives -e queue_file=FILE, or"
    ' -e \'{"distrogate_queue": [{"project": …, "branch": …, "change_id": …, "ref": …}]}\'.'
)


def bounded(changes: t.Any, source: str) -> list[Json]:
    """A list of dictionaries, and not too many of them."""
    if not isinstance(changes, (list, tuple)):
        raise DistrogateError("bad_queue", f"The queue of {source} is not a list of changes.")
    if len(changes) > MOST:
        raise DistrogateError(
            "long_queue", f"The queue of {source} has {len(changes)} changes; {MOST} are the most."
        )
    for change in changes:
        if not isinstance(change, dict):
            raise DistrogateError(
                "bad_queue",
                f"The queue of {source} holds something that is not a change: {str(change)[:80]!r}.",
            )
        for key, value in change.items():
            if isinstance(value, (dict, list)) or len(str(value)) > 500:
                raise DistrogateError(
                    "bad_change", f"A change in the queue of {source} has no plain {str(key)[:40]!r}."
                )
    return list(changes)


def given(changes: t.Any, source: str) -> Json:
    """A queue that somebody wrote down in our own form."""
    return found(normal_queue(bounded(changes, source)), source)


def found(queue: list[dict[str, str]], source: str, **more: t.Any) -> Json:
    """What the lookup returns: the queue, where it comes from, and a sentence of both."""
    names = " then ".join(f"{one['change_id']},{one['patch_set']} of {one['project']}" for one in queue[-5:])
    earlier = f"{len(queue) - 5} others, then " if len(queue) > 5 else ""
    number = "1 change" if len(queue) == 1 else f"{len(queue)} changes"
    said = f"queue of {number} from {source}: {earlier}{names}"
    return {"queue": queue, "source": source, "said": said, "checkouts": {}, "ahead": None, **more}


def in_file(contents: t.Any, path: str, projects: t.Collection[str]) -> Json:
    """What a queue file says: a list of changes, the same below a name, or Zuul's own variable ``zuul``."""
    if isinstance(contents, dict) and len(contents) == 1:
        name, value = next(iter(contents.items()))
        if name == "zuul":
            return from_zuul(value, projects, f"zuul.items in {path}")
        if name in ("queue", "distrogate_queue"):
            return given(value, path)
    if not isinstance(contents, list):
        raise DistrogateError(
            "bad_queue",
            f"{path} is neither a list of changes, nor has it one key that is queue, distrogate_queue or"
            " zuul.",
        )
    return given(contents, path)


def from_zuul(zuul: t.Any, projects: t.Collection[str], source: str = "zuul.items") -> Json:
    """The queue of a Zuul job, with its checkouts and the test repositories of the changes ahead."""
    if not isinstance(zuul, dict):
        raise DistrogateError("bad_queue", "The variable zuul is not a dictionary.")
    items = zuul.get("items")
    if not isinstance(items, (list, tuple)) or not items:
        raise DistrogateError("empty_queue", f"{source} is empty: this Zuul job tests no change.")
    if len(items) > MOST:
        raise DistrogateError("long_queue", f"{source} has {len(items)} items; {MOST} are the most.")
    queue = normal_queue([_queue_zuul.change_of(item, projects) for item in items])
    _queue_zuul.refuse_strange(zuul, items)
    return found(
        queue,
        source,
        checkouts=_queue_zuul.checkouts(items, zuul, projects),
        ahead=_queue_zuul.layers(zuul.get("artifacts"), items),
    )


def find(
    variables: t.Mapping[str, t.Any],
    environment: t.Mapping[str, str],
    read: t.Callable[[str], t.Any],
    projects: t.Collection[str] = (),
) -> Json:
    """The one queue that there is; none, or two that nobody chose between, is an error that says so.

    What a person gave (``distrogate_queue``, ``queue_file``) goes before what a
    system tells. ``read`` gives the contents of a queue file.
    """
    asked = [name for name in ("distrogate_queue", "queue_file") if variables.get(name)]
    if len(asked) == 2:
        raise DistrogateError("two_queues", "Both distrogate_queue and queue_file are given. Leave one out.")
    if asked == ["distrogate_queue"]:
        return given(variables["distrogate_queue"], "distrogate_queue")
    if asked:
        path = str(variables["queue_file"])
        return in_file(read(path), path, projects)
    zuul, event = variables.get("zuul"), environment.get("GERRIT_EVENT_TYPE", "")
    gerrit = event or environment.get("GERRIT_PROJECT", "")
    if zuul and gerrit:
        raise DistrogateError(
            "two_queues",
            "There are both Zuul's variable zuul and Gerrit's environment (GERRIT_PROJECT). Say which:"
            " unset one,"
            " or give queue_file.",
        )
    if zuul:
        return from_zuul(zuul, projects)
    if gerrit:
        return found([_queue_gerrit.change_of(environment)], f"Gerrit's environment ({event or 'no event'})")
    raise DistrogateError("no_queue", f"There is no queue. Looked for {_looked()}. {_HOW}")


def _looked() -> str:
    names = ", ".join(_queue_gerrit.NEEDED)
    return (
        "the variables distrogate_queue and queue_file, Zuul's variable zuul with zuul.items, and the"
        " environment"
        f" variables of Jenkins' Gerrit Trigger on the controller ({names})"
    )
