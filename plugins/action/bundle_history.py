# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the history of bundles and channels as a folder of static files."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.distrogate.ci.plugins.module_utils._bundles._archive import Archive
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._history_files import INDEX, LOCK, Folder
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._index import Index
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._info_options import (
    bundle_history_options,
)
from ansible_collections.distrogate.ci.plugins.module_utils._bundles._known_keys import KnownKeys
from ansible_collections.distrogate.ci.plugins.module_utils._core._action import ActionCall, ControllerAction
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import (
    DistrogateError,
    from_os_error,
)
from ansible_collections.distrogate.ci.plugins.module_utils._core._lock import file_lock
from ansible_collections.distrogate.ci.plugins.module_utils._core._store import open_store
from ansible_collections.distrogate.ci.plugins.plugin_utils._bundle_page import write_page


class ActionModule(ControllerAction, ActionBase):
    """Reads the store and the archive, and writes on the controller."""

    options: t.ClassVar[dict[str, t.Any]] = bundle_history_options()

    def perform(self, call: ActionCall) -> None:
        """Write what changed."""
        if not call.params["archive"]:
            raise DistrogateError(
                "no_archive", "The history is made from the archive. Set archive, or DISTROGATE_ARCHIVE."
            )
        destination = os.path.abspath(call.params["destination"])
        try:
            with _locked(destination, call):
                _write(call, destination)
        except OSError as error:
            raise from_os_error(error, destination) from error


@contextlib.contextmanager
def _locked(destination: str, call: ActionCall) -> t.Iterator[None]:
    """One writer at a time; check mode writes nothing, the lock neither."""
    if call.check_mode:
        yield
        return
    os.makedirs(destination, exist_ok=True)
    with file_lock(f"{destination}/{LOCK}", call.params["timeout"]):
        yield


def _write(call: ActionCall, destination: str) -> None:
    params = call.params
    folder = Folder(destination, call.difference, call.check_mode)
    with open_store(params["store"], create=False) as store:
        keys = KnownKeys(store, params["signers"])
        index = Index(Archive(params["archive"]), keys, call.progress, params["timeout"])
        overview = index.read(
            lambda connection: write_page(
                connection, store, keys, folder, title=params["title"], newest=params["bundles"]
            )
        )
    call.result.update(
        page=os.path.join(destination, INDEX),
        bundles=len(overview["bundles"]),
        channels=[channel["name"] for channel in overview["channels"]],
        problems=overview["problems"],
    )
