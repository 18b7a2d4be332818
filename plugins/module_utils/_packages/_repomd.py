# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""repomd.xml, and the files that a site adds to an rpm repository (createrepo_c's format)."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.distrogate.ci.plugins.module_utils._packages._model import Written

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo"'
    ' xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n'
)


class Extra(t.NamedTuple):
    """A file beside the lists: its name in repodata, its sha256, its size in bytes."""

    name: str
    sha256: str
    size: int


def read_extra(kind: str, path: str) -> tuple[Extra, bytes]:
    """Read a comps file (``group``) or an updateinfo file, checked."""
    from ansible_collections.distrogate.ci.plugins.module_utils._packages._rpm_extra import (  # used rarely
        read_comps,
        read_updateinfo,
    )

    data = (read_comps if kind == "group" else read_updateinfo)(path)
    sha256 = hashlib.sha256(data).hexdigest()
    return Extra(f"{sha256}-{'comps' if kind == 'group' else kind}.xml", sha256, len(data)), data


def repomd(written: t.Mapping[str, Written], extras: t.Mapping[str, Extra], moment: int) -> bytes:
    """The text; locations are relative to the folder that repodata is in. ``moment`` is the revision."""
    records = []
    for kind, one in written.items():
        suffix = ".xz" if ".xz" in one.packed else ".gz"
        size, sha256 = one.packed[suffix]
        opened = f'    <open-checksum type="sha256">{one.sha256}</open-checksum>\n'
        open_size = f"    <open-size>{one.size}</open-size>\n"
        file = Extra(f"{sha256}-{kind}.xml{suffix}", sha256, size)
        records.append(_record(kind, file, moment, opened, open_size))
    records.extend(_record(kind, extra, moment) for kind, extra in sorted(extras.items()))
    return f"{_HEAD}  <revision>{moment}</revision>\n{''.join(records)}</repomd>\n".encode()


def _record(kind: str, file: Extra, moment: int, opened: str = "", open_size: str = "") -> str:
    return (
        f'  <data type="{kind}">\n    <checksum type="sha256">{file.sha256}</checksum>\n{opened}'
        f'    <location href="repodata/{file.name}"/>\n    <timestamp>{moment}</timestamp>\n'
        f"    <size>{file.size}</size>\n{open_size}  </data>\n"
    )
