# Copyright (c) 2026 distrogate.ci maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Source packages whose .dsc names what is not its own, or whose parts are not what it says (dsc(5))."""

from __future__ import annotations

import hashlib
import itertools
import os
import pathlib
import re
import typing as t

from ansible_collections.distrogate.ci.tests.faults.hostile.case import (
    EITHER,
    REFUSED,
    Case,
    Source,
)

_PART = b"no real archive: nobody unpacks it"
LISTS: dict[bytes, t.Callable[[bytes], t.Any]] = {
    b"Checksums-Sha1": hashlib.sha1,
    b"Checksums-Sha256": hashlib.sha256,
    b"Files": hashlib.md5,
}
Change = t.Callable[[bytes], bytes]


def dsc(name: str, parts: dict[bytes, bytes], *more: bytes, **fields: bytes) -> bytes:
    """A .dsc that lists these parts; ``fields`` replace the values of its own fields."""
    own = {
        "Format": b"3.0 (native)",
        "Source": name.encode(),
        "Binary": name.encode(),
        "Architecture": b"all",
        "Version": b"1.0",
        "Maintainer": b"N <n@example.org>",
        **fields,
    }
    lines = [b"%s: %s\n" % (key.replace("_", "-").encode(), value) for key, value in own.items()]
    for field, digest in LISTS.items():
        entries = (
            b"\n %s %d %s" % (digest(data).hexdigest().encode(), len(data), part)
            for part, data in parts.items()
        )
        lines.append(field + b":" + b"".join(entries) + b"\n")
    return b"".join(lines) + b"".join(more)


def tarball(name: str) -> bytes:
    return f"{name}_1.0.tar.xz".encode()


def case(
    source: Source,
    kind: str,
    note: object,
    change: Change = bytes,
    expect: str = REFUSED,
    spoil: t.Callable[[pathlib.Path], object] = bool,
    listed: t.Callable[[str], dict[bytes, bytes]] | None = None,
    **fields: bytes,
) -> Case:
    """A .dsc and its tarball; ``change`` the text, ``spoil`` the tarball, ``listed`` is listed."""
    name = source.fresh()
    parts = {tarball(name): name.encode() + _PART}
    text = change(dsc(name, listed(name) if listed else parts, **fields))

    def make(folder: pathlib.Path) -> list[str]:
        for part, data in parts.items():
            (folder / os.fsdecode(part)).write_bytes(data)
            spoil(folder / os.fsdecode(part))
        path = folder / f"{name}_1.0.dsc"
        path.write_bytes(text)
        return [str(path)]

    return Case(kind, str(note)[:200], make, expect)


def _names(source: Source) -> t.Iterator[Case]:
    more = (
        b"../x_1.0.tar.xz",
        b"/etc/passwd",
        b"x/../y.tar.xz",
        b"other_1.0.tar.xz",
        b"x_1.0.dsc",
        b"x.deb",
        b"x" * 300,
    )
    for name in (*source.names(), *more):
        lie = case(source, "dsc: name of a part", name, listed=lambda _name, name=name: {name: b"x"})
        yield lie
        both = case(
            source,
            "dsc: name of a part",
            (name, "more"),
            listed=lambda own, name=name: {tarball(own): own.encode() + _PART, name: b"x"},
        )
        yield both
    for name, field in itertools.product(
        source.names(), ("Source", "Version", "Format", "Architecture", "Binary")
    ):
        plain = field in ("Architecture", "Binary") and name in (
            b"..",
            b".",
            b"-rf",
            b"--help",
            b".hidden",
            b"a\tb",
            b"a b",
        )
        expect = EITHER if plain else REFUSED
        yield case(source, "dsc: path in field", (field, name), expect=expect, **{field: name})


def _parts(source: Source) -> t.Iterator[Case]:
    kind = "dsc: part"

    def moved(path: pathlib.Path, to: str) -> None:
        path.rename(path.with_name("elsewhere"))
        path.symlink_to(to)

    def replaced(path: pathlib.Path, make: t.Callable[[pathlib.Path], object]) -> None:
        path.unlink()
        make(path)

    for target in ("elsewhere", "/etc/passwd", "/dev/zero", "nowhere", "."):
        yield case(source, kind, ("link", target), spoil=lambda path, target=target: moved(path, target))
    yield case(source, kind, "missing", spoil=lambda path: path.unlink())
    yield case(source, kind, "folder", spoil=lambda path: replaced(path, pathlib.Path.mkdir))
    yield case(source, kind, "pipe", spoil=lambda path: replaced(path, os.mkfifo))
    for data in (b"", b"x", _PART, b"x" * 1000):
        yield case(
            source, kind, ("other contents", data[:5]), spoil=lambda path, data=data: path.write_bytes(data)
        )
    yield case(source, kind, "sparse", spoil=lambda path: os.truncate(path, 1 << 40))
    longer = case(source, kind, "longer", spoil=lambda path: path.write_bytes(path.read_bytes() + b"x"))
    yield longer
    for size in (b"0", b"-1", b"999999999999999", b"1e3", b"0x10", b"", b"9" * 40):
        yield case(
            source,
            kind,
            ("size", size),
            lambda text, size=size: re.sub(rb" [0-9]+ (?=hostile)", b" " + size + b" ", text),
        )
    for count in (0, 63, 65, 5000):

        def many(name: str, count: int = count) -> dict[bytes, bytes]:
            return {b"%s_1.0.orig-c%d.tar.xz" % (name.encode(), number): b"x" for number in range(count)}

        yield case(source, kind, ("count", count), listed=many)


def cases(source: Source) -> t.Iterator[Case]:
    for part in (_names, _parts):
        yield from part(source)
