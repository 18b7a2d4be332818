# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard as one file: a zip of its modules, which Python runs where this collection is not installed."""

from __future__ import annotations

import io
import types
import typing as t
import zipfile

from ansible_collections.distrogate.ci.plugins.module_utils._core._errors import DistrogateError

# Each by name: what is imported here is what Ansible sends to the TE host.
from ansible_collections.distrogate.ci.plugins.module_utils._leases import _guard
from ansible_collections.distrogate.ci.plugins.module_utils._leases._guard import (
    _clock,
    _configuration,
    _files,
    _image,
    _keys,
    _lease,
    _log,
    _main,
    _pool,
    _power,
    _running,
    _state,
    _wire,
)

_MODULES: tuple[types.ModuleType, ...] = (
    _clock,
    _configuration,
    _files,
    _image,
    _keys,
    _lease,
    _log,
    _main,
    _pool,
    _power,
    _running,
    _state,
    _wire,
)
_START = "import sys\nfrom te_guard._main import main\nsys.exit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def _source(module: types.ModuleType) -> str:
    loader: t.Any = module.__spec__.loader if module.__spec__ else None
    text = loader.get_source(module.__name__) if loader else None
    if not text:
        raise DistrogateError("no_source", f"The source of {module.__name__} cannot be read.")
    return str(text)


def program() -> bytes:
    """The same sources give the same bytes."""
    files = {"__main__.py": _START, "te_guard/__init__.py": ""}
    for module in _MODULES:
        files[f"te_guard/{module.__name__[len(_guard.__name__) + 1 :]}.py"] = _source(module)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = 0o644 << 16
            archive.writestr(info, text)
    return out.getvalue()
