# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds bundles in the store."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._options import (
    bundle_info_options,
    find_bundles,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store


class ActionModule(ControllerAction, ActionBase):
    """Reads the store, and nothing else."""

    options: t.ClassVar[dict[str, t.Any]] = bundle_info_options()

    def perform(self, call: ActionCall) -> None:
        """Look."""
        with open_store(call.params["store"], create=False) as store:
            call.result["bundles"] = find_bundles(store, call.params)
