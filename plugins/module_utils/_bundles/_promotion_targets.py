# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The targets of a promotion: prepared side by side, then committed in order of rank.

Nothing is committed before everything is prepared. Names that readers resolve
have the highest rank: what they lead to is there before they are.
"""

from __future__ import annotations

import concurrent.futures
import contextvars
import functools
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_journal import Journal
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._promotion_model import (
    UNKNOWN_TRANSACTION,
    Json,
    Target,
    World,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

AT_ONCE = 8

Call = t.Callable[[], Json]
Answer = t.Union[Json, DistrogateError]


def side_by_side(calls: t.Sequence[Call]) -> list[Answer]:
    """Make each call in a thread of its own. All end before this returns, whatever becomes of one."""
    if len(calls) == 1:
        return [_answer(calls[0])]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        # With the context of this thread: Ansible keeps there which task it runs.
        futures = [pool.submit(contextvars.copy_context().run, _answer, call) for call in calls]
        return [future.result() for future in futures]


def _answer(call: Call) -> Answer:
    try:
        return call()
    except DistrogateError as error:
        return error


def failure(answers: t.Iterable[Answer]) -> DistrogateError | None:
    """One error for all: the first one's reason, everyone's message."""
    errors = [answer for answer in answers if isinstance(answer, DistrogateError)]
    if len(errors) < 2:
        return errors[0] if errors else None
    message = " ".join(error.message for error in errors)
    return DistrogateError(errors[0].reason, message, **errors[0].details)


class Targets:
    """The targets of one open journal."""

    def __init__(self, world: World, journal: Journal, plans: list[Json]) -> None:
        self._world = world
        self._journal = journal
        self.plans = plans

    def _target(self, index: int) -> Target:
        value = self._journal.value
        again = value["again"].get(str(index), 0)
        transaction = value["transaction"] + (f"-{again}" if again else "")
        return self._world.target(self.plans[index], value, transaction, index)

    def _run(self, method: str, indexes: t.Sequence[int]) -> dict[int, Answer]:
        """Call a method of several targets; whoever lost the journal calls none."""
        found: dict[int, Answer] = {}
        for start in range(0, len(indexes), AT_ONCE):
            self._journal.fence()
            some = indexes[start : start + AT_ONCE]
            calls = [functools.partial(getattr(self._target(index), method)) for index in some]
            found.update(zip(some, self._world.together(calls)))
        return found

    def _all(self, method: str, indexes: t.Sequence[int]) -> dict[int, Json]:
        found = self._run(method, indexes)
        failed = failure(found.values())
        if failed is not None:
            raise failed
        return t.cast("dict[int, Json]", found)

    def prepare(self) -> list[Json]:
        """Prepare all, side by side."""
        return list(self._all("prepare", range(len(self.plans))).values())

    def commit(self) -> list[Json]:
        """Commit all: those of the lowest rank first, those of one rank side by side."""
        found: dict[int, Json] = {}
        for rank in sorted({plan.get("rank", 0) for plan in self.plans}):
            indexes = [index for index, plan in enumerate(self.plans) if plan.get("rank", 0) == rank]
            answers = self._run("commit", indexes)
            forgot = [index for index in indexes if _has_forgotten(answers[index])]
            failed = failure(answer for index, answer in answers.items() if index not in forgot)
            if failed is not None:
                raise failed
            found.update(t.cast("dict[int, Json]", answers))
            if forgot:
                found.update(self._commit_anew(forgot))
        return [found[index] for index in range(len(self.plans))]

    def _commit_anew(self, indexes: list[int]) -> dict[int, Json]:
        """Targets that forgot the transaction, because its reservation ended, prepare once more.

        Under an id that only the journal's owner gives out: a late owner cannot publish old things again.
        """
        again = self._journal.value["again"]
        more = {str(index): again.get(str(index), 0) + 1 for index in indexes}
        self._journal.step({"again": {**again, **more}})
        self._all("prepare", indexes)
        return self._all("commit", indexes)

    def undo(self) -> list[str]:
        """Undo all, whatever each says; returns errors."""
        calls = [functools.partial(self._target(index).undo) for index in range(len(self.plans))]
        answers: list[Answer] = []
        for start in range(0, len(calls), AT_ONCE):
            answers += self._world.together(calls[start : start + AT_ONCE])
        return [answer.message for answer in answers if isinstance(answer, DistrogateError)]


def _has_forgotten(answer: Answer) -> bool:
    return isinstance(answer, DistrogateError) and answer.reason == UNKNOWN_TRANSACTION
