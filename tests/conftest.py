# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests need of a host. Elsewhere the role distrogate.ci.builder gives it."""

from __future__ import annotations

import os
import pwd
import subprocess
import typing as t

import hypothesis

from ansible_collections.distrogate.ci.plugins.module_utils._core._subordinate_ids import (
    free_range,
    has_range,
)

# A machine that does much else is no failure: no example has a time limit.
hypothesis.settings.register_profile(
    "distrogate", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("distrogate")

FILES = {"--add-subuids": "/etc/subuid", "--add-subgids": "/etc/subgid"}


def pytest_configure(config: t.Any) -> None:
    """Give root the subordinate ids that sandboxes run as: a fresh machine has none."""
    if os.getuid() or hasattr(config, "workerinput"):
        return
    name = pwd.getpwuid(0).pw_name
    for option, path in FILES.items():
        if not has_range(path, name):
            subprocess.run(["usermod", option, free_range(*FILES.values()), name], check=True)
