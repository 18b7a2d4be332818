# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address of a git repository, as a bundle may hold it."""

from __future__ import annotations

import re

# No user's password, nothing that git would read as an option or as a program to run (ext::).
GIT_ADDRESS = re.compile(
    r"(?:https?|ssh|git)://(?:[A-Za-z0-9._~+-]+@)?[A-Za-z0-9.\[\]:_-]+/[^\s]*"
    r"|file:///[^\s]*|/[^\s]*"
    r"|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:(?![:-])[^\s]+"
)
