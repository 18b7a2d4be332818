# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site writes about its TE host, checked, as the guard's configuration."""

from __future__ import annotations

import os
import re
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard import _keys, _wire

_PATH = re.compile(r"/[A-Za-z0-9_.+/-]+")  # it stands in authorized_keys, where a shell reads it
_LARGEST = 1 << 60
Values = t.Mapping[str, t.Any]


def _bad(said: str) -> DistrogateError:
    return DistrogateError("bad_guard", said)


def configuration(options: Values) -> dict[str, t.Any]:
    """The contents of guard.json."""
    for name in ("directory", "authorized_keys", "program", "configuration", "python"):
        if not _PATH.fullmatch(options[name]) or os.path.normpath(options[name]) != options[name]:
            raise _bad(f"{name} must be an absolute path of letters, digits, '.', '_', '+' and '-'.")
    if not 1 <= options["power_timeout"] <= 60:
        raise _bad("power_timeout must be from 1 to 60 seconds, because a new lease waits for it.")
    pools = _pools(options["pools"])
    settings = ["--configuration", options["configuration"]]
    return {
        "version": 1,
        "directory": options["directory"],
        "authorized_keys": options["authorized_keys"],
        "command": [options["python"], "-I", "-S", options["program"], *settings],
        "log": options["log"] or "",
        "power_timeout": options["power_timeout"],
        "pools": pools,
        "tes": _tes(options["tes"], pools),
    }


def _name(name: t.Any, what: str) -> str:
    if not isinstance(name, str) or not re.fullmatch(_wire.NAME, name):
        raise _bad(f"{name!r} is not a {what}'s name: use letters, digits, '.', '_' and '-', at most 63.")
    return name


def _only(value: t.Any, what: str, keys: t.Iterable[str]) -> Values:
    if not isinstance(value, dict) or set(value) - set(keys):
        raise _bad(f"{what} is a dictionary that may have: {', '.join(keys)}.")
    return value


def _pools(value: Values) -> dict[str, list[str]]:
    pools: dict[str, list[str]] = {}
    seen: dict[str, str] = {}
    for pool, keys in value.items():
        if not isinstance(keys, list) or not keys:
            raise _bad(f"The pool {pool} needs a list of public keys.")
        pools[_name(pool, "pool")] = [_key(str(key), pool, seen) for key in keys]
    return pools


def _key(text: str, pool: str, seen: dict[str, str]) -> str:
    try:
        key = _keys.public_key(text, _keys.POOL_TYPES)
    except _wire.RefusedError as error:
        raise _bad(f"A key of the pool {pool}: {error.message}") from error
    if key in seen:
        raise _bad(f"The pools {seen[key]} and {pool} have one key twice; each needs its own.")
    seen[key] = pool
    return key


def _tes(value: Values, pools: Values) -> dict[str, t.Any]:
    tes, paths = {}, set[str]()
    for name, settings in value.items():
        found = _only(settings, f"The TE {name}", ("pool", "disks", "power", "console"))
        if found.get("pool") not in pools:
            raise _bad(f"The TE {name} needs a pool that has keys in pools.")
        tes[_name(name, "TE")] = {
            "pool": found["pool"],
            "disks": _disks(name, found.get("disks") or {}, paths),
            "power": _power(name, found.get("power") or {}),
            "console": _path(found["console"], f"The console of {name}") if found.get("console") else "",
        }
    return tes


def _path(value: t.Any, what: str) -> str:
    if (
        not isinstance(value, str)
        or "\0" in value
        or not os.path.isabs(value)
        or value != os.path.normpath(value)
    ):
        raise _bad(f"{what} must be an absolute path, without '..' and without a slash at its end.")
    return value


def _disks(te: str, value: t.Any, paths: set[str]) -> dict[str, t.Any]:
    disks = {}
    if not isinstance(value, dict):
        raise _bad(f"The disks of {te} are a dictionary of names.")
    for name, settings in value.items():
        what = f"The disk {name} of {te}"
        found = _only(settings, what, ("path", "size"))
        path, size = _path(found.get("path"), what), str(found.get("size"))
        if not re.fullmatch("[1-9][0-9]*", size) or int(size) > _LARGEST:
            raise _bad(f"{what} needs a size, in bytes, of the largest image.")
        if path in paths:
            raise _bad(f"{path} is the disk of two TEs, or of one twice.")
        paths.add(path)
        disks[_name(name, "disk")] = {"path": path, "size": int(size)}
    return disks


def _power(te: str, value: t.Any) -> dict[str, list[str]]:
    found = _only(value, f"power of {te}", _wire.POWER)
    for action, argv in found.items():
        words = isinstance(argv, list) and all(isinstance(word, str) and "\0" not in word for word in argv)
        if not words or not argv or not argv[0]:
            raise _bad(f"power {action} of {te} is a list: a program and its arguments, all of them text.")
    return dict(found)
