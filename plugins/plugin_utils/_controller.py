# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs on this controller."""

from __future__ import annotations

import platform

from ansible.release import __version__ as ansible_version


def controller_versions() -> dict[str, str]:
    """Versions, by name, of what decides how a run is driven."""
    return {"ansible-core": str(ansible_version), "python": platform.python_version()}
