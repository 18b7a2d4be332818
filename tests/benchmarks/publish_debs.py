# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A .deb as dpkg-deb(1) makes it (deb(5)): of 22 KiB, with a control file of 600 bytes."""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
import zlib

from ansible_collections.distrogate.ci.tests.benchmarks import publish_words as words
from ansible_collections.distrogate.ci.tests.unit.packages.helpers import ar

SIZE = 17 * 1024  # of all files in it
_GZIP = 31  # zlib's window bits for a gzip header


def file_name(number: int) -> str:
    return f"{words.name(number)}_{_version(number)}_{_architecture(number)}.deb"


def package(number: int) -> bytes:
    """The whole file. Its data are stored: packing them anew would only take time here."""
    data = _tar(_files(number))
    sums = "".join(
        f"{hashlib.md5(body).hexdigest()}  {path[2:]}\n" for path, body in _files(number).items() if body
    )
    facts = {"./": b"", "./control": control(number).encode(), "./md5sums": sums.encode()}
    packed = lzma.compress(_tar(facts), check=lzma.CHECK_CRC64, preset=6)
    store = zlib.compressobj(0, zlib.DEFLATED, _GZIP)
    stored = store.compress(data) + store.flush()
    return ar(("debian-binary", b"2.0\n"), ("control.tar.xz", packed), ("data.tar.gz", stored))


def control(number: int) -> str:
    """The fields of a usual package, in dpkg's order."""
    dice = words.chance(number, "control")
    depends = ", ".join(
        f"{words.name(dice.randrange(20_000))} (>= {dice.randrange(9)}.{dice.randrange(99)})"
        for _number in range(5)
    )
    source = words.source_name(number // 2)
    lines = [
        f"Package: {words.name(number)}",
        *([f"Source: {source}"] if source != words.name(number) else []),
        f"Version: {_version(number)}",
        f"Architecture: {_architecture(number)}",
        "Maintainer: A Team <team@example.org>",
        f"Installed-Size: {dice.randrange(20, 999)}",
        f"Depends: {depends}",
        "Section: net",
        "Priority: optional",
        f"Homepage: https://www.example.org/{source}",
        f"Description: {words.summary(number)}",
        *(f" {line}" for line in words.text(number)),
    ]
    return "\n".join(lines) + "\n"


def _version(number: int) -> str:
    return f"{number % 30}.{number % 7}.0-1"


def _architecture(number: int) -> str:
    return "all" if number % 3 == 2 else "amd64"


def _files(number: int) -> dict[str, bytes]:
    """Folders end in a slash."""
    name, body = words.name(number), words.body(number, SIZE)
    return {
        "./": b"",
        "./usr/": b"",
        "./usr/bin/": b"",
        f"./usr/bin/{name}": body[: SIZE // 2],
        "./usr/share/": b"",
        f"./usr/share/{name}": body[SIZE // 2 :],
    }


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, body in files.items():
            info = tarfile.TarInfo(path)
            info.mtime, info.size = words.DATE, len(body)
            info.type = tarfile.DIRTYPE if path.endswith("/") else tarfile.REGTYPE
            info.mode = 0o755 if path.endswith("/") else 0o644
            archive.addfile(info, io.BytesIO(body))
        end = archive.offset + 2 * tarfile.BLOCKSIZE
    return buffer.getvalue()[:end]  # not filled up to a tape's record
