# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is missing on a host, before anything begins."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import typing as t

from ansible.module_utils.common.text.formatters import human_to_bytes

from ansible_collections.distrogate.ci.plugins.module_utils._core import _command
from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._core._files import TEMPORARY
from ansible_collections.distrogate.ci.plugins.module_utils._core._sandbox import Sandbox

_PATH = _command.base_environment()["PATH"]


def missing(wanted: dict[str, t.Any]) -> list[str]:
    """One sentence for each thing that is missing; ``wanted`` as the module preflight takes it."""
    found = []
    roles = ", ".join(wanted["roles"])
    how = f" The playbook distrogate.ci.prepare does, where it may (role {roles})." if roles else ""
    for program, package in wanted["programs"].items():
        if shutil.which(program, path=_PATH) is None:
            found.append(f"The program {program} is missing: install the package {package}.{how}")
    for module, package in wanted["python_modules"].items():
        if not _importable(module):
            found.append(
                f"This Python has no module {module}: install {package}, or set ansible_python_interpreter."
                f"{how}"
            )
    for folder, what_to_do in wanted["folders"].items():
        if not os.path.isdir(folder):
            found.append(f"There is no folder {folder}: {what_to_do}.")
    for path, what_to_do in wanted["files"].items():
        if not os.access(path, os.R_OK) or not os.path.isfile(path):
            found.append(f"There is no file {path} that this user can read: {what_to_do}.")
    for folder, size in wanted["free_space"].items():
        found.extend(_space(folder, str(size)))
    for key in wanted["keys"]:
        found.extend(_key(key["fingerprint"], key["gnupg_home"]))
    if wanted["sandbox"]:
        found.extend(_sandbox())
    return found


def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # the package that the module would be in
        return False


def _space(folder: str, size: str) -> list[str]:
    """What is free where the folder is, or would be made."""
    try:
        needed = int(human_to_bytes(size))
    except ValueError as error:
        raise DistrogateError("bad_options", f"free_space: {size[:100]!r} is no size, such as 2G.") from error
    there = os.path.abspath(folder)
    while not os.path.isdir(there):
        there = os.path.dirname(there)
    free = shutil.disk_usage(there).free
    if free >= needed:
        return []
    room = (
        f"Only {free / (1 << 30):.1f} GiB are free for {folder}, and {needed / (1 << 30):.1f} GiB are needed"
    )
    return [f"{room}: make room, run the playbook distrogate.ci.janitor, or name a folder on a larger disk."]


def _key(fingerprint: str, home: str | None) -> list[str]:
    """Look without a trace: gpg would write a lock, and begin an agent, which lays sockets into its home."""
    environment = _command.base_environment(**({"GNUPGHOME": home} if home else {}))
    gpg = ["gpg", "--batch", "--lock-never", "--no-autostart"]
    options: dict[str, t.Any] = {"environment": environment, "check": False, "timeout": 60}
    try:
        done = _command.run([*gpg, "--list-secret-keys", "--", fingerprint], **options)
        if done.status == 0:
            return []
        # Without an agent under way gpg knows no secret key at all, but its files are there.
        argv = [*gpg, "--with-colons", "--with-keygrip", "--list-keys", "--", fingerprint]
        lines = _command.run(argv, **options).text.splitlines()
    except DistrogateError as error:
        return [error.message]
    folder = os.path.join(home or os.path.expanduser("~/.gnupg"), "private-keys-v1.d")
    grips = [line.split(":")[9] for line in lines if line.startswith("grp:")]
    if any(os.path.exists(os.path.join(folder, f"{grip}.key")) for grip in grips):
        return []
    where = home or "the user's GnuPG home"
    return [f"There is no secret key {fingerprint} in {where}: import it, or set signing_key and gnupg_home."]


def _sandbox() -> list[str]:
    """Make the smallest sandbox there is, rather than guess from settings whether one can be made."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
        for name in ("rootfs", "rootfs/proc", "rootfs/dev"):
            os.mkdir(os.path.join(folder, name))
        try:
            with Sandbox(os.path.join(folder, "box"), os.path.join(folder, "rootfs")) as box:
                done = box.run(["/nothing"], check=False, timeout=60)
        except DistrogateError as error:
            return [error.message]
        return [] if done.status == 127 else [f"Sandboxes do not work here: {done.tail(2)}"]
