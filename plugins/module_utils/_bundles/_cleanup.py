# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cleaning incoming folders: what arrived for a promotion that did not end."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._cleanup import Finding, Rules, folders

_HEX = re.compile(r"^[0-9a-f]{64}$")


def find_incoming(incoming: t.Iterable[str], rules: Rules) -> t.Iterator[Finding]:
    """``incoming``/TRANSACTION/SHA256/NAME: a promotion copies again what is missing when it goes on."""
    for folder in incoming:
        for path in folders(folder):
            names = os.listdir(path)
            if all(_HEX.match(name) for name in names):
                yield rules.judged("incoming", path, rules.idle_days)
            else:
                yield Finding("incoming", path, "holds something else", False)
