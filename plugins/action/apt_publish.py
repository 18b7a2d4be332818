# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Publish into an apt repository."""

from __future__ import annotations

import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._packages._apt_publish import (
    apt_publish_options,
    publish_apt,
)
from ansible_collections.distrogate.ci.plugins.plugin_utils._near_action import NearAction


class ActionModule(NearAction):
    """Here when the repository host is this one, else there."""

    options: t.ClassVar[dict[str, t.Any]] = apt_publish_options()
    body = staticmethod(publish_apt)
