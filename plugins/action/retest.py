# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Has open changes tested again, from the controller, and remembers which."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest import (
    checked_merge,
    retest,
    retest_options,
)
from ansible_collections.distrogate.ci.plugins.module_utils._sources._retest_triggers import trigger


class ActionModule(ControllerAction, ActionBase):
    """The action behind the module retest."""

    options: t.ClassVar[dict[str, t.Any]] = retest_options()

    def perform(self, call: ActionCall) -> None:
        """All of them; what cannot be triggered is told at the end, by the caller."""
        checked_merge(call.params)
        with open_store(call.params["store"], create=not call.check_mode) as store:
            outcomes = retest(store, call.params, call.check_mode, trigger)
        new = [f"{row['change']} {row['with']}" for row in outcomes if row["outcome"] in _NEW]
        call.difference.add("triggered", [], new)
        call.result["outcomes"] = outcomes


_NEW = ("triggered", "would be triggered", "done")
