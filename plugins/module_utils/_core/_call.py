# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the body of a module is given, whether it runs on a host or, as an action, on the controller."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.distrogate.ci.plugins.module_utils._core._module import Difference


class AnyCall(t.Protocol):
    """One execution: its parameters, and what it is going to return."""

    params: dict[str, t.Any]
    check_mode: bool
    difference: Difference
    result: dict[str, t.Any]
