# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Letting the real client read a new state before anybody else does."""

from __future__ import annotations

import os
import tempfile

from ansible_collections.distrogate.ci.plugins.module_utils._core._files import inside
from ansible_collections.distrogate.ci.plugins.module_utils._core._transaction import PRIVATE, Transaction
from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Format, Package, Scope


def verify(
    transaction: Transaction, fmt: Format, scope: Scope, packages: list[Package], timeout: float
) -> None:
    """Let apt-get or dnf update from what is staged, and fetch ``packages``; error ``client_refused``.

    It reads a folder of links to the new files, and to those that stay.
    """
    root = transaction.root
    names = {*scope.files, fmt.switch, "key.asc"}
    names.update(name for package in packages for name, _sha256, _size in package.files())
    with tempfile.TemporaryDirectory(prefix="view-", dir=inside(root, PRIVATE)) as folder:
        view = os.path.join(folder, "root")
        os.chmod(folder, 0o755)
        for name in sorted(names):
            link = inside(view, name)
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(transaction.where(name) or inside(root, name), link)
        fmt.verify(view, scope, [(one.name, one.version, one.architecture) for one in packages], timeout)
