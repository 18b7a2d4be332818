# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets ansible-playbook die at a step of a promotion's journal, with all that it started.

``DISTROGATE_TEST_DEATH`` is ``before N`` or ``after N``: of the N-th write that a promotion makes to the
store. The writes are listed in the file ``DISTROGATE_TEST_STEPS``. N = 0 only lists them. With ``late N``
it sleeps after it has seen for the N-th time that the journal is its own, until somebody wakes it.
"""

from __future__ import annotations

import os
import signal
import typing as t

from ansible.plugins.callback import CallbackBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._descendants import end_descendants
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_etcd import EtcdStore
from ansible_collections.distrogate.ci.plugins.module_utils._core._store_sqlite import SqliteStore

DOCUMENTATION = """
name: dying
type: notification
short_description: lets ansible-playbook die
description: It dies at a step of a promotion.
"""
_OURS = ("journal/promotion/", "promotion/", "pins/run/")
Transact = t.Callable[..., t.Any]


class Death:
    """When it comes. Ansible makes a process for each task, which counts by itself."""

    def __init__(self) -> None:
        self.when, number = os.environ["DISTROGATE_TEST_DEATH"].split()
        self.number = int(number)
        self.steps = os.environ["DISTROGATE_TEST_STEPS"]
        self.seen = self.fences = 0

    def watch(self, transact: Transact) -> Transact:
        """The same, but for its last call."""

        def watched(store: t.Any, expected: t.Any, operations: t.Any, *more: t.Any) -> t.Any:
            keys = [*expected, *(operation.key for operation in operations)]
            if not operations and any(key.startswith("journal/promotion/") for key in keys):
                return self._fenced(transact(store, expected, operations, *more))
            if not operations or not any(key.startswith(_OURS) and key[-5:] != "/lock" for key in keys):
                return transact(store, expected, operations, *more)
            self.seen += 1
            with open(self.steps, "a") as stream:
                stream.write(f"{self.seen} {' '.join(sorted({*keys}))}\n")
            if (self.when, self.number) == ("before", self.seen):
                _die()
            result = transact(store, expected, operations, *more)
            if (self.when, self.number) == ("after", self.seen):
                _die()
            return result

        return watched

    def _fenced(self, answer: t.Any) -> t.Any:
        self.fences += 1
        if (self.when, self.number) == ("late", self.fences):
            with open(self.steps, "a") as stream:
                stream.write(f"asleep {os.getpid()}\n")
            os.kill(os.getpid(), signal.SIGSTOP)
        return answer


def _die() -> None:
    """The one that waits for us first, so that nobody tells of it, then what we started, then we."""
    os.kill(os.getppid(), signal.SIGKILL)
    end_descendants(os.getpid())
    os.kill(os.getpid(), signal.SIGKILL)


class CallbackModule(CallbackBase):
    """Changes the stores when it is loaded, which is before any task has a process."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "dying"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(*arguments, **options)
        death = Death()
        for backend in (SqliteStore, EtcdStore):
            backend.transact = death.watch(backend.transact)  # type: ignore[method-assign]
