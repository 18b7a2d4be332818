# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which root filesystem a stage works in: the folder, and what is installed there."""

from __future__ import annotations

import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._reuse import sha256_file_or_none

_INSTALLED = "var/lib/dpkg/status"


def identity_of(rootfs: str) -> dict[str, str]:
    """The folder's key is that of its recipe: made anew, it has the packages of another day."""
    path = os.path.realpath(rootfs)
    return {"path": path, "installed": sha256_file_or_none(os.path.join(path, _INSTALLED)) or ""}
