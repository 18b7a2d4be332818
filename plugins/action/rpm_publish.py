# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish into an rpm repository, by the Python of its host, which has createrepo_c."""

from __future__ import annotations

from ansible_collections.distrogate.ci.plugins.plugin_utils._module_action import ModuleAction


class ActionModule(ModuleAction):
    """The module does the work."""
