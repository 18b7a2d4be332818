# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second name for the folder that holds a repository, moved once what it names can be read."""

from __future__ import annotations

import contextlib
import os

from ansible_collections.distrogate.ci.plugins.module_utils._core._call import AnyCall
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError


def point(call: AnyCall) -> None:
    """Let the option ``alias`` name the folder above ``root``; a reader sees the old one or the new one.

    Error ``not_a_link``: something else has that name.
    """
    alias, state = call.params["alias"], call.params["state"]
    if not alias or state != "present":
        return
    folder = os.path.dirname(os.path.abspath(call.params["root"]))
    place = os.path.dirname(os.path.abspath(alias))
    target = os.path.relpath(folder, place)
    before = os.readlink(alias) if os.path.islink(alias) else None
    if before is None and os.path.lexists(alias):
        raise DistrogateError("not_a_link", f"{alias} is no symbolic link, and was left alone. Move it away.")
    if before == target:
        return
    call.difference.add("alias", before, target)
    call.result["changed"] = True
    if call.check_mode:
        return
    new = f"{alias}.{os.getpid()}.new"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(new)
    os.makedirs(place, exist_ok=True)
    os.symlink(target, new)
    os.replace(new, alias)
